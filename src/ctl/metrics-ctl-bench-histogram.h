/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long requests took, counted in classes whose width grows with the value. */
typedef struct _MetricsBenchHistogram MetricsBenchHistogram;

MetricsBenchHistogram *metrics_bench_histogram_new (void);
void metrics_bench_histogram_free (MetricsBenchHistogram *self);

void metrics_bench_histogram_add (MetricsBenchHistogram *self, guint64 value, guint64 n);

guint64 metrics_bench_histogram_get_count (const MetricsBenchHistogram *self);
guint64 metrics_bench_histogram_get_max (const MetricsBenchHistogram *self);
guint64 metrics_bench_histogram_get_quantile (const MetricsBenchHistogram *self, double quantile);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchHistogram, metrics_bench_histogram_free)

G_END_DECLS
