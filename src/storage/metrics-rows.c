/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-rows.h"

#include "storage/metrics-log.h"

#include <gio/gio.h>
#include <sqlite3.h>

/* A connection that reads chunks, and nothing else. Used by one thread at a time.
 *
 * The index of the chunks tells where they are and what they hold; each is then fetched by its number. So a
 * page that cannot be right costs the chunks that are on it, and not those behind. */

/* How much a connection may hold of the file, in KiB: what is read once is seldom read again soon, and there
 * are several of them. */
#define CACHE_SIZE "64"

/* How many bytes of chunks one answer has, about. */
#define MAX_ANSWER (256 << 10)

/* A medium may have hiccups: what fails is tried once more. */
#define N_ATTEMPTS 2

typedef enum
{
  STATEMENT_BEGIN,
  STATEMENT_LOOK,
  STATEMENT_END,
  STATEMENT_FIND_LAST,
  STATEMENT_LIST,
  STATEMENT_FETCH,
  STATEMENT_COUNT,
  N_STATEMENTS,
} Statement;

static const char *const statement_texts[N_STATEMENTS] = {
  "BEGIN",
  /* Only what reads decides which instant it is that is seen. */
  "SELECT 1 FROM sqlite_schema",
  "COMMIT",
  "SELECT first, last FROM chunk WHERE series = ?1 AND first BETWEEN ?2 AND ?3 ORDER BY first DESC LIMIT 1",
  "SELECT id, first, last, n FROM chunk WHERE series = ?1 AND first BETWEEN ?2 AND ?3 ORDER BY first",
  "SELECT checksum, data FROM chunk WHERE id = ?1",
  "SELECT coalesce (sum (n), 0) FROM chunk WHERE series = ?1 AND first BETWEEN ?2 AND ?3",
};

struct _MetricsRows
{
  sqlite3 *handle;                        /* (owned) */
  sqlite3_stmt *statements[N_STATEMENTS]; /* (owned) */
};

static gboolean
is_corrupt (int result)
{
  return (result & 0xff) == SQLITE_CORRUPT;
}

/* Damage is told apart. */
static gboolean
fail (MetricsRows *self, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR,
                       is_corrupt (sqlite3_errcode (self->handle)) ? G_IO_ERROR_INVALID_DATA
                                                                   : G_IO_ERROR_FAILED,
                       sqlite3_errmsg (self->handle));
  return FALSE;
}

static gboolean
set_up (MetricsRows *self, GError **error)
{
  sqlite3_busy_timeout (self->handle, 1000);
  /* A file that has been cut short SQLite reads only for who says that it is to be mended. */
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
  if (sqlite3_exec (self->handle, "PRAGMA cache_size = -" CACHE_SIZE "; PRAGMA mmap_size = 0", NULL, NULL,
                    NULL)
      != SQLITE_OK)
    return fail (self, error);
  for (guint i = 0; i < N_STATEMENTS; i++)
    if (sqlite3_prepare_v3 (self->handle, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                            &self->statements[i], NULL)
        != SQLITE_OK)
      return fail (self, error);
  return TRUE;
}

/**
 * metrics_rows_open:
 * @path: a database that metrics_database_open() has open
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable): a connection that reads it
 */
MetricsRows *
metrics_rows_open (const char *path, GError **error)
{
  g_autoptr (MetricsRows) self = g_new0 (MetricsRows, 1);

  if (sqlite3_open_v2 (path, &self->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
    {
      fail (self, error);
      return NULL;
    }
  return set_up (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * metrics_rows_close:
 * @self: (transfer full): a connection
 *
 * Closes and frees it.
 */
void
metrics_rows_close (MetricsRows *self)
{
  for (guint i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->handle);
  g_free (self);
}

static gboolean
run (MetricsRows *self, Statement which)
{
  int result = sqlite3_step (self->statements[which]);

  sqlite3_reset (self->statements[which]);
  return result == SQLITE_DONE || result == SQLITE_ROW;
}

/**
 * metrics_rows_begin:
 * @self: a connection
 * @error: return location for a #GError
 *
 * From now on until metrics_rows_end() it reads what there is now.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_rows_begin (MetricsRows *self, GError **error)
{
  for (guint i = 0; i < N_ATTEMPTS; i++)
    {
      if (run (self, STATEMENT_BEGIN) && run (self, STATEMENT_LOOK))
        return TRUE;
      if (i == N_ATTEMPTS - 1)
        fail (self, error);
      metrics_rows_end (self);
    }
  return FALSE;
}

/**
 * metrics_rows_end:
 * @self: a connection
 *
 * Ends what metrics_rows_begin() began.
 */
void
metrics_rows_end (MetricsRows *self)
{
  if (!sqlite3_get_autocommit (self->handle))
    run (self, STATEMENT_END);
}

static sqlite3_stmt *
bind_span (MetricsRows *self, Statement which, guint64 series, gint64 first, gint64 last)
{
  sqlite3_stmt *statement = self->statements[which];

  sqlite3_bind_int64 (statement, 1, series);
  sqlite3_bind_int64 (statement, 2, first);
  sqlite3_bind_int64 (statement, 3, last);
  return statement;
}

/* The last row that begins in a span. */
static gboolean
find_last (MetricsRows *self,
           const MetricsChunkRequest *request,
           gint64 time,
           gint64 *first,
           gint64 *last,
           gboolean *found)
{
  sqlite3_stmt *statement
      = bind_span (self, STATEMENT_FIND_LAST, request->id, request->first, MIN (time, request->last));
  int result = sqlite3_step (statement);

  *found = result == SQLITE_ROW;
  if (*found)
    {
      *first = sqlite3_column_int64 (statement, 0);
      *last = sqlite3_column_int64 (statement, 1);
    }
  sqlite3_reset (statement);
  return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* With which row an answer begins: the first that begins then or later. */
static gboolean
find_start (MetricsRows *self, const MetricsChunkRequest *request, gint64 *start)
{
  gint64 first;
  gint64 last;
  gboolean found;

  *start = MAX (request->from, request->first);
  if (request->before && request->from > request->first)
    {
      if (!find_last (self, request, request->from - 1, &first, &last, &found))
        return FALSE;
      if (found)
        *start = first;
      return TRUE;
    }
  if (!find_last (self, request, *start, &first, &last, &found))
    return FALSE;
  if (found && last >= *start)
    *start = first;
  return TRUE;
}

/* Loads a chunk. Returns: a result of SQLite; *chunk is %NULL where it is damaged. */
static int
fetch (MetricsRows *self, guint64 id, MetricsChunk **chunk, gsize *size)
{
  sqlite3_stmt *statement = self->statements[STATEMENT_FETCH];
  int result;

  *chunk = NULL;
  *size = 0;
  sqlite3_bind_int64 (statement, 1, id);
  result = sqlite3_step (statement);
  if (result == SQLITE_ROW)
    {
      const guint8 *data = sqlite3_column_blob (statement, 1);

      *size = sqlite3_column_bytes (statement, 1);
      if (data != NULL && sqlite3_column_int64 (statement, 0) == metrics_log_checksum (data, *size))
        *chunk = metrics_chunk_load (data, *size);
    }
  sqlite3_reset (statement);
  /* There is none: the index is damaged, or the table. */
  return result == SQLITE_DONE ? SQLITE_CORRUPT : result;
}

static gboolean
is_of_row (const MetricsChunk *chunk, const MetricsDamagedRow *row, guint64 n_points)
{
  return metrics_chunk_get_first_time (chunk) == row->first
         && metrics_chunk_get_last_time (chunk) == row->last
         && metrics_chunk_get_n_points (chunk) == n_points;
}

/* Takes a row into an answer. Returns: whether that could be read, or is damaged for good. */
static gboolean
take_row (MetricsRows *self,
          MetricsDamagedRow *row,
          guint64 n_points,
          MetricsChunkAnswer *answer,
          GArray *damaged,
          gsize *n_bytes)
{
  MetricsChunk *chunk;
  gsize size;
  int result = fetch (self, row->id, &chunk, &size);

  row->on_page = is_corrupt (result);
  if (result != SQLITE_ROW && !row->on_page)
    return FALSE;
  *n_bytes += size;
  if (chunk != NULL && is_of_row (chunk, row, n_points))
    {
      g_ptr_array_add (answer->chunks, chunk);
      return TRUE;
    }
  if (chunk != NULL)
    metrics_chunk_unref (chunk);
  answer->n_damaged += n_points;
  g_array_append_val (damaged, *row);
  return TRUE;
}

/* Goes through the rows from one on. *edge becomes the time with which the first of them begins, if there is
 * one that was looked at. */
static gboolean
read_rows (MetricsRows *self,
           const MetricsChunkRequest *request,
           gint64 start,
           gint64 *edge,
           MetricsChunkAnswer *answer,
           GArray *damaged)
{
  sqlite3_stmt *statement = bind_span (self, STATEMENT_LIST, request->id, start, request->last);
  gint64 limit = request->before && request->from > request->first ? MAX (request->to, request->from - 1)
                                                                   : request->to;
  gboolean is_first = TRUE;
  gsize n_bytes = 0;
  int result;

  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    {
      MetricsDamagedRow row = {
        .id = sqlite3_column_int64 (statement, 0),
        .series = request->id,
        .first = sqlite3_column_int64 (statement, 1),
        .last = sqlite3_column_int64 (statement, 2),
      };

      if (row.first > limit || answer->chunks->len >= request->max_chunks || n_bytes >= MAX_ANSWER)
        {
          answer->has_next = TRUE;
          answer->next_first = row.first;
          result = SQLITE_DONE;
          break;
        }
      if (is_first)
        *edge = row.first;
      is_first = FALSE;
      if (!take_row (self, &row, sqlite3_column_int64 (statement, 3), answer, damaged, &n_bytes))
        break;
    }
  sqlite3_reset (statement);
  return result == SQLITE_DONE;
}

/* Tells what lies before the first of the rows. */
static gboolean
count_left (MetricsRows *self, const MetricsChunkRequest *request, gint64 edge, MetricsChunkAnswer *answer)
{
  sqlite3_stmt *statement;
  gint64 first;
  gboolean found;
  gboolean good;

  if (edge <= request->first)
    return TRUE;
  if (!find_last (self, request, edge - 1, &first, &answer->last_left, &found))
    return FALSE;
  if (!found)
    return TRUE;
  statement = bind_span (self, STATEMENT_COUNT, request->id, request->first, first);
  good = sqlite3_step (statement) == SQLITE_ROW;
  if (good)
    answer->n_left = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return good;
}

static gboolean
try_read (MetricsRows *self, const MetricsChunkRequest *request, MetricsChunkAnswer *answer, GArray *damaged)
{
  gint64 start;
  gint64 edge = MAX (request->from, request->first);

  return find_start (self, request, &start) && read_rows (self, request, start, &edge, answer, damaged)
         && (!request->count || count_left (self, request, edge, answer));
}

/**
 * metrics_rows_read:
 * @self: a connection between metrics_rows_begin() and metrics_rows_end()
 * @request: what is wanted
 * @answer: (out caller-allocates): it; to be cleared, but where this fails
 * @damaged: (element-type MetricsDamagedRow): rows that were left out are added to it
 * @error: return location for a #GError
 *
 * Reads chunks.
 *
 * Returns: %FALSE where they cannot be read: with %G_IO_ERROR_INVALID_DATA where the index is damaged
 */
gboolean
metrics_rows_read (MetricsRows *self,
                   const MetricsChunkRequest *request,
                   MetricsChunkAnswer *answer,
                   GArray *damaged,
                   GError **error)
{
  for (guint i = 0; i < N_ATTEMPTS; i++)
    {
      guint n_damaged = damaged->len;

      *answer = (MetricsChunkAnswer){ .chunks = g_ptr_array_new () };
      if (try_read (self, request, answer, damaged))
        return TRUE;
      metrics_chunk_answer_clear (answer);
      g_array_set_size (damaged, n_damaged);
      /* What is read then would be of another instant. */
      if (sqlite3_get_autocommit (self->handle))
        break;
    }
  return fail (self, error);
}
