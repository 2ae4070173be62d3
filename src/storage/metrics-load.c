/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-load.h"

#include "storage/metrics-checkpoint.h"
#include "storage/metrics-damage.h"
#include "store/metrics-restore.h"

/* A start: the series are read, and what their chunks hold in all; the chunks themselves stay on disk. Then
 * the changes of the log are done. A chunk that one of them needs is fetched, and the disk is waited for:
 * nobody is served yet. */

/* What is being read. */
typedef struct
{
  const char *path;
  MetricsFetcher *fetcher;
  MetricsStore *store;
  MetricsWriterStart *start;
  guint64 newest_id;
  GError *error; /* (owned) (nullable): why it cannot go on */
} Loading;

static void
report (Loading *loading, const char *table, guint64 id, const char *reason)
{
  loading->start->n_damaged++;
  metrics_damage_report (loading->path, table, id, reason);
}

/* Of rows on a damaged page it is not known how many there are. */
static gboolean
report_lost (Loading *loading, const char *table, const MetricsRow *row)
{
  gboolean is_lost = metrics_damage_report_lost (loading->path, table, row);

  loading->start->n_damaged += is_lost;
  return is_lost;
}

static void
on_series (const MetricsRow *row, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (GError) error = NULL;

  if (report_lost (loading, "series", row))
    return;
  loading->newest_id = MAX (loading->newest_id, row->id);
  if (!metrics_store_restore_series (loading->store, row->id, (const char *) row->data, row->size, &error)
      || (row->n_points > 0
          && !metrics_store_restore_gap (loading->store, row->id, row->n_points, row->first_time,
                                         row->last_time, &error)))
    report (loading, "series", row->id, error->message);
}

/* Loads what the store needs for the next change. Where the index is damaged that change is left out: it
 * stays in the log, for nothing is written any more. Returns: whether that went well. */
static gboolean
load_cold (Loading *loading, const MetricsChunkRequest *request)
{
  g_autoptr (GError) error = NULL;
  MetricsChunkAnswer answer;

  if (!metrics_fetcher_read (loading->fetcher, request, &answer, &error))
    {
      if (loading->error == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
        loading->error = g_steal_pointer (&error);
      return FALSE;
    }
  metrics_store_restore_split (loading->store, request, &answer);
  metrics_chunk_answer_clear (&answer);
  return TRUE;
}

/* Changes of series that are no more find none: that is as it should be. */
static void
replay_change (Loading *loading, const MetricsLogChange *change)
{
  MetricsRestoreResult result;
  MetricsChunkRequest request;

  do
    if (change->kind == METRICS_LOG_PUT)
      result = metrics_store_restore_put (loading->store, change->id, change->point, &request);
    else
      result = metrics_store_restore_remove (loading->store, change->id, change->from, change->to, &request);
  while (result == METRICS_RESTORE_COLD && load_cold (loading, &request));
}

static void
replay (Loading *loading, const MetricsRow *row, const guint8 *changes, gsize size)
{
  MetricsLogReader reader;
  MetricsLogChange change;
  g_autoptr (GError) error = NULL;

  metrics_log_reader_init (&reader, changes, size);
  while (metrics_log_reader_next (&reader, &change))
    {
      loading->newest_id = MAX (loading->newest_id, change.id);
      if (change.kind != METRICS_LOG_BEGIN)
        replay_change (loading, &change);
      else
        metrics_store_restore_series (loading->store, change.id, change.key, change.key_len,
                                      error == NULL ? &error : NULL);
    }
  metrics_touched_add (loading->start->touched, changes, size);
  if (!reader.damaged && error == NULL)
    return;
  report (loading, "log", row->id, error != NULL ? error->message : "it cannot be read");
  metrics_damage_keep (loading->path, row);
}

static void
on_log (const MetricsRow *row, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (GBytes) changes = row->whole ? metrics_log_unpack (row->data, row->size) : NULL;

  if (report_lost (loading, "log", row))
    return;
  loading->start->last_log = row->id;
  loading->start->log_bytes += row->size;
  if (changes != NULL)
    replay (loading, row, g_bytes_get_data (changes, NULL), g_bytes_get_size (changes));
  else
    {
      report (loading, "log", row->id, row->whole ? "it cannot be read" : "wrong checksum");
      metrics_damage_keep (loading->path, row);
    }
}

/* Reads the series, and does the changes of the log. */
static gboolean
load_tables (Loading *loading, GError **error)
{
  MetricsDatabase *database = loading->start->database;

  if (!metrics_database_read (database, METRICS_TABLE_SERIES, on_series, loading, error)
      || !metrics_database_read (database, METRICS_TABLE_LOG, on_log, loading, error))
    return FALSE;
  if (loading->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&loading->error));
  return FALSE;
}

/**
 * metrics_load:
 * @path: where the database is
 * @start: its database is read; what its log has is noted in the rest
 * @fetcher: reads chunks of the same database
 * @store: a store that nothing was put into yet
 * @error: return location for a #GError
 *
 * Restores a store: which series there are, and the changes that their chunks do not have yet. What is
 * damaged is named in the log and left out.
 *
 * Returns: %FALSE where the database cannot be read
 */
gboolean
metrics_load (const char *path,
              MetricsWriterStart *start,
              MetricsFetcher *fetcher,
              MetricsStore *store,
              GError **error)
{
  Loading loading = { .path = path, .fetcher = fetcher, .store = store, .start = start };
  guint64 newest_of_chunks = 0;

  if (!load_tables (&loading, error))
    {
      g_clear_error (&loading.error);
      return FALSE;
    }
  /* Where the log does not say that a series began, its chunks may be there all the same. */
  metrics_database_find_newest (start->database, &newest_of_chunks, NULL);
  metrics_store_restore_finish (store, MAX (loading.newest_id, newest_of_chunks));
  return TRUE;
}
