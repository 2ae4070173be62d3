/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-top-read.h"
#include "ctl/metrics-ctl-top.h"

#include <locale.h>
#include <string.h>

static void
add_sample (GPtrArray *samples, const char *key, double value, gint64 time)
{
  g_ptr_array_add (samples, metrics_sample_new (key, value, time));
}

static GPtrArray *
new_samples (void)
{
  GPtrArray *samples = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_sample_free);

  add_sample (samples, "b", 1, 30);
  add_sample (samples, "A", 3, 10);
  add_sample (samples, "c", -2, 20);
  return samples;
}

static void
assert_shown (const MetricsCtlTopRows *rows, const char *expected)
{
  g_autoptr (GString) keys = g_string_new (NULL);

  for (guint i = 0; i < rows->shown->len; i++)
    g_string_append_printf (keys, "%s%s", i > 0 ? " " : "",
                            ((const MetricsCtlTopRow *) rows->shown->pdata[i])->key);
  g_assert_cmpstr (keys->str, ==, expected);
}

static void
give_stats (MetricsCtlTopRows *rows, const char *key, double avg, guint64 n)
{
  MetricsCtlTopStats *stats = g_new0 (MetricsCtlTopStats, 1);

  stats->n = n;
  stats->avg = stats->min = stats->max = avg;
  metrics_ctl_top_row_take_stats (metrics_ctl_top_rows_find (rows, key), stats, 100);
}

static void
sort (MetricsCtlTopRows *rows, MetricsCtlTopColumn column, gboolean reverse, const char *expected)
{
  rows->sort = column;
  rows->reverse = reverse;
  metrics_ctl_top_rows_arrange (rows);
  assert_shown (rows, expected);
}

static void
test_order (void)
{
  g_autoptr (MetricsCtlTopRows) rows = metrics_ctl_top_rows_new (METRICS_CTL_TOP_KEY, FALSE);
  g_autoptr (GPtrArray) samples = new_samples ();

  metrics_ctl_top_rows_load (rows, samples, 1);
  assert_shown (rows, "A b c");
  sort (rows, METRICS_CTL_TOP_KEY, TRUE, "c b A");
  sort (rows, METRICS_CTL_TOP_LAST, FALSE, "A b c");
  sort (rows, METRICS_CTL_TOP_LAST, TRUE, "c b A");
  sort (rows, METRICS_CTL_TOP_AGE, FALSE, "b c A");
  /* What is not known comes last, by its key. */
  sort (rows, METRICS_CTL_TOP_AVG, FALSE, "A b c");
  give_stats (rows, "c", 7, 1);
  sort (rows, METRICS_CTL_TOP_AVG, FALSE, "c A b");
  give_stats (rows, "b", 9, 5);
  sort (rows, METRICS_CTL_TOP_AVG, FALSE, "b c A");
  sort (rows, METRICS_CTL_TOP_AVG, TRUE, "c b A");
  sort (rows, METRICS_CTL_TOP_POINTS, FALSE, "b c A");
}

static void
test_filter (void)
{
  g_autoptr (MetricsCtlTopRows) rows = metrics_ctl_top_rows_new (METRICS_CTL_TOP_KEY, FALSE);
  g_autoptr (GPtrArray) samples = new_samples ();

  add_sample (samples, "\303\204b", 0, 0);
  metrics_ctl_top_rows_load (rows, samples, 1);
  metrics_ctl_top_rows_set_filter (rows, "B");
  assert_shown (rows, "b \303\204b");
  metrics_ctl_top_rows_set_filter (rows, "\303\244");
  assert_shown (rows, "\303\204b");
  g_assert_cmpint (metrics_ctl_top_rows_get_index (rows, "\303\204b"), ==, 0);
  g_assert_cmpint (metrics_ctl_top_rows_get_index (rows, "b"), ==, -1);
  g_assert_cmpint (metrics_ctl_top_rows_get_index (rows, NULL), ==, -1);
  metrics_ctl_top_rows_set_filter (rows, "");
  g_assert_cmpuint (rows->shown->len, ==, 4);
}

static const MetricsCtlTopRow *
find (const MetricsCtlTopRows *rows, const char *key)
{
  return metrics_ctl_top_rows_find (rows, key);
}

static void
test_put (void)
{
  g_autoptr (MetricsCtlTopRows) rows = metrics_ctl_top_rows_new (METRICS_CTL_TOP_KEY, FALSE);
  g_autoptr (GPtrArray) samples = new_samples ();
  g_autoptr (MetricsSample) late = metrics_sample_new ("b", 100, 29);
  g_autoptr (MetricsSample) again = metrics_sample_new ("b", 200, 30);
  g_autoptr (MetricsSample) fresh = metrics_sample_new ("new", 5, 5);
  gint64 before;

  metrics_ctl_top_rows_load (rows, samples, 1);
  ((MetricsCtlTopRow *) find (rows, "b"))->changed = FALSE;
  /* An older point is none that is shown as the last, but the window has it. */
  g_assert_false (metrics_ctl_top_rows_put (rows, late));
  g_assert_cmpfloat (find (rows, "b")->value, ==, 1);
  g_assert_true (find (rows, "b")->changed);
  g_assert_false (metrics_ctl_top_rows_put (rows, again));
  g_assert_cmpfloat (find (rows, "b")->value, ==, 200);
  g_assert_true (metrics_ctl_top_rows_put (rows, fresh));
  metrics_ctl_top_rows_arrange (rows);
  assert_shown (rows, "A b c new");

  /* An answer to an older question does not undo it. */
  metrics_ctl_top_rows_load (rows, samples, 1);
  g_assert_cmpfloat (find (rows, "b")->value, ==, 200);
  assert_shown (rows, "A b c new");
  /* One to a newer question does: these are all that there are. */
  before = g_get_monotonic_time () + 1;
  g_ptr_array_remove_index (samples, 1);
  metrics_ctl_top_rows_load (rows, samples, before);
  g_assert_cmpfloat (find (rows, "b")->value, ==, 1);
  assert_shown (rows, "b c");
  g_assert_null (find (rows, "A"));
  g_assert_null (find (rows, "new"));
}

static void
test_columns (void)
{
  static const char *const columns[] = { "key", "last", "min", "max", "avg", "points", "age" };
  MetricsCtlTopColumn column;

  G_STATIC_ASSERT (G_N_ELEMENTS (columns) == METRICS_CTL_TOP_N_COLUMNS);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      g_assert_true (metrics_ctl_top_column_from_name (columns[i], &column));
      g_assert_cmpuint (column, ==, i);
    }
  g_assert_false (metrics_ctl_top_column_from_name ("", &column));
  g_assert_false (metrics_ctl_top_column_from_name ("Key", &column));
}

static void
test_steps (void)
{
  g_assert_cmpint (metrics_ctl_top_get_step (1), ==, 1);
  g_assert_cmpint (metrics_ctl_top_get_step (600), ==, 30);
  g_assert_cmpint (metrics_ctl_top_get_step (601), ==, 31);
}

static void
test_ages (void)
{
  const struct
  {
    gint64 seconds;
    const char *text;
  } cases[] = { { 0, "0s" },    { 119, "119s" },  { 120, "2m" },      { 7199, "119m" },
                { 7200, "2h" }, { 172800, "2d" }, { -5, "-5s" },      { 1000 * 86400, "2y" },
                { 600, "10m" }, { 3600, "60m" },  { G_MAXINT64, "-" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = metrics_ctl_top_format_age (cases[i].seconds);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

/* Whatever the width, no line is wider, and the key is there. */
static void
test_widths (void)
{
  g_autoptr (MetricsCtlTopRows) rows = metrics_ctl_top_rows_new (METRICS_CTL_TOP_KEY, FALSE);
  g_autoptr (GPtrArray) samples = new_samples ();

  metrics_ctl_top_rows_load (rows, samples, 1);
  give_stats (rows, "c", -7, 1);
  for (guint width = 1; width < 200; width++)
    {
      const MetricsCtlTopView view = { .rows = rows, .now = 100, .window = 600, .selected = 1, .n_rows = 3 };
      g_auto (GStrv) lines = NULL;
      MetricsCtlPaint paint;

      metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_NONE, TRUE, width);
      metrics_ctl_top_view_draw (&view, &paint);
      lines = g_strsplit (paint.text->str, "\n", -1);
      g_assert_cmpuint (g_strv_length (lines), ==, 5);
      for (guint i = 0; lines[i] != NULL; i++)
        {
          g_assert_cmpuint (strlen (lines[i]), <=, width);
          g_assert_false (g_str_has_suffix (lines[i], " "));
        }
      g_assert_true (lines[1][0] == 'A' && lines[2][0] == 'b' && lines[3][0] == 'c');
      metrics_ctl_paint_clear (&paint);
    }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/top/order", test_order);
  g_test_add_func ("/ctl/top/filter", test_filter);
  g_test_add_func ("/ctl/top/put", test_put);
  g_test_add_func ("/ctl/top/columns", test_columns);
  g_test_add_func ("/ctl/top/steps", test_steps);
  g_test_add_func ("/ctl/top/ages", test_ages);
  g_test_add_func ("/ctl/top/widths", test_widths);
  return g_test_run ();
}
