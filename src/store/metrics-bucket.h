/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-aggregation.h"
#include "common/metrics-point.h"
#include "store/metrics-select.h"
#include "store/metrics-sum.h"
#include "store/metrics-window.h"

G_BEGIN_DECLS

/**
 * MetricsBucket:
 * @aggregation: what it is reduced to
 * @step: how long it is
 * @start: its first time, a multiple of @step, as far as 64 bits go
 * @end: its last time
 * @n: how many points it has; it is closed where that is 0
 * @n_integers: so many of them are in the three that follow, and not in @sum, @min and @max
 * @integer_sum: of the integers that stand for their values
 * @integer_min: the least of these
 * @integer_max: the greatest
 * @scale: how they stand for them
 * @exponent: with which power of ten
 * @first: the oldest value
 * @last: the newest point
 * @min: the least value
 * @max: the greatest value
 * @sum: of the values; for a rate, of the increases
 * @select: of percentiles
 * @has_previous: whether there was a point before, in this bucket or an earlier one
 * @previous: that point, the newest one
 * @n_increases: for a rate: how many increases there are
 * @rate_start: the time of the point where they begin
 *
 * The points of a series from one multiple of a step to the next. Only what the aggregation asks for is kept.
 */
typedef struct
{
  MetricsAggregation aggregation;
  gint64 step;
  gint64 start;
  gint64 end;
  guint64 n;
  guint64 n_integers;
  gint64 integer_sum;
  gint64 integer_min;
  gint64 integer_max;
  MetricsScale scale;
  guint exponent;
  double first;
  MetricsPoint last;
  double min;
  double max;
  MetricsSum sum;
  MetricsSelect select;
  gboolean has_previous;
  MetricsPoint previous;
  guint64 n_increases;
  gint64 rate_start;
} MetricsBucket;

void metrics_bucket_init (MetricsBucket *self, MetricsAggregation aggregation, gint64 step);
void metrics_bucket_clear (MetricsBucket *self);

gboolean metrics_bucket_selects (const MetricsBucket *self);
void metrics_bucket_begin_series (MetricsBucket *self);
void metrics_bucket_set_previous (MetricsBucket *self, MetricsPoint point);

guint64 metrics_bucket_feed (MetricsBucket *self,
                             const MetricsWindow *window,
                             guint64 at,
                             MetricsPoint *points,
                             guint *n_points);
guint64 metrics_bucket_take (MetricsBucket *self, const MetricsWindow *window, guint64 at);
gboolean metrics_bucket_close (MetricsBucket *self, MetricsPoint *point);

G_END_DECLS
