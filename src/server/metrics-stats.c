/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-stats.h"

#include "common/metrics-process.h"
#include "store/metrics-rollup.h"

/* The figures of the server's own, by name: whoever tells them (a reply to `stats`, the series metricsd.*)
 * takes them from here. */

static void
tell_disk_figures (const MetricsFigures *figures, MetricsStatsFunc func, gpointer user_data)
{
  MetricsDiskFigures disk = { 0 };

  figures->disk_func (&disk, figures->disk_data);
  func ("commits", disk.commits, user_data);
  func ("commit_time", disk.commit_time, user_data);
  func ("bytes_written", disk.bytes_written, user_data);
  func ("bytes_unwritten", disk.bytes_unwritten, user_data);
  func ("bytes_on_disk", disk.bytes_on_disk, user_data);
  func ("storage_errors", disk.storage_errors, user_data);
  func ("rows_damaged", disk.rows_damaged, user_data);
}

/**
 * metrics_stats_foreach:
 * @store: the store
 * @figures: what the server counts
 * @func: (scope call): called for each figure
 * @user_data: what to call it with
 *
 * Tells all that changes while the server runs.
 */
void
metrics_stats_foreach (MetricsStore *store,
                       const MetricsFigures *figures,
                       MetricsStatsFunc func,
                       gpointer user_data)
{
  func ("uptime", (g_get_monotonic_time () - figures->started) / G_USEC_PER_SEC, user_data);
  func ("points", metrics_store_get_n_points (store), user_data);
  func ("series", metrics_store_get_n_series (store), user_data);
  func ("points_expired", metrics_store_get_n_expired (store), user_data);
  func ("rollup_points", metrics_rollup_get_n_points (store), user_data);
  func ("rollup_series", metrics_rollup_get_n_series (store), user_data);
  func ("memory", metrics_store_get_memory (store), user_data);
  func ("puts_refused", metrics_store_get_n_refused (store), user_data);
  func ("resident", metrics_process_get_resident (), user_data);
  func ("cpu_microseconds", metrics_process_get_cpu_time (), user_data);
  func ("connections", figures->connections, user_data);
  func ("connections_accepted", figures->connections_accepted, user_data);
  func ("connections_refused", figures->connections_refused, user_data);
  func ("watchers", metrics_store_get_n_watchers (store), user_data);
  func ("points_dropped", metrics_store_get_n_dropped (store), user_data);
  func ("requests", figures->requests, user_data);
  func ("errors", figures->errors, user_data);
  func ("bytes_received", figures->bytes_received, user_data);
  func ("bytes_sent", figures->bytes_sent, user_data);
  if (figures->disk_func != NULL)
    tell_disk_figures (figures, func, user_data);
  if (figures->front_func != NULL)
    figures->front_func (func, user_data, figures->front_data);
  func ("largest_slice", figures->largest_slice, user_data);
}

/**
 * metrics_stats_foreach_limit:
 * @store: the store
 * @limits: the limits of clients
 * @func: (scope call): called for each limit
 * @user_data: what to call it with
 *
 * Tells what was set.
 */
void
metrics_stats_foreach_limit (MetricsStore *store,
                             const MetricsLimits *limits,
                             MetricsStatsFunc func,
                             gpointer user_data)
{
  guint64 series_limit, memory_limit;

  g_object_get (store, "series-limit", &series_limit, "memory-limit", &memory_limit, NULL);
  func ("slice_limit", limits->slice, user_data);
  func ("connection_limit", limits->connections, user_data);
  func ("line_limit", limits->line, user_data);
  func ("unsent_limit", limits->unsent, user_data);
  func ("series_limit", series_limit, user_data);
  func ("memory_limit", memory_limit, user_data);
}
