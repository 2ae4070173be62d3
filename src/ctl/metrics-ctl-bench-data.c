/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-data.h"

/* Each series is a random walk in hundredths, from a fixed seed: what meters of temperatures, loads and
 * voltages send. A step is uniform in -STEP_MAX..STEP_MAX, which leaves 6.7 bits of a point to be kept,
 * whatever the coding. */
#define SEED 42
#define FIRST_VALUE 10000
#define STEP_MAX 50

/* Late points: one in LATE_SHARE, by 1 to LATE_MAX steps. */
#define LATE_SHARE 10
#define LATE_MAX 100

struct _MetricsBenchData
{
  char *prefix; /* (owned): of all keys */
  guint n_series;
  guint n_points;
  gint64 start;              /* the first time */
  gint32 *values;            /* (owned) (array length=n_points): hundredths */
  char **keys;               /* (owned) (array length=n_series) */
  GCancellable *cancellable; /* (owned) (nullable) */
};

/* A generator of numbers of its own, for speed: xorshift64*, by Sebastiano Vigna, "An experimental
 * exploration of Marsaglia's xorshift generators, scrambled" (2016). */
static guint
get_random (guint64 *state, guint n)
{
  guint64 x = *state;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return (guint) ((((x * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d)) >> 32) * n) >> 32);
}

static gint32
walk (guint64 *random)
{
  return (gint32) get_random (random, 2 * STEP_MAX + 1) - STEP_MAX;
}

/**
 * metrics_bench_data_new:
 * @prefix: what all keys begin with, without the dot behind it
 * @n_series: how many series, at least one
 * @n_points: how many points, of all series together
 * @first_step: how many steps of the same series came before, in other data
 * @start: the time of the first step of all, in seconds since the Unix epoch
 *
 * Makes @n_points points: where that does not divide by @n_series, the first series have one more.
 *
 * Returns: (transfer full): the points
 */
MetricsBenchData *
metrics_bench_data_new (const char *prefix, guint n_series, guint n_points, guint first_step, gint64 start)
{
  MetricsBenchData *self = g_new0 (MetricsBenchData, 1);
  g_autofree gint32 *last = g_new (gint32, n_series);
  guint64 random = SEED;

  self->prefix = g_strdup (prefix);
  self->n_series = n_series;
  self->n_points = n_points;
  self->start = start + (gint64) first_step * METRICS_BENCH_SECONDS_A_STEP;
  self->keys = g_new (char *, n_series);
  for (guint i = 0; i < n_series; i++)
    {
      self->keys[i] = g_strdup_printf ("%s.%u", prefix, i);
      last[i] = FIRST_VALUE;
    }
  for (guint64 i = 0; i < (guint64) first_step * n_series; i++)
    last[i % n_series] += walk (&random);
  self->values = g_new (gint32, n_points);
  for (guint i = 0; i < n_points; i++)
    self->values[i] = last[i % n_series] += walk (&random);
  return self;
}

/**
 * metrics_bench_data_free:
 * @self: (transfer full): points
 */
void
metrics_bench_data_free (MetricsBenchData *self)
{
  for (guint i = 0; i < self->n_series; i++)
    g_free (self->keys[i]);
  g_free (self->keys);
  g_free (self->values);
  g_free (self->prefix);
  g_clear_object (&self->cancellable);
  g_free (self);
}

/**
 * metrics_bench_data_set_cancellable:
 * @self: points
 * @cancellable: by which it is said that they are no longer wanted
 */
void
metrics_bench_data_set_cancellable (MetricsBenchData *self, GCancellable *cancellable)
{
  g_set_object (&self->cancellable, cancellable);
}

/**
 * metrics_bench_data_is_cancelled:
 * @self: points
 *
 * Writing so many points down takes seconds: it is asked now and then meanwhile.
 *
 * Returns: whether they are no longer wanted, and what is written of them may stay incomplete
 */
gboolean
metrics_bench_data_is_cancelled (const MetricsBenchData *self)
{
  return g_cancellable_is_cancelled (self->cancellable);
}

/**
 * metrics_bench_data_get_n_series:
 * @self: points
 *
 * Returns: how many series there are
 */
guint
metrics_bench_data_get_n_series (const MetricsBenchData *self)
{
  return self->n_series;
}

/**
 * metrics_bench_data_get_n_points:
 * @self: points
 *
 * Returns: how many points all series have together
 */
guint
metrics_bench_data_get_n_points (const MetricsBenchData *self)
{
  return self->n_points;
}

/**
 * metrics_bench_data_count_points:
 * @self: points
 * @series: a series, counted from 0
 *
 * Returns: how many points it has: these are @series, @series plus the number of series, and so on
 */
guint
metrics_bench_data_count_points (const MetricsBenchData *self, guint series)
{
  return self->n_points / self->n_series + (series < self->n_points % self->n_series ? 1 : 0);
}

/**
 * metrics_bench_data_get_prefix:
 * @self: points
 *
 * Returns: (transfer none): what all keys begin with, without the dot behind it
 */
const char *
metrics_bench_data_get_prefix (const MetricsBenchData *self)
{
  return self->prefix;
}

/**
 * metrics_bench_data_get_key:
 * @self: points
 * @series: a series, counted from 0
 *
 * Returns: (transfer none): its key
 */
const char *
metrics_bench_data_get_key (const MetricsBenchData *self, guint series)
{
  return self->keys[series];
}

/**
 * metrics_bench_data_get_series:
 * @self: points
 * @point: one of them
 *
 * Returns: the series that it belongs to
 */
guint
metrics_bench_data_get_series (const MetricsBenchData *self, guint point)
{
  return point % self->n_series;
}

/**
 * metrics_bench_data_get_value:
 * @self: points
 * @point: one of them
 *
 * Returns: its value, a decimal of two places
 */
double
metrics_bench_data_get_value (const MetricsBenchData *self, guint point)
{
  return self->values[point] / 100.0;
}

/**
 * metrics_bench_data_get_time:
 * @self: points
 * @point: one of them
 *
 * Returns: its time, in seconds since the Unix epoch
 */
gint64
metrics_bench_data_get_time (const MetricsBenchData *self, guint point)
{
  return self->start + (gint64) (point / self->n_series) * METRICS_BENCH_SECONDS_A_STEP;
}

/* The points that are due with a step, oldest first; where one comes late, it is due later. */
static void
take_due (GArray *due, guint32 *order, guint *n)
{
  for (guint i = 0; i < due->len; i++)
    order[(*n)++] = g_array_index (due, guint32, i);
  g_array_set_size (due, 0);
}

/**
 * metrics_bench_data_make_late:
 * @self: points
 *
 * Makes a tenth of the points late by up to 100 steps, always the same.
 *
 * Returns: (transfer full): all points in the order in which they come then, as many as there are
 */
guint32 *
metrics_bench_data_make_late (const MetricsBenchData *self)
{
  guint32 *order = g_new (guint32, self->n_points);
  GArray *due[LATE_MAX + 1]; /* by their step, round and round */
  guint64 random = SEED + 1;
  guint n = 0, step = 0;

  for (guint i = 0; i <= LATE_MAX; i++)
    due[i] = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint32 i = 0; i < self->n_points; i++)
    {
      step = i / self->n_series;
      if (i % self->n_series == 0)
        take_due (due[step % (LATE_MAX + 1)], order, &n);
      if (get_random (&random, LATE_SHARE) != 0)
        order[n++] = i;
      else
        g_array_append_val (due[(step + 1 + get_random (&random, LATE_MAX)) % (LATE_MAX + 1)], i);
    }
  for (guint i = 1; i <= LATE_MAX + 1; i++)
    take_due (due[(step + i) % (LATE_MAX + 1)], order, &n);
  for (guint i = 0; i <= LATE_MAX; i++)
    g_array_unref (due[i]);
  g_assert (n == self->n_points);
  return order;
}
