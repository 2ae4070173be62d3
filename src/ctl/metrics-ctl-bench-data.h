/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_BENCH_SECONDS_A_STEP 10

/* Points of many series, in the order of their times: at each time one of each series. They are named by
 * their place in that order. The same sizes give the same values, in every run and for every server. */
typedef struct _MetricsBenchData MetricsBenchData;

MetricsBenchData *metrics_bench_data_new (const char *prefix,
                                          guint n_series,
                                          guint n_points,
                                          guint first_step,
                                          gint64 start);
void metrics_bench_data_free (MetricsBenchData *self);

void metrics_bench_data_set_cancellable (MetricsBenchData *self, GCancellable *cancellable);
gboolean metrics_bench_data_is_cancelled (const MetricsBenchData *self);

guint metrics_bench_data_get_n_series (const MetricsBenchData *self);
guint metrics_bench_data_get_n_points (const MetricsBenchData *self);
guint metrics_bench_data_count_points (const MetricsBenchData *self, guint series);
const char *metrics_bench_data_get_prefix (const MetricsBenchData *self);
const char *metrics_bench_data_get_key (const MetricsBenchData *self, guint series);

guint metrics_bench_data_get_series (const MetricsBenchData *self, guint point);
double metrics_bench_data_get_value (const MetricsBenchData *self, guint point);
gint64 metrics_bench_data_get_time (const MetricsBenchData *self, guint point);

guint32 *metrics_bench_data_make_late (const MetricsBenchData *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchData, metrics_bench_data_free)

G_END_DECLS
