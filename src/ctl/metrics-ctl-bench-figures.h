/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/* What was measured: numbers with names of two parts, `put.seconds`, in the order in which they were added.
 */
typedef struct _MetricsBenchFigures MetricsBenchFigures;

MetricsBenchFigures *metrics_bench_figures_new (void);
void metrics_bench_figures_free (MetricsBenchFigures *self);

void metrics_bench_figures_add (MetricsBenchFigures *self, const char *name, double value);
void metrics_bench_figures_add_rate (MetricsBenchFigures *self, const char *name, double n, double seconds);
void metrics_bench_figures_add_percentiles (MetricsBenchFigures *self, gint64 *samples, gsize n);
double metrics_bench_figures_get (MetricsBenchFigures *self, const char *name);

gboolean metrics_bench_figures_print (MetricsBenchFigures *self, MetricsCtlForm form, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchFigures, metrics_bench_figures_free)

G_END_DECLS
