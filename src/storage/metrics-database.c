/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-database-private.h"
#include "storage/metrics-log.h"
#include "storage/metrics-source.h"
#include "storage/metrics-written.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>

/* The connection that writes, used by one thread at a time: the main thread while it loads, the writer from
 * then on. README.md of this room describes the tables. What is done to chunks is in
 * metrics-database-chunks.c, the reading of whole tables in metrics-database-read.c; points are read through
 * connections of their own, metrics-rows.c.
 *
 * Once a page was met that cannot be right, nothing is written any more: what SQLite would take for free room
 * might be what is still whole. */

#define APPLICATION_ID METRICS_DATABASE_APPLICATION_ID
#define FORMAT_VERSION METRICS_DATABASE_FORMAT

/* Room that is free in the file is given back when it is more than the first of these, in pages, and more
 * than an eighth of the file, down to the second and a thirty-second, so that it does not go to and fro; and
 * so many pages in one transaction. */
#define MUCH_FREE 1024
#define LITTLE_FREE 256
#define SHRINK_STEP 256

/* The rows of a series lie apart and in order: of those that begin before a span only the last can reach into
 * it, and the first and the last row of a series are where it begins and ends. So the index tells all,
 * however long a series is. */
#define FIRST_OF_ALL "(SELECT first FROM chunk WHERE series = ?1 ORDER BY first LIMIT 1)"
#define LAST_OF_ALL "(SELECT last FROM chunk WHERE series = ?1 ORDER BY first DESC LIMIT 1)"
#define COUNT_OF_ALL "(SELECT coalesce (sum (n), 0) FROM chunk WHERE series = ?1)"

static const char *const statement_texts[METRICS_N_STATEMENTS] = {
  "BEGIN IMMEDIATE",
  "COMMIT",
  "SELECT first, last FROM chunk WHERE series = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
  "INSERT INTO log (id, checksum, data) VALUES (?1, ?2, ?3)",
  "DELETE FROM log WHERE id <= ?1",
  "DELETE FROM log",
  /* A key that another number has goes over to this one: the other's removal stands in the log. All chunks
     that the series has come from the log. */
  "INSERT OR REPLACE INTO series (id, key, n, first, last)"
  " VALUES (?1, ?2, " COUNT_OF_ALL ", " FIRST_OF_ALL ", " LAST_OF_ALL ")",
  "UPDATE series SET n = n + ?2, first = " FIRST_OF_ALL ", last = " LAST_OF_ALL " WHERE id = ?1",
  "DELETE FROM series WHERE id = ?1",
  "INSERT INTO chunk (series, first, last, n, checksum, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
  "DELETE FROM chunk WHERE series = ?1 AND first BETWEEN coalesce ((SELECT max (first) FROM chunk"
  " WHERE series = ?1 AND first <= ?2), ?2) AND ?3 AND last >= ?2 RETURNING n",
};

#define SCHEMA                                                                                               \
  "BEGIN IMMEDIATE;"                                                                                         \
  "CREATE TABLE series (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, n INTEGER NOT NULL,"               \
  " first INTEGER, last INTEGER);"                                                                           \
  "CREATE TABLE chunk (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, first INTEGER NOT NULL,"             \
  " last INTEGER NOT NULL, n INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL);"              \
  "CREATE INDEX chunk_series ON chunk (series, first, last, n);"                                             \
  "CREATE TABLE log (id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, data BLOB NOT NULL);"                \
  "PRAGMA application_id = " G_STRINGIFY (APPLICATION_ID) ";"                                                \
                                                          "PRAGMA user_version = " G_STRINGIFY (FORMAT_VERSION) ";"                            \
                                                                              "COMMIT"

static gboolean
is_out_of_space (int code, int system_errno)
{
  return code == SQLITE_FULL || (code == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT));
}

/**
 * metrics_database_fail:
 * @self: a database
 * @error: return location for a #GError
 *
 * For those that work with its handle: turns what SQLite says into an error. %G_IO_ERROR_NO_SPACE is told
 * apart, and so is damage: %G_IO_ERROR_INVALID_DATA.
 *
 * Returns: %FALSE
 */
gboolean
metrics_database_fail (MetricsDatabase *self, GError **error)
{
  int code = sqlite3_errcode (self->handle) & 0xff;
  gint error_code = G_IO_ERROR_FAILED;

  if (code == SQLITE_NOTADB)
    return metrics_source_refuse (self->path, error);
  if (code == SQLITE_CORRUPT)
    {
      metrics_database_set_damaged (self);
      error_code = G_IO_ERROR_INVALID_DATA;
    }
  else if (is_out_of_space (code, sqlite3_system_errno (self->handle)))
    error_code = G_IO_ERROR_NO_SPACE;
  /* In English, as SQLite says it: clients get to see it. */
  g_set_error_literal (error, G_IO_ERROR, error_code, sqlite3_errmsg (self->handle));
  return FALSE;
}

/**
 * metrics_database_check_damage:
 * @self: a database
 * @error: return location for a #GError
 *
 * Returns: whether it may be written to
 */
gboolean
metrics_database_check_damage (MetricsDatabase *self, GError **error)
{
  if (!metrics_database_is_damaged (self))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sqlite3_errstr (SQLITE_CORRUPT));
  return FALSE;
}

static gboolean
execute (MetricsDatabase *self, const char *text, GError **error)
{
  return sqlite3_exec (self->handle, text, NULL, NULL, NULL) == SQLITE_OK
         || metrics_database_fail (self, error);
}

static gboolean
read_number (MetricsDatabase *self, const char *text, gint64 *number, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean good = sqlite3_prepare_v2 (self->handle, text, -1, &statement, NULL) == SQLITE_OK
                  && sqlite3_step (statement) == SQLITE_ROW;

  if (good)
    *number = sqlite3_column_int64 (statement, 0);
  else
    metrics_database_fail (self, error);
  sqlite3_finalize (statement);
  return good;
}

/* Nothing is changed in a file before it is known to be one of ours. */
static gboolean
check_format (MetricsDatabase *self, gboolean *is_new, GError **error)
{
  gint64 application_id;
  gint64 version;
  gint64 n_objects;

  if (!read_number (self, "PRAGMA application_id", &application_id, error)
      || !read_number (self, "PRAGMA user_version", &version, error)
      || !read_number (self, "SELECT count (*) FROM sqlite_schema", &n_objects, error))
    return FALSE;
  *is_new = application_id == 0 && version == 0 && n_objects == 0;
  if (*is_new)
    return TRUE;
  if (application_id != APPLICATION_ID)
    return metrics_source_refuse (self->path, error);
  if (version != FORMAT_VERSION)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   _ ("'%s' is of a newer metricsd: its format is %" PRId64 ", known is %d"), self->path,
                   version, FORMAT_VERSION);
      return FALSE;
    }
  return TRUE;
}

static int
on_commit (gpointer user_data, sqlite3 *handle, const char *name, int n_frames)
{
  MetricsDatabase *self = user_data;

  self->n_frames = n_frames;
  self->wal_size = (guint64) n_frames * (self->page_size + METRICS_FRAME_HEADER);
  return SQLITE_OK;
}

static gboolean
choose_synchronous (MetricsDatabase *self, gboolean synchronous, GError **error)
{
  if (!execute (self, synchronous ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF", error))
    return FALSE;
  self->is_synchronous = synchronous;
  return TRUE;
}

static gboolean
set_up (MetricsDatabase *self, gboolean synchronous, GError **error)
{
  gboolean is_new;
  gint64 page_size;

  sqlite3_busy_timeout (self->handle, 10 * 1000);
  if (!check_format (self, &is_new, error)
      /* It can be chosen only as long as there is nothing in the file. */
      || (is_new && !execute (self, "PRAGMA auto_vacuum = INCREMENTAL", error))
      || !execute (self, "PRAGMA journal_mode = WAL", error)
      || !choose_synchronous (self, synchronous, error)
      /* Debian's default writes pages for no other reason than to have zeros in them. */
      || !execute (self, "PRAGMA secure_delete = FAST", error)
      || (is_new && (metrics_database_is_damaged (self) || !execute (self, SCHEMA, error)))
      || !read_number (self, "PRAGMA page_size", &page_size, error))
    return FALSE;
  self->page_size = page_size;
  metrics_written_begin (&self->file, self->handle, SQLITE_FCNTL_FILE_POINTER);
  metrics_written_begin (&self->wal, self->handle, SQLITE_FCNTL_JOURNAL_POINTER);
  /* Instead of SQLite's own moving, for which whoever waits for the commit would wait. */
  sqlite3_wal_hook (self->handle, on_commit, self);
  return TRUE;
}

/* A file that has been cut short SQLite opens only for who says that it is to be mended. */
static gboolean
set_up_somehow (MetricsDatabase *self, gboolean synchronous, GError **error)
{
  if (set_up (self, synchronous, error))
    return TRUE;
  if (!metrics_database_is_damaged (self))
    return FALSE;
  g_clear_error (error);
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
  return set_up (self, synchronous, error);
}

/**
 * metrics_database_open:
 * @path: a file; it is made where there is none
 * @synchronous: whether a commit waits for the disk
 * @error: return location for a #GError
 *
 * Opens a database. A file that something else has written, or a newer server, is left as it is.
 *
 * Returns: (transfer full) (nullable): it
 */
MetricsDatabase *
metrics_database_open (const char *path, gboolean synchronous, GError **error)
{
  g_autoptr (MetricsDatabase) self = g_new0 (MetricsDatabase, 1);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE;

  self->path = g_strdup (path);
  if (sqlite3_open_v2 (path, &self->handle, flags, NULL) != SQLITE_OK
      || !set_up_somehow (self, synchronous, error))
    {
      if (error != NULL && *error == NULL)
        metrics_database_fail (self, error);
      if (metrics_database_is_damaged (self))
        metrics_database_add_advice (error);
      if (error != NULL && strstr ((*error)->message, path) == NULL)
        g_prefix_error (error, "'%s': ", path);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/* What was moved into the file while nothing waited for the disk is not in the log any more. */
static gboolean
sync_file (MetricsDatabase *self, GError **error)
{
  sqlite3_file *file = NULL;

  if (sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK
      && file->pMethods != NULL && file->pMethods->xSync (file, SQLITE_SYNC_FULL) == SQLITE_OK)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot sync '%s'", self->path);
  return FALSE;
}

/**
 * metrics_database_set_synchronous:
 * @self: a database, not in a transaction
 * @synchronous: whether a commit waits for the disk from now on
 * @error: return location for a #GError
 *
 * Where it did not so far, what was written before is brought to the disk here and by the next commit.
 *
 * Returns: %FALSE where that failed; it is as it was then
 */
gboolean
metrics_database_set_synchronous (MetricsDatabase *self, gboolean synchronous, GError **error)
{
  if (G_LIKELY (synchronous == self->is_synchronous))
    return TRUE;
  return (!synchronous || sync_file (self, error)) && choose_synchronous (self, synchronous, error);
}

/**
 * metrics_database_close:
 * @self: (transfer full): a database
 *
 * Closes and frees it. What was committed is in the file then, as far as that can be written.
 */
void
metrics_database_close (MetricsDatabase *self)
{
  for (guint i = 0; i < METRICS_N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  if (metrics_database_is_damaged (self))
    sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_close (self->handle);
  g_free (self->path);
  g_free (self);
}

/**
 * metrics_database_prepare:
 * @self: a database
 * @which: a statement
 * @error: return location for a #GError
 *
 * Returns: (transfer none) (nullable): the statement, ready for its values
 */
sqlite3_stmt *
metrics_database_prepare (MetricsDatabase *self, MetricsStatement which, GError **error)
{
  sqlite3_stmt **statement = &self->statements[which];

  if (*statement == NULL
      && sqlite3_prepare_v3 (self->handle, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                             NULL)
             != SQLITE_OK)
    metrics_database_fail (self, error);
  return *statement;
}

/**
 * metrics_database_run:
 * @self: a database
 * @statement: (nullable): a statement with its values; %NULL where it could not be prepared
 * @error: return location for a #GError
 *
 * Runs a statement that gives no rows.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_run (MetricsDatabase *self, sqlite3_stmt *statement, GError **error)
{
  gboolean good;

  if (statement == NULL)
    return FALSE;
  good = sqlite3_step (statement) == SQLITE_DONE || metrics_database_fail (self, error);
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return good;
}

/**
 * metrics_database_bind:
 * @statement: a statement
 * @column: which of its values
 * @bytes: becomes that, until the statement has run
 *
 * Binds a blob.
 */
void
metrics_database_bind (sqlite3_stmt *statement, int column, GBytes *bytes)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  /* Of no bytes, a blob and not NULL. */
  sqlite3_bind_blob64 (statement, column, data != NULL ? data : "", size, SQLITE_STATIC);
}

/**
 * metrics_database_bind_checksum:
 * @statement: a statement
 * @column: which of its values
 * @bytes: the checksum of these becomes that
 *
 * Binds a checksum.
 */
void
metrics_database_bind_checksum (sqlite3_stmt *statement, int column, GBytes *bytes)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  sqlite3_bind_int64 (statement, column, metrics_log_checksum (data, size));
}

/* What is written to a file that has no name any more is gone with the process, and nobody would know. */
static gboolean
check_place (MetricsDatabase *self, GError **error)
{
  int has_moved = 0;

  sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  if (!has_moved)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the file was moved or deleted");
  return FALSE;
}

/**
 * metrics_database_begin:
 * @self: a database
 * @error: return location for a #GError
 *
 * Begins a transaction.
 *
 * Returns: %FALSE on errors, where the file is damaged, and where it is no longer in its place
 */
gboolean
metrics_database_begin (MetricsDatabase *self, GError **error)
{
  return metrics_database_check_damage (self, error) && check_place (self, error)
         && metrics_database_run (self, metrics_database_prepare (self, METRICS_STATEMENT_BEGIN, error),
                                  error);
}

/**
 * metrics_database_begin_reading:
 * @self: a database without a transaction
 * @error: return location for a #GError
 *
 * Begins a transaction in which nothing is written; metrics_database_rollback() ends it.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_begin_reading (MetricsDatabase *self, GError **error)
{
  return execute (self, "BEGIN", error);
}

/**
 * metrics_database_commit:
 * @self: a database
 * @error: return location for a #GError
 *
 * Ends a transaction. On an error it may still be under way: metrics_database_rollback() ends it.
 *
 * Returns: whether all of it is where it lasts
 */
gboolean
metrics_database_commit (MetricsDatabase *self, GError **error)
{
  return metrics_database_run (self, metrics_database_prepare (self, METRICS_STATEMENT_COMMIT, error), error);
}

/**
 * metrics_database_rollback:
 * @self: a database
 *
 * Undoes the transaction, where there is one: SQLite undoes it by itself on some errors.
 */
void
metrics_database_rollback (MetricsDatabase *self)
{
  if (!sqlite3_get_autocommit (self->handle))
    sqlite3_exec (self->handle, "ROLLBACK", NULL, NULL, NULL);
}

/**
 * metrics_database_shrink:
 * @self: a database without a transaction
 * @is_done: (out): whether there is nothing more to do
 * @error: return location for a #GError
 *
 * Gives some of what is free in the file back to the file system, where much is; metrics_database_flush()
 * has to follow, which makes the file smaller.
 *
 * Returns: %FALSE on errors; nothing is lost by them
 */
gboolean
metrics_database_shrink (MetricsDatabase *self, gboolean *is_done, GError **error)
{
  gint64 n_free;
  gint64 n_pages;

  *is_done = TRUE;
  /* For that too the write-ahead log has to be moved. */
  if (self->stuck)
    return TRUE;
  if (!metrics_database_check_damage (self, error)
      || !read_number (self, "PRAGMA freelist_count", &n_free, error)
      || !read_number (self, "PRAGMA page_count", &n_pages, error))
    return FALSE;
  if (n_free <= (self->shrinking ? MAX (LITTLE_FREE, n_pages / 32) : MAX (MUCH_FREE, n_pages / 8)))
    {
      self->flush_due = self->flush_due || self->shrinking;
      self->shrinking = FALSE;
      return TRUE;
    }
  if (!execute (self, "PRAGMA incremental_vacuum (" G_STRINGIFY (SHRINK_STEP) ")", error))
    return FALSE;
  self->shrinking = TRUE;
  *is_done = FALSE;
  return TRUE;
}

/**
 * metrics_database_insert_log:
 * @self: a database
 * @id: the number of the row
 * @data: a packed batch
 * @error: return location for a #GError
 *
 * Adds a row to the log.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_insert_log (MetricsDatabase *self, guint64 id, GBytes *data, GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_INSERT_LOG, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  metrics_database_bind_checksum (statement, 2, data);
  metrics_database_bind (statement, 3, data);
  return metrics_database_run (self, statement, error);
}

/**
 * metrics_database_delete_log:
 * @self: a database
 * @last: the number of a row
 * @error: return location for a #GError
 *
 * Deletes the rows of the log up to one. Where there are no others all go at once, which does not touch the
 * pages that they are in: one by one, each of these is written once more before it is free.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_delete_log (MetricsDatabase *self, guint64 last, GError **error)
{
  sqlite3_stmt *statement;
  gint64 newest;

  if (!read_number (self, "SELECT max (id) FROM log", &newest, error))
    return FALSE;
  if (newest <= (gint64) last)
    return metrics_database_run (self, metrics_database_prepare (self, METRICS_STATEMENT_CLEAR_LOG, error),
                                 error);

  statement = metrics_database_prepare (self, METRICS_STATEMENT_DELETE_LOG, error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, last);
  return metrics_database_run (self, statement, error);
}

/**
 * metrics_database_get_wal_size:
 * @self: a database
 *
 * Returns: how many bytes the write-ahead log had at the last commit
 */
guint64
metrics_database_get_wal_size (MetricsDatabase *self)
{
  return self->wal_size;
}

/**
 * metrics_database_get_bytes_written:
 * @self: a database
 *
 * Returns: how many bytes SQLite has written to files since the database was opened
 */
guint64
metrics_database_get_bytes_written (MetricsDatabase *self)
{
  return self->file.n_bytes + self->wal.n_bytes;
}
