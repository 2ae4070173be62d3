/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/**
 * MetricsBenchSize:
 * @points: how many points are put pipelined
 * @series: in how many series, at most @points
 * @connections: over how many connections at once, at most @series
 * @requests: how many puts are measured one by one
 * @reads: how many times a series is read
 *
 * How much work there is, over all connections. All are at least one.
 */
typedef struct
{
  int points;
  int series;
  int connections;
  int requests;
  int reads;
} MetricsBenchSize;

/* The connections, and what each is to send: made before the clock starts. */
typedef struct _MetricsBenchLoad MetricsBenchLoad;

MetricsBenchLoad *metrics_bench_load_new (MetricsCtl *ctl,
                                          const MetricsBenchSize *size,
                                          const char *prefix,
                                          GCancellable *cancellable);
void metrics_bench_load_free (MetricsBenchLoad *self);

gboolean metrics_bench_load_warm_up (MetricsBenchLoad *self, GError **error);
gboolean metrics_bench_load_put (MetricsBenchLoad *self, double *seconds, guint64 *n_bytes, GError **error);
gboolean metrics_bench_load_put_singly (MetricsBenchLoad *self,
                                        double *seconds,
                                        gint64 **samples,
                                        gsize *n_samples,
                                        GError **error);
gboolean metrics_bench_load_get (MetricsBenchLoad *self, double *seconds, guint64 *n_points, GError **error);

gboolean metrics_bench_load_delete (MetricsBenchLoad *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchLoad, metrics_bench_load_free)

G_END_DECLS
