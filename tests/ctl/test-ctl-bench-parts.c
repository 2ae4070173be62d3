/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-dialect.h"
#include "ctl/metrics-ctl-bench-histogram.h"

#include <math.h>
#include <string.h>

/* Percentiles are never too low and at most a part in 128 too high. */
static void
assert_near (guint64 found, guint64 expected)
{
  g_assert_cmpuint (found, >=, expected);
  g_assert_cmpuint (found - expected, <=, expected / 128);
}

static void
test_histogram_empty (void)
{
  g_autoptr (MetricsBenchHistogram) histogram = metrics_bench_histogram_new ();

  g_assert_cmpuint (metrics_bench_histogram_get_count (histogram), ==, 0);
  g_assert_cmpuint (metrics_bench_histogram_get_max (histogram), ==, 0);
  g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 0.5), ==, 0);
}

/* Around each power of two, where classes begin to be wider, and at the ends of what there is. */
static void
test_histogram_widths (void)
{
  for (guint bit = 0; bit < 64; bit++)
    for (int i = -2; i <= 2; i++)
      {
        g_autoptr (MetricsBenchHistogram) histogram = metrics_bench_histogram_new ();
        guint64 value = (G_GUINT64_CONSTANT (1) << bit) + (guint64) i;

        metrics_bench_histogram_add (histogram, value, 1);
        /* Without this one, the largest would be told as it is. */
        metrics_bench_histogram_add (histogram, G_MAXUINT64, 1);
        assert_near (metrics_bench_histogram_get_quantile (histogram, 0.5), value);
        g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 1), ==, G_MAXUINT64);
      }
}

static int
compare_values (const void *a, const void *b)
{
  guint64 value_a = *(const guint64 *) a, value_b = *(const guint64 *) b;

  return value_a < value_b ? -1 : value_a > value_b;
}

/* Against all values, sorted. */
static void
test_histogram_quantiles (void)
{
  const double quantiles[] = { 0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 };
  g_autoptr (MetricsBenchHistogram) histogram = metrics_bench_histogram_new ();
  guint64 values[5000];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      values[i] = (guint64) exp (g_test_rand_double_range (0, 30));
      metrics_bench_histogram_add (histogram, values[i], 1);
    }
  qsort (values, G_N_ELEMENTS (values), sizeof *values, compare_values);
  g_assert_cmpuint (metrics_bench_histogram_get_count (histogram), ==, G_N_ELEMENTS (values));
  g_assert_cmpuint (metrics_bench_histogram_get_max (histogram), ==, values[G_N_ELEMENTS (values) - 1]);
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++)
    {
      gsize rank = (gsize) ceil (quantiles[i] * G_N_ELEMENTS (values));

      assert_near (metrics_bench_histogram_get_quantile (histogram, quantiles[i]), values[MAX (rank, 1) - 1]);
    }
}

static void
test_histogram_many (void)
{
  g_autoptr (MetricsBenchHistogram) histogram = metrics_bench_histogram_new ();

  metrics_bench_histogram_add (histogram, 10, 990);
  metrics_bench_histogram_add (histogram, 20, 9);
  metrics_bench_histogram_add (histogram, 30, 1);
  g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 0.99), ==, 10);
  g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 0.9901), ==, 20);
  g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 0.999), ==, 20);
  g_assert_cmpuint (metrics_bench_histogram_get_quantile (histogram, 0.9999), ==, 30);
}

/* Data that goes on where other data ended is the same as all in one. */
static void
test_data_continues (void)
{
  g_autoptr (MetricsBenchData) all = metrics_bench_data_new ("a", 7, 210, 0, 1000);
  g_autoptr (MetricsBenchData) rest = metrics_bench_data_new ("a", 7, 140, 10, 1000);

  for (guint i = 0; i < 140; i++)
    {
      g_assert_cmpfloat (metrics_bench_data_get_value (rest, i), ==,
                         metrics_bench_data_get_value (all, 70 + i));
      g_assert_cmpint (metrics_bench_data_get_time (rest, i), ==, metrics_bench_data_get_time (all, 70 + i));
    }
}

/* All points once, none earlier than in their turn by more than those that are late make room. */
static void
test_data_late (void)
{
  const guint n_series = 10, n_points = 20000;
  g_autoptr (MetricsBenchData) data = metrics_bench_data_new ("a", n_series, n_points, 0, 0);
  g_autofree guint32 *order = metrics_bench_data_make_late (data);
  g_autofree gboolean *seen = g_new0 (gboolean, n_points);
  guint newest = 0, n_late = 0;

  for (guint i = 0; i < n_points; i++)
    {
      guint step = order[i] / n_series;

      g_assert_false (seen[order[i]]);
      seen[order[i]] = TRUE;
      newest = MAX (newest, step);
      n_late += step < newest;
      g_assert_cmpuint (newest - step, <=, 100);
    }
  g_assert_cmpuint (n_late, >, n_points / 10 * 8 / 10);
  g_assert_cmpuint (n_late, <, n_points / 10 * 12 / 10);
}

static void
assert_reply (const char *text, gboolean refused, guint n_points, const char *says)
{
  gsize len = strlen (text);

  /* However it is cut in two, and with something behind it. */
  for (gsize cut = 0; cut <= len; cut++)
    {
      MetricsBenchReply reply = { 0 };
      g_autofree char *rest = g_strconcat (text + cut, "ok\n", NULL);

      if (cut > 0)
        g_assert_cmpint (metrics_bench_dialect_line.parse (&reply, text, cut), ==, cut);
      g_assert_cmpint (reply.complete, ==, cut == len);
      if (cut < len)
        g_assert_cmpint (metrics_bench_dialect_line.parse (&reply, rest, strlen (rest)), ==, len - cut);
      g_assert_true (reply.complete);
      g_assert_cmpint (reply.refused, ==, refused);
      g_assert_cmpuint (reply.n_points, ==, n_points);
      g_assert_cmpstr (reply.text, ==, says);
    }
}

static void
test_line_replies (void)
{
  g_autofree char *many = g_strnfill (1000, 'x');
  g_autofree char *error = g_strdup_printf ("error\n%s\n\n", many);
  g_autofree char *kept = g_strndup (many, METRICS_BENCH_LINE_MAX - 1);

  assert_reply ("ok\n\n", FALSE, 0, "");
  assert_reply ("ok\na 1.0 1\nb 2.0 2\n\n", FALSE, 2, "");
  assert_reply ("error\nwrong command\n\n", TRUE, 0, "wrong command");
  assert_reply (error, TRUE, 0, kept);
}

static void
test_line_nonsense (void)
{
  const char *const texts[] = { "oh\n", "\n", "OK\n\n", "error\n\n", "error\none\ntwo\n\n" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      MetricsBenchReply reply = { 0 };

      g_assert_cmpint (metrics_bench_dialect_line.parse (&reply, texts[i], strlen (texts[i])), <, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/histogram/empty", test_histogram_empty);
  g_test_add_func ("/bench/histogram/widths", test_histogram_widths);
  g_test_add_func ("/bench/histogram/quantiles", test_histogram_quantiles);
  g_test_add_func ("/bench/histogram/many", test_histogram_many);
  g_test_add_func ("/bench/data/continues", test_data_continues);
  g_test_add_func ("/bench/data/late", test_data_late);
  g_test_add_func ("/bench/line/replies", test_line_replies);
  g_test_add_func ("/bench/line/nonsense", test_line_nonsense);
  return g_test_run ();
}
