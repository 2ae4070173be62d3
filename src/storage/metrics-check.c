/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-check.h"

#include "common/metrics-key.h"
#include "storage/metrics-damage.h"
#include "storage/metrics-source.h"
#include "storage/metrics-whole.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* Reads all that a database has, as of one moment, and says what is not as README.md of this room has it. */

/* How many instructions of SQLite's machine there are between two looks at whether to go on. */
#define INSTRUCTIONS 100000

typedef struct
{
  const MetricsWatch *watch; /* (unowned) */
  MetricsCheckFigures *figures;
  sqlite3 *handle; /* (unowned) */
  GHashTable
      *known; /* (owned) (element-type gint64): the series in their table, and those that begin in the log */
  guint64 total;      /* how many chunks there are, as far as that can be told */
  gint64 last_series; /* of the chunk before, in the order of series and times */
  gint64 last_time;   /* as well */
  gboolean interrupted;
} Check;

typedef void (*RowFunc) (Check *self, sqlite3_stmt *row);

static void G_GNUC_PRINTF (2, 3) find (Check *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->figures->n_findings++;
  self->watch->report (text, self->watch->user_data);
}

static void
find_row (Check *self, const char *table, sqlite3_stmt *row, const char *what)
{
  /* Translators: a table, the number of a row, and what is wrong with it: 'its key is not valid' */
  find (self, _ ("table '%s', row %" PRId64 ": %s"), table, (gint64) sqlite3_column_int64 (row, 0), what);
}

static int
on_instructions (gpointer user_data)
{
  Check *self = user_data;

  self->interrupted
      = self->interrupted
        || !self->watch->progress (self->figures->n_chunks, self->total, self->watch->user_data);
  return self->interrupted;
}

/* Goes through what a statement gives; where that ends before its end is said. */
static void
each_row (Check *self, const char *table, const char *text, RowFunc func)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (self->handle, text, -1, &statement, NULL);

  if (code == SQLITE_OK)
    while ((code = sqlite3_step (statement)) == SQLITE_ROW)
      func (self, statement);
  if (code != SQLITE_DONE && !self->interrupted)
    find (self, _ ("table '%s' cannot be read to its end: %s"), table, sqlite3_errmsg (self->handle));
  sqlite3_finalize (statement);
}

static void
on_integrity (Check *self, sqlite3_stmt *row)
{
  const char *text = (const char *) sqlite3_column_text (row, 0);

  if (g_strcmp0 (text, "ok") != 0)
    find (self, "%s", text != NULL ? text : "");
}

static void
add_known (Check *self, gint64 id)
{
  gint64 *key = g_new (gint64, 1);

  *key = id;
  g_hash_table_add (self->known, key);
}

static void
on_series (Check *self, sqlite3_stmt *row)
{
  gint64 id = sqlite3_column_int64 (row, 0);
  const char *key = sqlite3_column_blob (row, 1);
  gsize key_len = sqlite3_column_bytes (row, 1);
  gboolean is_storable = metrics_key_is_storable (key, key_len);

  if (is_storable && metrics_key_is_hidden (key, key_len))
    self->figures->n_rollup_series++;
  else
    self->figures->n_series++;
  add_known (self, id);
  if (id <= 0)
    find_row (self, "series", row, _ ("its number is not valid"));
  if (!is_storable)
    find_row (self, "series", row, _ ("its key is not valid"));
}

static void
on_change (const MetricsLogChange *change, gpointer user_data)
{
  Check *self = user_data;

  self->figures->n_changes++;
  if (change->kind == METRICS_LOG_BEGIN)
    add_known (self, change->id);
}

static void
on_log (Check *self, sqlite3_stmt *row)
{
  const guint8 *data = sqlite3_column_blob (row, 2);
  gsize size = sqlite3_column_bytes (row, 2);

  self->figures->n_logs++;
  if (sqlite3_column_int64 (row, 1) != metrics_log_checksum (data, size))
    find_row (self, "log", row, _ ("its checksum is wrong"));
  else if (!metrics_whole_log (data, size, on_change, self))
    find_row (self, "log", row, _ ("its changes cannot be read"));
}

static void
on_chunk (Check *self, sqlite3_stmt *row)
{
  const guint8 *data = sqlite3_column_blob (row, 6);
  gsize size = sqlite3_column_bytes (row, 6);
  gint64 series = sqlite3_column_int64 (row, 1);
  MetricsSpan span;

  self->figures->n_chunks++;
  if (!g_hash_table_contains (self->known, &series))
    find_row (self, "chunk", row, _ ("there is no such series"));
  if (sqlite3_column_int64 (row, 5) != metrics_log_checksum (data, size))
    find_row (self, "chunk", row, _ ("its checksum is wrong"));
  else if (!metrics_whole_chunk (data, size, &span))
    find_row (self, "chunk", row, _ ("its points cannot be read"));
  else
    {
      self->figures->n_points += span.n_points;
      if (sqlite3_column_int64 (row, 2) != span.first || sqlite3_column_int64 (row, 3) != span.last
          || (guint64) sqlite3_column_int64 (row, 4) != span.n_points)
        find_row (self, "chunk", row, _ ("it does not hold what it says"));
    }
}

static void
on_span (Check *self, sqlite3_stmt *row)
{
  gint64 series = sqlite3_column_int64 (row, 1);
  gint64 last = sqlite3_column_int64 (row, 3);

  if (series == self->last_series && sqlite3_column_int64 (row, 2) <= self->last_time)
    find_row (self, "chunk", row, _ ("it overlaps the one before"));
  self->last_time = series == self->last_series ? MAX (self->last_time, last) : last;
  self->last_series = series;
}

static void
on_total (Check *self, sqlite3_stmt *row)
{
  self->total = sqlite3_column_int64 (row, 0);
}

/* SQLite takes the damage for the end, and says nothing. */
static void
check_wal (Check *self, const char *path)
{
  MetricsWalDamage damage;
  g_autofree char *text = NULL;

  if (!metrics_wal_find_damage (path, &damage))
    return;
  text = metrics_damage_describe_wal (path, &damage);
  find (self, "%s", text);
}

/* Each part on its own: what is wrong with one does not keep the others from being read. */
static void
read_all (Check *self)
{
  each_row (self, "chunk", "SELECT count (*) FROM chunk", on_total);
  each_row (self, "series", "SELECT id, key FROM series ORDER BY id", on_series);
  each_row (self, "log", "SELECT id, checksum, data FROM log ORDER BY id", on_log);
  each_row (self, "chunk", "SELECT id, series, first, last, n, checksum, data FROM chunk ORDER BY id",
            on_chunk);
  each_row (self, "chunk", "SELECT id, series, first, last FROM chunk ORDER BY series, first", on_span);
  each_row (self, "sqlite_schema", "PRAGMA integrity_check", on_integrity);
}

/**
 * metrics_check_read:
 * @folder: (type filename): where a server keeps its points, whether it runs or not
 * @watch: whom to tell
 * @figures: (out caller-allocates): what there is
 * @error: return location for a #GError
 *
 * Reads all of a database and tells what is wrong with it.
 *
 * Returns: %FALSE where it cannot be read at all, or was told not to go on
 */
gboolean
metrics_check_read (const char *folder,
                    const MetricsWatch *watch,
                    MetricsCheckFigures *figures,
                    GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (sqlite3) handle = NULL;
  Check self = { .watch = watch, .figures = figures };

  g_return_val_if_fail (folder != NULL, FALSE);
  g_return_val_if_fail (watch != NULL && watch->report != NULL, FALSE);

  *figures = (MetricsCheckFigures){ 0 };
  handle = metrics_source_open (folder, error);
  if (handle == NULL)
    return FALSE;
  self.handle = handle;
  self.known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  sqlite3_progress_handler (handle, INSTRUCTIONS, on_instructions, &self);
  path = metrics_source_build_path (folder);
  check_wal (&self, path);
  read_all (&self);
  g_hash_table_unref (self.known);
  if (self.interrupted)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("interrupted"));
  return !self.interrupted;
}
