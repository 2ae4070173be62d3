/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-forecast.h"

#include "common/metrics-key.h"
#include "storage/metrics-log.h"
#include "store/metrics-chunk.h"

#include <glib/gi18n.h>
#include <sqlite3.h>

/* What retention would delete, as the file says, be there a server that writes it or not: nothing is changed.
 *
 * Whole chunks are counted as their rows say, and of the one that is cut the points are looked at. What is in
 * the log only, which is what came in the last minutes, is counted as it stands there: each put that is too
 * old is a point, though it may only have changed one, and deletions do not count. After a stop of the server
 * there is no log. */

#define APPLICATION_ID 0x4d545244
#define FORMAT_VERSION 1
#define BUSY_MSEC (10 * 1000)

typedef enum
{
  STATEMENT_SERIES,
  STATEMENT_WHOLE,
  STATEMENT_EDGE,
  STATEMENT_LOG,
  N_STATEMENTS,
} Statement;

static const char *const statement_texts[N_STATEMENTS] = {
  "SELECT id, key FROM series ORDER BY id",
  "SELECT total (n), total (length (data)) FROM chunk WHERE series = ?1 AND first < ?2 AND last < ?2",
  "SELECT data, checksum FROM chunk WHERE series = ?1 AND first < ?2 AND last >= ?2",
  "SELECT data, checksum FROM log ORDER BY id",
};

/* What is known of a series. */
typedef struct
{
  guint rule;
  gint64 cutoff;
  gboolean shortened;
} Series;

typedef struct
{
  char *path; /* (owned) */
  const MetricsRetention *retention;
  gint64 now;
  sqlite3 *handle;                        /* (owned) (nullable) */
  sqlite3_stmt *statements[N_STATEMENTS]; /* (owned) (nullable) */
  GHashTable *series;                     /* (owned) (element-type guint64 Series) */
  GArray *forecasts;                      /* (owned) (element-type MetricsForecast) */
} Reading;

static void
reading_clear (Reading *self)
{
  for (guint i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->handle);
  g_hash_table_unref (self->series);
  g_clear_pointer (&self->forecasts, g_array_unref);
  g_free (self->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

static gboolean
fail (Reading *self, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s': %s", self->path, sqlite3_errmsg (self->handle));
  return FALSE;
}

static gint64
read_number (Reading *self, const char *text)
{
  sqlite3_stmt *statement = NULL;
  gint64 number = -1;

  if (sqlite3_prepare_v2 (self->handle, text, -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    number = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return number;
}

static gboolean
check_format (Reading *self, GError **error)
{
  gint64 version;

  if (read_number (self, "PRAGMA application_id") != APPLICATION_ID)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("'%s' is not a file of metricsd"),
                   self->path);
      return FALSE;
    }
  version = read_number (self, "PRAGMA user_version");
  if (version <= FORMAT_VERSION)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("'%s' is of a newer metricsd: its format is %" G_GINT64_FORMAT ", known is %d"), self->path,
               version, FORMAT_VERSION);
  return FALSE;
}

/* All that is read is of one moment. */
static gboolean
open_database (Reading *self, GError **error)
{
  if (sqlite3_open_v2 (self->path, &self->handle, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
    return fail (self, error);
  sqlite3_busy_timeout (self->handle, BUSY_MSEC);
  if (!check_format (self, error))
    return FALSE;
  if (sqlite3_exec (self->handle, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
    return fail (self, error);
  for (guint i = 0; i < N_STATEMENTS; i++)
    if (sqlite3_prepare_v2 (self->handle, statement_texts[i], -1, &self->statements[i], NULL) != SQLITE_OK)
      return fail (self, error);
  return TRUE;
}

static void
add_series (Reading *self, guint64 id, const char *key, gsize key_len)
{
  const MetricsRules *rules = metrics_retention_get_rules (self->retention);
  Series *series;
  guint64 *name;

  /* What is rolled up is kept by other rules. */
  if (metrics_key_is_hidden (key, key_len))
    return;
  series = g_new0 (Series, 1);
  name = g_new (guint64, 1);
  *name = id;
  series->rule = metrics_rules_find (rules, key, key_len);
  series->cutoff = metrics_retention_get_cutoff (self->retention, series->rule, self->now);
  g_array_index (self->forecasts, MetricsForecast, series->rule).n_series++;
  g_hash_table_insert (self->series, name, series);
}

static gboolean
read_series (Reading *self, GError **error)
{
  sqlite3_stmt *statement = self->statements[STATEMENT_SERIES];
  int result;

  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    add_series (self, sqlite3_column_int64 (statement, 0), sqlite3_column_blob (statement, 1),
                sqlite3_column_bytes (statement, 1));
  return result == SQLITE_DONE || fail (self, error);
}

static void
count (Reading *self, Series *series, guint64 n_points, guint64 n_bytes)
{
  MetricsForecast *forecast = &g_array_index (self->forecasts, MetricsForecast, series->rule);

  if (n_points == 0)
    return;
  forecast->n_points += n_points;
  forecast->n_bytes += n_bytes;
  forecast->n_shortened += !series->shortened;
  series->shortened = TRUE;
}

/* A chunk of which a part is too old. One that is damaged is left out, as the server does. */
static void
count_edge (Reading *self, Series *series, sqlite3_stmt *row)
{
  const guint8 *data = sqlite3_column_blob (row, 0);
  gsize size = sqlite3_column_bytes (row, 0);
  MetricsChunk *chunk;
  guint64 n;

  if (sqlite3_column_int64 (row, 1) != metrics_log_checksum (data, size))
    return;
  chunk = metrics_chunk_load (data, size);
  if (chunk == NULL)
    return;
  n = metrics_chunk_find (chunk, series->cutoff);
  count (self, series, n, (double) size * n / metrics_chunk_get_n_points (chunk));
  metrics_chunk_unref (chunk);
}

static gboolean
read_chunks (Reading *self, guint64 id, Series *series, GError **error)
{
  sqlite3_stmt *whole = self->statements[STATEMENT_WHOLE];
  sqlite3_stmt *edge = self->statements[STATEMENT_EDGE];
  int result = SQLITE_ERROR;

  for (guint i = STATEMENT_WHOLE; i <= STATEMENT_EDGE; i++)
    {
      sqlite3_bind_int64 (self->statements[i], 1, id);
      sqlite3_bind_int64 (self->statements[i], 2, series->cutoff);
    }
  if (sqlite3_step (whole) == SQLITE_ROW)
    {
      count (self, series, sqlite3_column_double (whole, 0), sqlite3_column_double (whole, 1));
      while ((result = sqlite3_step (edge)) == SQLITE_ROW)
        count_edge (self, series, edge);
    }
  if (result != SQLITE_DONE)
    return fail (self, error);
  sqlite3_reset (whole);
  sqlite3_reset (edge);
  return TRUE;
}

static gboolean
read_all_chunks (Reading *self, GError **error)
{
  GHashTableIter iter;
  gpointer id, series;

  g_hash_table_iter_init (&iter, self->series);
  while (g_hash_table_iter_next (&iter, &id, &series))
    if (((Series *) series)->cutoff > G_MININT64 && !read_chunks (self, *(guint64 *) id, series, error))
      return FALSE;
  return TRUE;
}

static void
read_changes (Reading *self, GBytes *changes)
{
  MetricsLogReader reader;
  MetricsLogChange change;

  metrics_log_reader_init (&reader, g_bytes_get_data (changes, NULL), g_bytes_get_size (changes));
  while (metrics_log_reader_next (&reader, &change))
    {
      Series *series = g_hash_table_lookup (self->series, &change.id);

      if (change.kind == METRICS_LOG_BEGIN && series == NULL)
        add_series (self, change.id, change.key, change.key_len);
      else if (change.kind == METRICS_LOG_PUT && series != NULL && change.point.time < series->cutoff)
        count (self, series, 1, 0);
    }
}

static gboolean
read_log (Reading *self, GError **error)
{
  sqlite3_stmt *row = self->statements[STATEMENT_LOG];
  int result;

  while ((result = sqlite3_step (row)) == SQLITE_ROW)
    {
      const guint8 *data = sqlite3_column_blob (row, 0);
      gsize size = sqlite3_column_bytes (row, 0);
      g_autoptr (GBytes) changes = sqlite3_column_int64 (row, 1) == metrics_log_checksum (data, size)
                                       ? metrics_log_unpack (data, size)
                                       : NULL;

      if (changes != NULL)
        read_changes (self, changes);
    }
  return result == SQLITE_DONE || fail (self, error);
}

/**
 * metrics_forecast_read:
 * @folder: (type filename): where a server keeps its points
 * @retention: rules
 * @now: the time now, in seconds since the Unix epoch
 * @error: return location for a #GError
 *
 * Looks what rules would delete of what is stored. A server may have the folder.
 *
 * Returns: (transfer full) (nullable) (element-type MetricsForecast): one for each rule, and one more for
 *   what none of them matches
 */
GArray *
metrics_forecast_read (const char *folder, const MetricsRetention *retention, gint64 now, GError **error)
{
  guint n_rules = metrics_rules_get_n_rules (metrics_retention_get_rules (retention));
  g_auto (Reading) self = { .retention = retention, .now = now };

  self.path = g_build_filename (folder, "metricsd.db", NULL);
  self.series = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self.forecasts = g_array_new (FALSE, TRUE, sizeof (MetricsForecast));
  g_array_set_size (self.forecasts, n_rules + 1);
  if (!open_database (&self, error) || !read_series (&self, error) || !read_all_chunks (&self, error)
      || !read_log (&self, error))
    return NULL;
  return g_steal_pointer (&self.forecasts);
}
