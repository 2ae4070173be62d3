/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-histogram.h"

#include <math.h>

/* A log-linear histogram, after the idea of Gil Tene's HdrHistogram (http://hdrhistogram.org): the values
 * between two powers of two are divided into CLASSES equal classes, however large they are. Below CLASSES
 * each value has a class of its own. So a class is never wider than a part in CLASSES of the values in it:
 * percentiles are at most that much too high (0.8 per cent), from a nanosecond to centuries, in 58 kB, and
 * adding takes no longer however many values there are. The largest value is kept as it is.
 *
 * The class of a value: its CLASS_BITS + 1 leading bits, of which the first is always set, and how far they
 * are shifted. */
#define CLASS_BITS 7
#define CLASSES (1u << CLASS_BITS)
#define N_CLASSES ((64 - CLASS_BITS + 1) * CLASSES)

struct _MetricsBenchHistogram
{
  guint64 counts[N_CLASSES];
  guint64 n;
  guint64 max;
};

/**
 * metrics_bench_histogram_new:
 *
 * Returns: (transfer full): a histogram without values
 */
MetricsBenchHistogram *
metrics_bench_histogram_new (void)
{
  return g_new0 (MetricsBenchHistogram, 1);
}

/**
 * metrics_bench_histogram_free:
 * @self: (transfer full): a histogram
 */
void
metrics_bench_histogram_free (MetricsBenchHistogram *self)
{
  g_free (self);
}

static guint
get_class (guint64 value)
{
  guint shift;

  if (value < CLASSES)
    return (guint) value;
  shift = 63 - (guint) __builtin_clzll (value) - CLASS_BITS;
  return (shift + 1) * CLASSES + (guint) (value >> shift) - CLASSES;
}

/* The largest value of a class. */
static guint64
get_class_end (guint class)
{
  guint shift = class / CLASSES;

  if (shift == 0)
    return class;
  shift--;
  /* The last class ends where the type does: the subtraction brings it back into range. */
  return ((guint64) (class % CLASSES + CLASSES + 1) << shift) - 1;
}

/**
 * metrics_bench_histogram_add:
 * @self: a histogram
 * @value: a value
 * @n: how many times
 */
void
metrics_bench_histogram_add (MetricsBenchHistogram *self, guint64 value, guint64 n)
{
  self->counts[get_class (value)] += n;
  self->n += n;
  self->max = MAX (self->max, value);
}

/**
 * metrics_bench_histogram_get_count:
 * @self: a histogram
 *
 * Returns: how many values it has
 */
guint64
metrics_bench_histogram_get_count (const MetricsBenchHistogram *self)
{
  return self->n;
}

/**
 * metrics_bench_histogram_get_max:
 * @self: a histogram
 *
 * Returns: the largest value, exactly; 0 where there is none
 */
guint64
metrics_bench_histogram_get_max (const MetricsBenchHistogram *self)
{
  return self->max;
}

/**
 * metrics_bench_histogram_get_quantile:
 * @self: a histogram
 * @quantile: 0 to 1
 *
 * Returns: the value below or at which that share of all values lies, by nearest rank; at most a part in 128
 *   too high and never too low. 0 where there is none.
 */
guint64
metrics_bench_histogram_get_quantile (const MetricsBenchHistogram *self, double quantile)
{
  guint64 rank = (guint64) ceil (CLAMP (quantile, 0, 1) * (double) self->n);
  guint64 seen = 0;

  rank = MAX (rank, 1);
  for (guint i = 0; i < N_CLASSES; i++)
    {
      seen += self->counts[i];
      if (seen >= rank)
        return MIN (get_class_end (i), self->max);
    }
  return self->max;
}
