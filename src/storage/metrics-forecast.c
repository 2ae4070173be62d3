/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-forecast.h"

#include "common/metrics-key.h"
#include "storage/metrics-log.h"
#include "storage/metrics-source.h"
#include "store/metrics-chunk.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <sqlite3.h>

/* What retention would delete, as the file says, be there a server that writes it or not: nothing is changed.
 *
 * The log is read first, for what it says is newer than the chunks: of a series, which spans were removed,
 * and which points that are too old were put and not removed again. Where it says nothing of a series, whole
 * chunks are counted as their rows say, and of the one that is cut the points are looked at. Elsewhere each
 * chunk is looked at: what the log removes does not count, and what it puts counts once, though the chunk may
 * have it too. */

#define APPLICATION_ID 0x4d545244
#define FORMAT_VERSION 1
#define BUSY_MSEC (10 * 1000)

typedef enum
{
  STATEMENT_SERIES,
  STATEMENT_WHOLE,
  STATEMENT_EDGE,
  STATEMENT_CHANGED,
  STATEMENT_LOG,
  N_STATEMENTS,
} Statement;

static const char *const statement_texts[N_STATEMENTS] = {
  "SELECT id, key, n, first, last FROM series ORDER BY id",
  "SELECT total (n), total (length (data)) FROM chunk WHERE series = ?1 AND first < ?2 AND last < ?2",
  "SELECT data, checksum FROM chunk WHERE series = ?1 AND first < ?2 AND last >= ?2",
  "SELECT data, checksum, first, last FROM chunk WHERE series = ?1 AND first < ?2",
  "SELECT data, checksum FROM log ORDER BY id",
};

/* Points that are gone. */
typedef struct
{
  gint64 from;
  gint64 to;
} Removal;

/* A point that the log has, and behind how many of the removals it stands there. */
typedef struct
{
  gint64 time;
  guint n_removals;
} Put;

/* What is known of a series. */
typedef struct
{
  guint rule;
  gint64 cutoff;
  gboolean shortened;
  gboolean in_table; /* else its chunks do not count: the log has all of it */
  gboolean has_points;
  gint64 first;     /* no point lies before it, where there are any */
  gint64 last;      /* none behind it */
  GArray *removals; /* (owned) (nullable) (element-type Removal): in the order of the log, then of time */
  GArray *puts;     /* (owned) (nullable) (element-type Put): those that are too old, in the same orders */
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

static void
series_free (Series *self)
{
  g_clear_pointer (&self->removals, g_array_unref);
  g_clear_pointer (&self->puts, g_array_unref);
  g_free (self);
}

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
    return metrics_source_refuse (self->path, error);
  version = read_number (self, "PRAGMA user_version");
  if (version <= FORMAT_VERSION)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("'%s' is of a newer metricsd: its format is %" PRId64 ", known is %d"), self->path, version,
               FORMAT_VERSION);
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

static Series *
add_series (Reading *self, guint64 id, const char *key, gsize key_len)
{
  const MetricsRules *rules = metrics_retention_get_rules (self->retention);
  Series *series;
  guint64 *name;

  /* What is rolled up is kept by other rules. */
  if (metrics_key_is_hidden (key, key_len))
    return NULL;
  series = g_new0 (Series, 1);
  name = g_new (guint64, 1);
  *name = id;
  series->rule = metrics_rules_find (rules, key, key_len);
  series->cutoff = metrics_retention_get_cutoff (self->retention, series->rule, self->now);
  g_hash_table_insert (self->series, name, series);
  return series;
}

static gboolean
read_series (Reading *self, GError **error)
{
  sqlite3_stmt *statement = self->statements[STATEMENT_SERIES];
  int result;

  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    {
      Series *series = add_series (self, sqlite3_column_int64 (statement, 0),
                                   sqlite3_column_blob (statement, 1), sqlite3_column_bytes (statement, 1));

      if (series == NULL)
        continue;
      series->in_table = TRUE;
      series->has_points = sqlite3_column_int64 (statement, 2) > 0;
      series->first = sqlite3_column_int64 (statement, 3);
      series->last = sqlite3_column_int64 (statement, 4);
    }
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

/* Returns: (transfer full) (nullable): the chunk of a row. One that is damaged is left out, as the server
 * does. */
static MetricsChunk *
load_chunk (sqlite3_stmt *row)
{
  const guint8 *data = sqlite3_column_blob (row, 0);
  gsize size = sqlite3_column_bytes (row, 0);

  return sqlite3_column_int64 (row, 1) == metrics_log_checksum (data, size) ? metrics_chunk_load (data, size)
                                                                            : NULL;
}

/* Some points of a chunk, and their part of its bytes. */
static void
count_part (Reading *self, Series *series, const MetricsChunk *chunk, guint64 n, sqlite3_stmt *row)
{
  count (self, series, n, (double) sqlite3_column_bytes (row, 0) * n / metrics_chunk_get_n_points (chunk));
}

/* A chunk of which a part is too old. */
static void
count_edge (Reading *self, Series *series, sqlite3_stmt *row)
{
  MetricsChunk *chunk = load_chunk (row);

  if (chunk == NULL)
    return;
  count_part (self, series, chunk, metrics_chunk_find (chunk, series->cutoff), row);
  metrics_chunk_unref (chunk);
}

/* Returns: the first removal that does not lie before a time as a whole, or as many as there are. They are
 * apart, and in the order of time. */
static guint
find_removal (const GArray *removals, gint64 time)
{
  guint low = 0, high = removals->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (removals, Removal, middle).to < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static gboolean
is_removed (const GArray *removals, gint64 time)
{
  guint i = find_removal (removals, time);

  return i < removals->len && g_array_index (removals, Removal, i).from <= time;
}

/* Returns: the first put at or after a time, or as many as there are. They are in the order of time. */
static guint
find_put (const GArray *puts, gint64 time)
{
  guint low = 0, high = puts->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (puts, Put, middle).time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* What of a chunk is too old and is neither removed nor put once more. */
static guint64
count_left (const Series *series, const MetricsChunk *chunk)
{
  gint64 first = metrics_chunk_get_first_time (chunk);
  gint64 last = MIN (metrics_chunk_get_last_time (chunk), series->cutoff - 1);
  guint64 n = metrics_chunk_find (chunk, series->cutoff);

  for (guint i = find_removal (series->removals, first); i < series->removals->len; i++)
    {
      const Removal *removal = &g_array_index (series->removals, Removal, i);

      if (removal->from > last)
        break;
      /* What is removed ends before the cutoff, so this is no overflow. */
      n -= metrics_chunk_find (chunk, removal->to + 1) - metrics_chunk_find (chunk, removal->from);
    }
  for (guint i = find_put (series->puts, first); i < series->puts->len; i++)
    {
      gint64 time = g_array_index (series->puts, Put, i).time;

      if (time > last)
        break;
      n -= !is_removed (series->removals, time) && metrics_chunk_contains (chunk, time);
    }
  return n;
}

/* Of a chunk that lies in what was removed as a whole the bytes are not read. */
static gboolean
is_all_removed (const Series *series, gint64 first, gint64 last)
{
  guint i = find_removal (series->removals, first);

  last = MIN (last, series->cutoff - 1);
  return i < series->removals->len && g_array_index (series->removals, Removal, i).from <= first
         && g_array_index (series->removals, Removal, i).to >= last;
}

/* The chunks of a series of which the log speaks. */
static gboolean
read_changed (Reading *self, guint64 id, Series *series, GError **error)
{
  sqlite3_stmt *row = self->statements[STATEMENT_CHANGED];
  int result;

  sqlite3_bind_int64 (row, 1, id);
  sqlite3_bind_int64 (row, 2, series->cutoff);
  while ((result = sqlite3_step (row)) == SQLITE_ROW)
    {
      MetricsChunk *chunk
          = is_all_removed (series, sqlite3_column_int64 (row, 2), sqlite3_column_int64 (row, 3))
                ? NULL
                : load_chunk (row);

      if (chunk == NULL)
        continue;
      count_part (self, series, chunk, count_left (series, chunk), row);
      metrics_chunk_unref (chunk);
    }
  sqlite3_reset (row);
  return result == SQLITE_DONE || fail (self, error);
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
  gpointer id, value;

  g_hash_table_iter_init (&iter, self->series);
  while (g_hash_table_iter_next (&iter, &id, &value))
    {
      Series *series = value;

      if (series->cutoff == G_MININT64 || !series->in_table)
        continue;
      if (!(series->puts != NULL ? read_changed : read_chunks) (self, *(guint64 *) id, series, error))
        return FALSE;
    }
  return TRUE;
}

/* Adds a span to what is apart and in the order of time, and joins those that it touches. */
static void
add_removal (GArray *removals, Removal removal)
{
  guint start = find_removal (removals, removal.from);
  guint end = start;

  while (end < removals->len && g_array_index (removals, Removal, end).from <= removal.to)
    {
      removal.from = MIN (removal.from, g_array_index (removals, Removal, end).from);
      removal.to = MAX (removal.to, g_array_index (removals, Removal, end).to);
      end++;
    }
  g_array_remove_range (removals, start, end - start);
  g_array_insert_val (removals, start, removal);
}

static int
compare_puts (gconstpointer a, gconstpointer b)
{
  gint64 first = ((const Put *) a)->time, second = ((const Put *) b)->time;

  return (first > second) - (first < second);
}

/* Backwards through what the log says of a series: a point is there where nothing behind it removes it. */
static void
settle_series (Reading *self, Series *series)
{
  g_autoptr (GArray) removals = g_steal_pointer (&series->removals);
  g_autoptr (GArray) puts = g_steal_pointer (&series->puts);
  guint n_left = removals->len;

  series->removals = g_array_new (FALSE, FALSE, sizeof (Removal));
  series->puts = g_array_new (FALSE, FALSE, sizeof (Put));
  for (guint i = puts->len; i-- > 0;)
    {
      const Put *put = &g_array_index (puts, Put, i);

      while (n_left > put->n_removals)
        add_removal (series->removals, g_array_index (removals, Removal, --n_left));
      if (!is_removed (series->removals, put->time))
        g_array_append_val (series->puts, *put);
    }
  while (n_left > 0)
    add_removal (series->removals, g_array_index (removals, Removal, --n_left));

  g_array_sort (series->puts, compare_puts);
  n_left = 0;
  for (guint i = 0; i < series->puts->len; i++)
    {
      Put put = g_array_index (series->puts, Put, i);

      if (n_left == 0 || g_array_index (series->puts, Put, n_left - 1).time != put.time)
        g_array_index (series->puts, Put, n_left++) = put;
    }
  g_array_set_size (series->puts, n_left);
  count (self, series, n_left, 0);
}

static void
settle_log (Reading *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->series);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Series *series = value;

      g_array_index (self->forecasts, MetricsForecast, series->rule).n_series += series->has_points;
      if (series->puts != NULL)
        settle_series (self, series);
    }
}

/* Most series have none of either. */
static void
make_changed (Series *series)
{
  if (series->puts != NULL)
    return;
  series->removals = g_array_new (FALSE, FALSE, sizeof (Removal));
  series->puts = g_array_new (FALSE, FALSE, sizeof (Put));
}

static void
take_put (Series *series, gint64 time)
{
  Put put = { .time = time };

  series->first = series->has_points ? MIN (series->first, time) : time;
  series->last = series->has_points ? MAX (series->last, time) : time;
  series->has_points = TRUE;
  if (time < series->cutoff)
    {
      make_changed (series);
      put.n_removals = series->removals->len;
      g_array_append_val (series->puts, put);
    }
}

static void
take_removal (Series *series, gint64 from, gint64 to)
{
  Removal removal = { from, MIN (to, series->cutoff - (series->cutoff > G_MININT64)) };

  if (from <= series->first && to >= series->last)
    series->has_points = FALSE;
  else if (from <= series->first && to >= series->first)
    series->first = to + 1;
  else if (to >= series->last && from <= series->last)
    series->last = from - 1;
  if (series->cutoff > G_MININT64 && removal.from <= removal.to)
    {
      make_changed (series);
      g_array_append_val (series->removals, removal);
    }
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
      else if (change.kind == METRICS_LOG_PUT && series != NULL)
        take_put (series, change.point.time);
      else if (change.kind == METRICS_LOG_REMOVE && series != NULL)
        take_removal (series, change.from, change.to);
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
  self.series = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) series_free);
  self.forecasts = g_array_new (FALSE, TRUE, sizeof (MetricsForecast));
  g_array_set_size (self.forecasts, n_rules + 1);
  if (!open_database (&self, error) || !read_series (&self, error) || !read_log (&self, error))
    return NULL;
  settle_log (&self);
  if (!read_all_chunks (&self, error))
    return NULL;
  return g_steal_pointer (&self.forecasts);
}
