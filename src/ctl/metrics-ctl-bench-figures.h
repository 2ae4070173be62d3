/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-server.h"
#include "ctl/metrics-ctl-bench-workload.h"
#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/* What was measured, for programs: numbers with names, in parts that have names. */
typedef struct _MetricsBenchFigures MetricsBenchFigures;

MetricsBenchFigures *metrics_bench_figures_new (void);
void metrics_bench_figures_free (MetricsBenchFigures *self);

void metrics_bench_figures_add_about (MetricsBenchFigures *self, const char *name, const char *text);
gboolean metrics_bench_figures_has_results (const MetricsBenchFigures *self);
void metrics_bench_figures_add_result (MetricsBenchFigures *self,
                                       const MetricsBenchResult *result,
                                       const MetricsBenchServer *server);

gboolean metrics_bench_figures_print (MetricsBenchFigures *self, MetricsCtlForm form, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchFigures, metrics_bench_figures_free)

G_END_DECLS
