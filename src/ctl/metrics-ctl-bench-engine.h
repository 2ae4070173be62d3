/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-link.h"

G_BEGIN_DECLS

/* Connections to a server, all served by one thread. */
typedef struct _MetricsBenchEngine MetricsBenchEngine;

MetricsBenchEngine *metrics_bench_engine_new (GSocketConnectable *address,
                                              const MetricsBenchDialect *dialect,
                                              guint timeout_msec,
                                              GCancellable *cancellable);
void metrics_bench_engine_free (MetricsBenchEngine *self);

GCancellable *metrics_bench_engine_get_cancellable (const MetricsBenchEngine *self);

gboolean metrics_bench_engine_connect (MetricsBenchEngine *self, guint n, GError **error);
gboolean metrics_bench_engine_connect_idle (MetricsBenchEngine *self, guint n, GError **error);

gboolean metrics_bench_engine_run (MetricsBenchEngine *self,
                                   GPtrArray *scripts,
                                   guint depth,
                                   MetricsBenchTally *tally,
                                   double *seconds,
                                   GError **error);

void metrics_bench_engine_close (MetricsBenchEngine *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchEngine, metrics_bench_engine_free)

G_END_DECLS
