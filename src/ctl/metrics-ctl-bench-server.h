/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/**
 * MetricsBenchServer:
 * @cpu: how long it has used the processor, in microseconds
 * @resident: memory of its process, in bytes
 * @memory: memory of its points, in bytes
 *
 * What a server has cost by now; -1 is what it does not tell.
 */
typedef struct
{
  gint64 cpu;
  gint64 resident;
  gint64 memory;
} MetricsBenchServer;

MetricsBenchServer metrics_bench_server_ask (MetricsClient *client, GCancellable *cancellable);
MetricsBenchServer metrics_bench_server_subtract (const MetricsBenchServer *after,
                                                  const MetricsBenchServer *before);

G_END_DECLS
