/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-coding.h"

#include <math.h>

/* A block of points of one series: their number, their times as integers, their values as decimals. README.md
 * in this folder describes the bytes and shows why they are so.
 *
 * Times and values are apart, so that each is decoded in one loop over numbers of one kind. A block whose
 * times are at a regular step and whose values are all the same has the same few bytes however many points it
 * has. */

/**
 * metrics_coding_encode:
 * @data: (out caller-allocates): room for %METRICS_CODING_MAX_SIZE(n) bytes
 * @times: (array length=n): the times, ascending, each once
 * @values: (array length=n): the values, finite
 * @n: how many points, 1 to %METRICS_CODING_MAX_POINTS
 *
 * Returns: how many bytes were written
 */
gsize
metrics_coding_encode (guint8 *data, const gint64 *times, const double *values, guint n)
{
  guint8 *end = metrics_bytes_put_varint (data, n);

  end = metrics_integers_encode (end, (const guint64 *) times, n);
  end = metrics_decimals_encode (end, values, n);
  return end - data;
}

/**
 * metrics_coding_encode_constant:
 * @data: (out caller-allocates): room for %METRICS_CODING_MAX_SIZE(1) bytes
 * @first: the first time
 * @step: from one time to the next, at least 1; the last time has to be one, too
 * @value: the value of all points
 * @n: how many points, at least 1
 *
 * Returns: how many bytes were written
 */
gsize
metrics_coding_encode_constant (guint8 *data, gint64 first, gint64 step, double value, guint32 n)
{
  guint8 *end = metrics_bytes_put_varint (data, n);

  end = metrics_integers_encode_linear (end, (guint64) first, (guint64) step);
  end = metrics_decimals_encode (end, &value, 1);
  return end - data;
}

static gboolean
is_regular (const MetricsCoded *self)
{
  return metrics_integers_is_linear (&self->times)
         && metrics_integers_get_step (&self->times) <= (guint64) G_MAXINT64;
}

/**
 * metrics_coding_open:
 * @self: (out caller-allocates): what is in @data
 * @data: what metrics_coding_encode() wrote, or anything else
 * @size: how many bytes that is
 *
 * Afterwards all functions can be called, whatever the bytes are. Bytes that were not written by this process
 * have to pass metrics_coding_check() as well.
 *
 * Returns: whether it is the code of a block, and no more
 */
gboolean
metrics_coding_open (MetricsCoded *self, const guint8 *data, gsize size)
{
  MetricsBytes bytes = { .data = data, .size = size };

  if (!metrics_bytes_take_varint (&bytes, &self->n) || self->n == 0 || self->n > METRICS_CODING_MAX_CONSTANT
      || !metrics_integers_open (&self->times, &bytes, self->n)
      || !metrics_decimals_open (&self->values, &bytes, self->n) || bytes.size > 0)
    return FALSE;
  return self->n <= METRICS_CODING_MAX_POINTS || metrics_coding_is_constant (self);
}

/* Two times may be further apart than a signed number says. */
static gboolean
check_regular (const MetricsCoded *self)
{
  guint64 first = metrics_integers_get_first (&self->times);
  guint64 step = metrics_integers_get_step (&self->times);

  return self->n == 1 || (step > 0 && step <= ((guint64) G_MAXINT64 - first) / (self->n - 1));
}

/**
 * metrics_coding_check:
 * @self: a block
 *
 * Returns: whether its times are ascending and its values finite, as those of points have to be, and every
 * way to read the values gives the same
 */
gboolean
metrics_coding_check (const MetricsCoded *self)
{
  guint n = MIN (self->n, METRICS_CODING_MAX_POINTS);
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];

  if ((metrics_integers_is_linear (&self->times) && !check_regular (self))
      || !metrics_decimals_check (&self->values))
    return FALSE;
  metrics_coding_read_times (self, 0, n, times);
  metrics_coding_read_values (self, 0, n, values);
  for (guint i = 0; i < n; i++)
    if ((i > 0 && times[i] <= times[i - 1]) || !isfinite (values[i]))
      return FALSE;
  return TRUE;
}

/**
 * metrics_coding_is_regular:
 * @self: a block
 * @first: (out): its first time
 * @step: (out): from one time to the next
 *
 * Returns: whether that is the same everywhere and fits into @step; nothing is set otherwise
 */
gboolean
metrics_coding_is_regular (const MetricsCoded *self, gint64 *first, gint64 *step)
{
  if (!is_regular (self))
    return FALSE;
  *first = (gint64) metrics_integers_get_first (&self->times);
  *step = (gint64) metrics_integers_get_step (&self->times);
  return TRUE;
}

/**
 * metrics_coding_is_constant:
 * @self: a block
 *
 * Returns: whether all its values are the same and its times at a regular step
 */
gboolean
metrics_coding_is_constant (const MetricsCoded *self)
{
  return is_regular (self) && metrics_decimals_is_constant (&self->values);
}

static guint64
find_regular (const MetricsCoded *self, gint64 time)
{
  gint64 first = (gint64) metrics_integers_get_first (&self->times);
  guint64 step = metrics_integers_get_step (&self->times);
  guint64 distance = (guint64) time - (guint64) first;

  if (time <= first)
    return 0;
  return step == 0 ? self->n : MIN (self->n, distance / step + (distance % step != 0 ? 1 : 0));
}

/**
 * metrics_coding_find:
 * @self: a block
 * @time: a time
 *
 * Returns: the index of its first point at or after @time; the number of points where there is none
 */
guint64
metrics_coding_find (const MetricsCoded *self, gint64 time)
{
  gint64 times[METRICS_CODING_MAX_POINTS];
  guint low = 0;
  guint high = self->n;

  if (metrics_integers_is_linear (&self->times))
    return find_regular (self, time);
  metrics_integers_decode (&self->times, (guint64 *) times);
  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (times[middle] < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/**
 * metrics_coding_read_times:
 * @self: a block
 * @start: index of the first point wanted
 * @n: how many; all of them have to exist
 * @times: (out caller-allocates) (array length=n): where they go
 */
void
metrics_coding_read_times (const MetricsCoded *self, guint64 start, guint n, gint64 *times)
{
  guint64 all[METRICS_CODING_MAX_POINTS];

  g_assert (start + n <= self->n);

  if (metrics_integers_is_linear (&self->times))
    {
      guint64 step = metrics_integers_get_step (&self->times);
      guint64 time = metrics_integers_get_first (&self->times) + start * step;

      for (guint i = 0; i < n; i++)
        times[i] = (gint64) (time + i * step);
    }
  else if (n == self->n)
    metrics_integers_decode (&self->times, (guint64 *) times);
  else
    {
      metrics_integers_decode (&self->times, all);
      memcpy (times, all + start, n * sizeof *times);
    }
}

/**
 * metrics_coding_read_values:
 * @self: a block
 * @start: index of the first point wanted
 * @n: how many; all of them have to exist
 * @values: (out caller-allocates) (array length=n): where they go
 */
void
metrics_coding_read_values (const MetricsCoded *self, guint64 start, guint n, double *values)
{
  double all[METRICS_CODING_MAX_POINTS];

  g_assert (start + n <= self->n);

  if (metrics_decimals_is_constant (&self->values))
    {
      double value = metrics_decimals_get_first (&self->values);

      for (guint i = 0; i < n; i++)
        values[i] = value;
    }
  else if (n == self->n)
    metrics_decimals_decode (&self->values, values);
  else
    {
      metrics_decimals_decode (&self->values, all);
      memcpy (values, all + start, n * sizeof *values);
    }
}

/**
 * metrics_coding_read_integers:
 * @self: a block of at most %METRICS_CODING_MAX_POINTS points
 * @start: index of the first point wanted
 * @n: how many; all of them have to exist
 * @integers: (out caller-allocates) (array length=n): where the integers go that stand for the values, see
 *   metrics_decimals_decode_integers()
 *
 * Returns: whether there are such; nothing is done otherwise
 */
gboolean
metrics_coding_read_integers (const MetricsCoded *self, guint64 start, guint n, gint64 *integers)
{
  gint64 all[METRICS_CODING_MAX_POINTS];

  g_assert (start + n <= self->n);

  if (n == self->n)
    return metrics_decimals_decode_integers (&self->values, integers);
  if (!metrics_decimals_decode_integers (&self->values, all))
    return FALSE;
  memcpy (integers, all + start, n * sizeof *integers);
  return TRUE;
}
