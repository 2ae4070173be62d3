/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-server.h"

#include "common/metrics-number.h"

#include <string.h>

static gint64
get_figure (GHashTable *stats, const char *name)
{
  const char *text = stats != NULL ? g_hash_table_lookup (stats, name) : NULL;
  gint64 value;

  return text != NULL && metrics_number_parse_int64 (text, strlen (text), &value) ? value : -1;
}

/**
 * metrics_bench_server_ask:
 * @client: a client
 * @cancellable: ends it early
 *
 * Asks a server for its own figures. One that has none, or does not let us have them, is measured all the
 * same.
 *
 * Returns: what it says
 */
MetricsBenchServer
metrics_bench_server_ask (MetricsClient *client, GCancellable *cancellable)
{
  g_autoptr (GHashTable) stats = metrics_client_stats (client, cancellable, NULL);

  return (MetricsBenchServer){
    .cpu = get_figure (stats, "cpu_microseconds"),
    .resident = get_figure (stats, "resident"),
    .memory = get_figure (stats, "memory"),
  };
}

static gint64
subtract (gint64 after, gint64 before)
{
  return after >= 0 && before >= 0 ? MAX (after - before, 0) : -1;
}

/**
 * metrics_bench_server_subtract:
 * @after: what a server had cost then
 * @before: and what before
 *
 * Returns: what the time between has cost; what was given back counts as nothing
 */
MetricsBenchServer
metrics_bench_server_subtract (const MetricsBenchServer *after, const MetricsBenchServer *before)
{
  return (MetricsBenchServer){
    .cpu = subtract (after->cpu, before->cpu),
    .resident = subtract (after->resident, before->resident),
    .memory = subtract (after->memory, before->memory),
  };
}
