/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-bucket.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double
sum_of (const double *values, guint n, double divisor)
{
  MetricsSum sum = { 0 };

  for (guint i = 0; i < n; i++)
    metrics_sum_add (&sum, values[i]);
  return metrics_sum_get (&sum, divisor);
}

/* Sums whose exact value is known. */
static void
test_sum (void)
{
  static const struct
  {
    double values[6];
    guint n;
    double divisor;
    double result;
  } cases[] = {
    { { 0 }, 0, 1, 0 },
    { { 1, 1e100, 1, -1e100 }, 4, 1, 2 },
    { { 1e16, 1, 1, 1, 1, -1e16 }, 6, 1, 4 },
    { { DBL_MAX, DBL_MAX }, 2, 2, DBL_MAX },
    { { DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, 3 }, 5, 1, 3 },
    { { DBL_MAX, DBL_MAX }, 2, 1, DBL_MAX },
    { { -DBL_MAX, -DBL_MAX, -1 }, 3, 1, -DBL_MAX },
    { { DBL_MAX, 1, -DBL_MAX }, 3, 1, 1 },
    { { DBL_MAX, -DBL_MAX / 2 }, 2, 1, DBL_MAX / 2 },
    { { 5e-324, 5e-324 }, 2, 1, 1e-323 },
    { { 0x1p900, 0x1p899 }, 2, 1, 0x1.8p900 },
    { { 0x1p900, 0x1p860, -0x1p900 }, 3, 1, 0x1p860 },
    { { 0x1p1022, 0x1p1022, 0x1p1022, 0x1p1022, 0x1p1022, 0x1p1022 }, 6, 6, 0x1p1022 },
    { { 10, 20 }, 2, 4, 7.5 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpfloat (sum_of (cases[i].values, cases[i].n, cases[i].divisor), ==, cases[i].result);
}

/* One number many times is as if it had been added each time. */
static void
test_sum_times (void)
{
  static const double values[] = { 0.1, -1e-300, 3, 1e16, 0x1p880, DBL_MAX, -DBL_MAX, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      MetricsSum once = { 0 }, each = { 0 };

      metrics_sum_add (&once, 1);
      metrics_sum_add (&each, 1);
      metrics_sum_add_times (&once, values[i], 1000);
      for (guint j = 0; j < 1000; j++)
        metrics_sum_add (&each, values[i]);
      g_assert_cmpfloat (metrics_sum_get (&once, 1000), ==, metrics_sum_get (&each, 1000));
    }
}

/* Many small ones beside a large one, as plain addition would lose them. */
static void
test_sum_many (void)
{
  MetricsSum sum = { 0 };

  metrics_sum_add (&sum, 1e16);
  for (guint i = 0; i < 1000000; i++)
    metrics_sum_add (&sum, 0.5);
  g_assert_cmpfloat (metrics_sum_get (&sum, 1), ==, 1e16 + 500000);

  sum = (MetricsSum){ 0 };
  for (guint i = 0; i < 100000; i++)
    metrics_sum_add (&sum, DBL_MAX);
  g_assert_cmpfloat (metrics_sum_get (&sum, 1), ==, DBL_MAX);
  g_assert_cmpfloat (fabs (metrics_sum_get (&sum, 100000) / DBL_MAX - 1), <, 1e-15);
}

/* Selects from values, in as many passes as it takes; counts them in @n_passes. */
static double
select_of (const double *values, guint n, guint percent, guint *n_passes)
{
  MetricsSelect select;
  MetricsSelectState state = METRICS_SELECT_READ;
  double result;

  metrics_select_init (&select, percent);
  metrics_select_begin (&select);
  *n_passes = 0;
  while (state != METRICS_SELECT_DONE)
    {
      gint budget = 1000;

      if (state == METRICS_SELECT_WORK)
        state = metrics_select_work (&select, &budget);
      else
        {
          for (guint i = 0; i < n; i++)
            metrics_select_add (&select, values[i]);
          state = metrics_select_end_pass (&select, &budget);
          (*n_passes)++;
        }
      /* No step does more than it takes to look at one chunk. */
      g_assert_cmpint (budget, >=, 1000 - 256);
    }
  result = metrics_select_get (&select);
  metrics_select_clear (&select);
  return result;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
check_select (const double *values, guint n, guint max_passes)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof *values);
  static const guint percents[] = { 1, 50, 95, 99, 100 };
  guint n_passes;

  qsort (sorted, n, sizeof *sorted, compare_doubles);
  for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      guint rank = (guint) (((guint64) percents[i] * n + 99) / 100);

      g_assert_cmpfloat (select_of (values, n, percents[i], &n_passes), ==, sorted[rank - 1]);
      g_assert_cmpuint (n_passes, <=, max_passes);
    }
}

/* How values may lie. */
static double
value_of (guint form, guint i)
{
  union
  {
    guint64 bits;
    double value;
  } any;

  switch (form)
    {
    case 0:
      return g_test_rand_double_range (-1, 1);
    case 1:
      return 42;
    case 2:
      return i % 3;
    case 3:
      return i % 2 == 0 ? DBL_MAX : -DBL_MAX;
    case 4:
      return ldexp (i % 2 == 0 ? 1 : -1, g_test_rand_int_range (-1074, 1023));
    case 5:
      /* All but a few are neighbours: each pass takes off twelve bits only. */
      any.value = 1;
      any.bits += g_test_rand_int_range (0, 20000);
      return i == 0 ? -DBL_MAX : i == 1 ? DBL_MAX : any.value;
    case 6:
      return i % 2 == 0 ? 0. : -0.;
    default:
      do
        any.bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
      while (!isfinite (any.value));
      return any.value;
    }
}

static void
test_select (void)
{
  static const guint counts[] = { 1, 2, 3, 19, 20, 21, 99, 100, 101, 4095, 4096, 4097, 30000 };
  g_autofree double *values = g_new (double, 30000);

  for (guint form = 0; form < 8; form++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
        {
          for (guint j = 0; j < counts[i]; j++)
            values[j] = value_of (form, j);
          check_select (values, counts[i], counts[i] <= 4096 ? 1 : 8);
        }
    }
}

/* Puts points into buckets; returns the buckets. */
static GArray *
reduce (const MetricsPoint *points, guint n, MetricsAggregation aggregation, gint64 step)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
  MetricsWindow window = { .kind = METRICS_WINDOW_VALUES, .n = 1 };
  MetricsBucket bucket;
  MetricsPoint row;

  metrics_bucket_init (&bucket, aggregation, step);
  metrics_bucket_begin_series (&bucket);
  for (guint i = 0; i < n; i++)
    {
      window.times[0] = points[i].time;
      window.values[0] = points[i].value;
      if (metrics_bucket_take (&bucket, &window, 0) == 1)
        continue;
      if (metrics_bucket_close (&bucket, &row))
        g_array_append_val (rows, row);
      g_assert_cmpuint (metrics_bucket_take (&bucket, &window, 0), ==, 1);
    }
  if (metrics_bucket_close (&bucket, &row))
    g_array_append_val (rows, row);
  metrics_bucket_clear (&bucket);
  return rows;
}

static void
assert_rows (GArray *rows, const MetricsPoint *expected, guint n)
{
  g_assert_cmpuint (rows->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpint (g_array_index (rows, MetricsPoint, i).time, ==, expected[i].time);
      g_assert_cmpfloat (g_array_index (rows, MetricsPoint, i).value, ==, expected[i].value);
    }
  g_array_unref (rows);
}

/* Buckets begin at multiples of the step, below the point also before 1970. */
static void
test_floor (void)
{
  static const MetricsPoint points[] = {
    { G_MININT64, 1 }, { -11, 1 }, { -10, 1 }, { -1, 1 }, { 0, 1 }, { 9, 1 }, { 10, 1 }, { G_MAXINT64, 1 },
  };
  static const MetricsPoint by_ten[] = {
    /* The first one would begin at -9223372036854775810. */
    { G_MININT64, 1 }, { -20, 1 }, { -10, 2 }, { 0, 2 }, { 10, 1 }, { G_MAXINT64 - 7, 1 },
  };
  static const MetricsPoint by_most[]
      = { { G_MININT64, 1 }, { -G_MAXINT64, 3 }, { 0, 3 }, { G_MAXINT64, 1 } };
  const guint n = G_N_ELEMENTS (points);

  assert_rows (reduce (points, n, METRICS_AGGREGATION_COUNT, 10), by_ten, G_N_ELEMENTS (by_ten));
  assert_rows (reduce (points, n, METRICS_AGGREGATION_COUNT, G_MAXINT64), by_most, G_N_ELEMENTS (by_most));
  assert_rows (reduce (points, n, METRICS_AGGREGATION_SUM, 1), points, n);
}

static void
test_rate (void)
{
  /* Grows by 10 in 10; is set back, and has 4 then; stands still; one that is alone in its bucket. */
  static const MetricsPoint points[]
      = { { 0, 100 }, { 10, 110 }, { 20, 4 }, { 28, 4 }, { 30, 24 }, { 100, 24 }, { 109, 33 } };
  static const MetricsPoint by_ten[] = { { 10, 1 }, { 20, 4. / 18 }, { 30, 10 }, { 100, 9. / 79 } };
  static const MetricsPoint by_hundred[] = { { 0, 34. / 30 }, { 100, 9. / 79 } };
  static const MetricsPoint ends[] = { { G_MININT64, -DBL_MAX }, { G_MAXINT64, DBL_MAX } };
  static const MetricsPoint jump[] = { { 0, -DBL_MAX }, { 1, DBL_MAX } };
  static const MetricsPoint clamped[] = { { 0, DBL_MAX } };
  g_autoptr (GArray) rows = reduce (ends, 2, METRICS_AGGREGATION_RATE, G_MAXINT64);

  assert_rows (reduce (points, 7, METRICS_AGGREGATION_RATE, 10), by_ten, G_N_ELEMENTS (by_ten));
  assert_rows (reduce (points, 7, METRICS_AGGREGATION_RATE, 100), by_hundred, G_N_ELEMENTS (by_hundred));
  assert_rows (reduce (points, 1, METRICS_AGGREGATION_RATE, 100), NULL, 0);
  assert_rows (reduce (jump, 2, METRICS_AGGREGATION_RATE, 100), clamped, 1);
  /* All that there is, in all the time that there is. */
  g_assert_cmpuint (rows->len, ==, 1);
  g_assert_cmpfloat (fabs (g_array_index (rows, MetricsPoint, 0).value / (DBL_MAX / 0x1p63) - 1), <, 1e-15);
}

/* A mean lies between the least and the greatest, whatever rounding does. */
static void
test_average (void)
{
  for (guint i = 0; i < 10000; i++)
    {
      double value = g_test_rand_double () * pow (10, g_test_rand_int_range (-300, 308));
      MetricsPoint points[] = { { 0, value }, { 1, value }, { 2, value } };
      MetricsPoint expected = { 0, value };

      assert_rows (reduce (points, 3, METRICS_AGGREGATION_AVG, 10), &expected, 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bucket/sum", test_sum);
  g_test_add_func ("/bucket/sum-times", test_sum_times);
  g_test_add_func ("/bucket/sum/many", test_sum_many);
  g_test_add_func ("/bucket/select", test_select);
  g_test_add_func ("/bucket/floor", test_floor);
  g_test_add_func ("/bucket/rate", test_rate);
  g_test_add_func ("/bucket/average", test_average);
  return g_test_run ();
}
