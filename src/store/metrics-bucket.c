/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-bucket.h"

#include <math.h>

/* 0 where it is not a percentile. */
static guint
get_percent (MetricsAggregation aggregation)
{
  switch (aggregation)
    {
    case METRICS_AGGREGATION_MEDIAN:
      return 50;
    case METRICS_AGGREGATION_P95:
      return 95;
    case METRICS_AGGREGATION_P99:
      return 99;
    case METRICS_AGGREGATION_NONE:
    case METRICS_AGGREGATION_AVG:
    case METRICS_AGGREGATION_MIN:
    case METRICS_AGGREGATION_MAX:
    case METRICS_AGGREGATION_SUM:
    case METRICS_AGGREGATION_COUNT:
    case METRICS_AGGREGATION_FIRST:
    case METRICS_AGGREGATION_LAST:
    case METRICS_AGGREGATION_RATE:
      return 0;
    }
  g_assert_not_reached ();
}

/**
 * metrics_bucket_init:
 * @self: a struct
 * @aggregation: what buckets are reduced to
 * @step: how long they are, at least 1
 */
void
metrics_bucket_init (MetricsBucket *self, MetricsAggregation aggregation, gint64 step)
{
  *self = (MetricsBucket){ .aggregation = aggregation, .step = step };
  metrics_select_init (&self->select, get_percent (aggregation));
}

/**
 * metrics_bucket_clear:
 * @self: a bucket
 *
 * Frees what it holds.
 */
void
metrics_bucket_clear (MetricsBucket *self)
{
  metrics_select_clear (&self->select);
}

/**
 * metrics_bucket_selects:
 * @self: a bucket
 *
 * Returns: whether its value has to be selected, with all its points, before it can be closed
 */
gboolean
metrics_bucket_selects (const MetricsBucket *self)
{
  return self->select.percent > 0;
}

/**
 * metrics_bucket_begin_series:
 * @self: a closed bucket
 *
 * The next point is of another series.
 */
void
metrics_bucket_begin_series (MetricsBucket *self)
{
  self->n = 0;
  self->has_previous = FALSE;
}

/**
 * metrics_bucket_set_previous:
 * @self: a closed bucket
 * @point: a point that is in no bucket, but before those that are
 */
void
metrics_bucket_set_previous (MetricsBucket *self, MetricsPoint point)
{
  self->has_previous = TRUE;
  self->previous = point;
}

/**
 * metrics_bucket_takes:
 * @self: a bucket
 * @time: the time of the next point
 *
 * Returns: whether that point is the bucket's; a closed bucket takes any
 */
gboolean
metrics_bucket_takes (const MetricsBucket *self, gint64 time)
{
  return self->n == 0 || time <= self->end;
}

/* Finds the bucket of a point, which is below it also before 1970. What would begin before the first time
 * begins at it. */
static void
open_bucket (MetricsBucket *self, MetricsPoint point)
{
  gint64 offset = point.time % self->step;

  if (offset < 0)
    offset += self->step;
  self->start = point.time >= G_MININT64 + offset ? point.time - offset : G_MININT64;
  self->end = point.time <= G_MAXINT64 - (self->step - 1 - offset) ? point.time + (self->step - 1 - offset)
                                                                   : G_MAXINT64;
  self->first = point;
  self->min = self->max = point.value;
  self->sum = (MetricsSum){ 0 };
  self->n_increases = 0;
  if (metrics_bucket_selects (self))
    metrics_select_begin (&self->select);
}

/* A counter that is less than before was set back to 0 between. */
static void
add_increase (MetricsBucket *self, MetricsPoint point)
{
  double before = self->previous.value;

  if (self->n_increases++ == 0)
    self->rate_start = self->previous.time;
  if (point.value < before)
    metrics_sum_add (&self->sum, point.value);
  else if (isfinite (point.value - before))
    metrics_sum_add (&self->sum, point.value - before);
  else
    {
      metrics_sum_add (&self->sum, point.value);
      metrics_sum_add (&self->sum, -before);
    }
}

/**
 * metrics_bucket_add:
 * @self: a bucket
 * @point: a point that it takes, newer than all before
 */
void
metrics_bucket_add (MetricsBucket *self, MetricsPoint point)
{
  if (self->n == 0)
    open_bucket (self, point);
  self->n++;
  self->last = point;
  self->min = MIN (self->min, point.value);
  self->max = MAX (self->max, point.value);

  if (metrics_bucket_selects (self))
    metrics_select_add (&self->select, point.value);
  else if (self->aggregation != METRICS_AGGREGATION_RATE)
    metrics_sum_add (&self->sum, point.value);
  else if (self->has_previous)
    add_increase (self, point);
  metrics_bucket_set_previous (self, point);
}

static double
get_value (const MetricsBucket *self)
{
  switch (self->aggregation)
    {
    case METRICS_AGGREGATION_AVG:
      return CLAMP (metrics_sum_get (&self->sum, self->n), self->min, self->max);
    case METRICS_AGGREGATION_MIN:
      return self->min;
    case METRICS_AGGREGATION_MAX:
      return self->max;
    case METRICS_AGGREGATION_SUM:
      return metrics_sum_get (&self->sum, 1);
    case METRICS_AGGREGATION_COUNT:
      return self->n;
    case METRICS_AGGREGATION_FIRST:
      return self->first.value;
    case METRICS_AGGREGATION_LAST:
      return self->last.value;
    case METRICS_AGGREGATION_MEDIAN:
    case METRICS_AGGREGATION_P95:
    case METRICS_AGGREGATION_P99:
      return metrics_select_get (&self->select);
    case METRICS_AGGREGATION_RATE:
      /* The distance of any two times fits into an unsigned integer. */
      return metrics_sum_get (&self->sum, (guint64) self->last.time - (guint64) self->rate_start);
    case METRICS_AGGREGATION_NONE:
      break;
    }
  g_assert_not_reached ();
}

/**
 * metrics_bucket_close:
 * @self: a bucket that has points
 * @point: (out): its start and its value
 *
 * Returns: whether it has a value: a rate has none where there was no increase
 */
gboolean
metrics_bucket_close (MetricsBucket *self, MetricsPoint *point)
{
  gboolean has_value = self->aggregation != METRICS_AGGREGATION_RATE || self->n_increases > 0;

  if (has_value)
    *point = (MetricsPoint){ .time = self->start, .value = get_value (self) };
  self->n = 0;
  return has_value;
}
