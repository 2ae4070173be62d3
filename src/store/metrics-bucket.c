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

/* Finds the bucket of a time, which is below it also before 1970. What would begin before the first time
 * begins at it. */
static void
find_bucket (MetricsBucket *self, gint64 time)
{
  gint64 offset = time % self->step;

  if (offset < 0)
    offset += self->step;
  self->start = time >= G_MININT64 + offset ? time - offset : G_MININT64;
  self->end = time <= G_MAXINT64 - (self->step - 1 - offset) ? time + (self->step - 1 - offset) : G_MAXINT64;
}

/* Whether the bucket behind this one is the one of a time. */
static inline gboolean
is_next (const MetricsBucket *self, gint64 time)
{
  return time > self->end && (guint64) time - (guint64) self->end <= (guint64) self->step
         && self->end <= G_MAXINT64 - self->step && (self->start < self->end || self->step == 1);
}

static inline void
go_to_bucket (MetricsBucket *self, gint64 time)
{
  /* Mostly it is the next one: a division takes longer than all the rest. */
  if (G_LIKELY (is_next (self, time)))
    {
      self->start = self->end + 1;
      self->end += self->step;
    }
  else
    find_bucket (self, time);
}

static inline void
open_bucket (MetricsBucket *self, gint64 time)
{
  go_to_bucket (self, time);
  self->n_integers = 0;
  self->min = G_MAXDOUBLE;
  self->max = -G_MAXDOUBLE;
  self->sum = (MetricsSum){ 0 };
  self->n_increases = 0;
  if (metrics_bucket_selects (self))
    metrics_select_begin (&self->select);
}

/* What was added up as integers joins what was added up as doubles. */
static void
flush_integers (MetricsBucket *self)
{
  if (self->n_integers == 0)
    return;
  metrics_sum_add (&self->sum, metrics_decimals_scale (self->scale, self->exponent, self->integer_sum));
  self->min = MIN (self->min, metrics_decimals_scale (self->scale, self->exponent, self->integer_min));
  self->max = MAX (self->max, metrics_decimals_scale (self->scale, self->exponent, self->integer_max));
  self->n_integers = 0;
}

/* Integers of a window are below 2^51, a window has few, and a sum that has grown is flushed before the next:
 * 64 bits hold it. */
static inline guint64
add_integers (MetricsBucket *self, const MetricsWindow *window, guint64 at)
{
  const guint n = window->n;
  const gint64 end = self->end;
  gint64 least = window->integers[at], greatest = least, sum = 0;
  guint i = at;

  do
    {
      gint64 integer = window->integers[i];

      sum = (gint64) ((guint64) sum + (guint64) integer);
      least = MIN (least, integer);
      greatest = MAX (greatest, integer);
      i++;
    }
  while (i < n && window->times[i] <= end);

  if (G_UNLIKELY (self->n_integers > 0))
    flush_integers (self);
  self->scale = window->scale;
  self->exponent = window->exponent;
  self->n_integers = i - at;
  self->integer_sum = sum;
  self->integer_min = least;
  self->integer_max = greatest;
  return i;
}

static void
add_values (MetricsBucket *self, const MetricsWindow *window, guint64 start, guint64 end)
{
  for (guint64 i = start; i < end; i++)
    {
      metrics_sum_add (&self->sum, window->values[i]);
      self->min = MIN (self->min, window->values[i]);
      self->max = MAX (self->max, window->values[i]);
    }
}

static void
add_constant (MetricsBucket *self, const MetricsWindow *window, guint64 n)
{
  metrics_sum_add_times (&self->sum, window->value, n);
  self->min = MIN (self->min, window->value);
  self->max = MAX (self->max, window->value);
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

static void
add_each (MetricsBucket *self, const MetricsWindow *window, guint64 start, guint64 end)
{
  for (guint64 i = start; i < end; i++)
    {
      MetricsPoint point = metrics_window_get_point (window, i);

      if (metrics_bucket_selects (self))
        metrics_select_add (&self->select, point.value);
      else if (self->has_previous)
        add_increase (self, point);
      metrics_bucket_set_previous (self, point);
    }
}

/* Adds sum and extremes, whichever is wanted: to ask which takes longer than to do it. */
static inline guint64
add_run (MetricsBucket *self, const MetricsWindow *window, guint64 at)
{
  guint64 end;

  if (G_LIKELY (window->kind == METRICS_WINDOW_INTEGERS))
    return add_integers (self, window, at);
  end = metrics_window_find_after (window, at, self->end);
  if (window->kind == METRICS_WINDOW_VALUES)
    add_values (self, window, at, end);
  else
    add_constant (self, window, end - at);
  return end;
}

/* Takes the points of the bucket. Returns: the index behind them */
static inline guint64
take (MetricsBucket *self, const MetricsWindow *window, guint64 at)
{
  guint64 end;

  switch (self->aggregation)
    {
    case METRICS_AGGREGATION_AVG:
    case METRICS_AGGREGATION_SUM:
    case METRICS_AGGREGATION_MIN:
    case METRICS_AGGREGATION_MAX:
      end = add_run (self, window, at);
      break;
    case METRICS_AGGREGATION_RATE:
    case METRICS_AGGREGATION_MEDIAN:
    case METRICS_AGGREGATION_P95:
    case METRICS_AGGREGATION_P99:
      end = metrics_window_find_after (window, at, self->end);
      add_each (self, window, at, end);
      self->last = metrics_window_get_point (window, end - 1);
      break;
    case METRICS_AGGREGATION_COUNT:
    case METRICS_AGGREGATION_FIRST:
    case METRICS_AGGREGATION_LAST:
    case METRICS_AGGREGATION_NONE:
    default:
      end = metrics_window_find_after (window, at, self->end);
      if (self->n == 0)
        self->first = metrics_window_get_value (window, at);
      self->last = metrics_window_get_point (window, end - 1);
      break;
    }
  self->n += end - at;
  return end;
}

/* Whether the mean of @n points is that of their integers divided once, and so rounds once: sum and divisor
 * have to be doubles as they are. */
static inline gboolean
has_exact_mean (MetricsScale scale, guint exponent, guint64 n, gint64 sum)
{
  return scale == METRICS_SCALE_DIVIDE && exponent <= 9 && n < 1 << 20
         && ABS (sum) <= G_GINT64_CONSTANT (1) << 53;
}

static inline double
get_mean (MetricsBucket *self)
{
  if (G_LIKELY (self->n_integers == self->n
                && has_exact_mean (self->scale, self->exponent, self->n, self->integer_sum)))
    return self->integer_sum / (self->n * metrics_decimals_get_power (self->exponent));
  flush_integers (self);
  return CLAMP (metrics_sum_get (&self->sum, self->n), self->min, self->max);
}

static double
get_value (MetricsBucket *self)
{
  switch (self->aggregation)
    {
    case METRICS_AGGREGATION_AVG:
      return get_mean (self);
    case METRICS_AGGREGATION_MIN:
      flush_integers (self);
      return self->min;
    case METRICS_AGGREGATION_MAX:
      flush_integers (self);
      return self->max;
    case METRICS_AGGREGATION_SUM:
      flush_integers (self);
      return metrics_sum_get (&self->sum, 1);
    case METRICS_AGGREGATION_COUNT:
      return self->n;
    case METRICS_AGGREGATION_FIRST:
      return self->first;
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

static inline gboolean
close_bucket (MetricsBucket *self, MetricsPoint *point)
{
  gboolean has_value = self->aggregation != METRICS_AGGREGATION_RATE || self->n_increases > 0;

  if (has_value)
    *point = (MetricsPoint){ .time = self->start, .value = get_value (self) };
  self->n = 0;
  return has_value;
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
  return close_bucket (self, point);
}

/**
 * metrics_bucket_take:
 * @self: a bucket
 * @window: points that are newer than all before
 * @at: index of the next one
 *
 * Adds points to the bucket, which is opened for the first one if it is closed.
 *
 * Returns: the index of the first point that is not the bucket's: @at where it has to be closed first
 */
guint64
metrics_bucket_take (MetricsBucket *self, const MetricsWindow *window, guint64 at)
{
  gint64 time = metrics_window_get_time (window, at);

  if (self->n == 0)
    open_bucket (self, time);
  else if (time > self->end)
    return at;
  return take (self, window, at);
}

/* The means of buckets that lie in the window as a whole, for which nothing has to be kept but the sum.
 * Returns: the index of the first point of another bucket */
static guint64
feed_means (MetricsBucket *self,
            const MetricsWindow *window,
            guint64 at,
            MetricsPoint *points,
            guint *n_points)
{
  const double power = metrics_decimals_get_power (window->exponent);
  const gint64 last = window->times[window->n - 1];

  for (;;)
    {
      guint64 sum = 0;
      guint64 i = at;

      go_to_bucket (self, window->times[at]);
      if (self->end >= last)
        return at;
      do
        sum += (guint64) window->integers[i++];
      while (window->times[i] <= self->end);
      if (!has_exact_mean (window->scale, window->exponent, i - at, (gint64) sum))
        return at;
      points[(*n_points)++]
          = (MetricsPoint){ .time = self->start, .value = (gint64) sum / ((i - at) * power) };
      at = i;
    }
}

/**
 * metrics_bucket_feed:
 * @self: a bucket that does not select
 * @window: points that are newer than all before
 * @at: index of the next one
 * @points: (array): where the values of the buckets go that are closed on the way
 * @n_points: (inout): how many there are in @points
 *
 * Puts the points of a window into the buckets that they belong to.
 *
 * Returns: the number of points of the window
 */
guint64
metrics_bucket_feed (MetricsBucket *self,
                     const MetricsWindow *window,
                     guint64 at,
                     MetricsPoint *points,
                     guint *n_points)
{
  const gboolean wants_means
      = self->aggregation == METRICS_AGGREGATION_AVG && window->kind == METRICS_WINDOW_INTEGERS;

  while (at < window->n)
    {
      if (self->n > 0 && metrics_window_get_time (window, at) > self->end
          && close_bucket (self, points + *n_points))
        (*n_points)++;
      if (self->n == 0)
        {
          if (wants_means)
            at = feed_means (self, window, at, points, n_points);
          open_bucket (self, metrics_window_get_time (window, at));
        }
      at = take (self, window, at);
    }
  return at;
}
