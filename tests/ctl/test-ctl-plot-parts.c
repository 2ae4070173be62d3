/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-axis.h"
#include "ctl/metrics-ctl-canvas.h"
#include "ctl/metrics-ctl-paint.h"
#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-series.h"
#include "ctl/metrics-ctl-text.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

/* What the labels of an axis are, with a blank between them. */
static char *
label (const MetricsCtlAxis *axis)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < axis->n_ticks; i++)
    {
      g_autofree char *tick = metrics_ctl_axis_format (axis, axis->ticks[i]);

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", tick);
    }
  return g_string_free (text, FALSE);
}

static void
test_axis_labels (void)
{
  static const struct
  {
    double low;
    double high;
    guint max_ticks;
    const char *labels;
  } cases[] = {
    { 0, 100, 6, "0 20 40 60 80 100" },
    { 3, 97, 6, "0 20 40 60 80 100" },
    { 0, 1, 3, "0 0.5 1.0" },
    { -7, 7, 4, "-10 -5 0 5 10" },
    { 0.21, 0.24, 4, "0.21 0.22 0.23 0.24" },
    { 1e6, 3e6, 5, "1.0M 1.5M 2.0M 2.5M 3.0M" },
    { 0, 15000, 4, "0 5k 10k 15k" },
    { 1e9, 1.1e9, 3, "1.00G 1.05G 1.10G" },
    { 0, 4e-6, 3, "0 2e-06 4e-06" },
    { -2e20, 0, 3, "-2e+20 -1e+20 0" },
    /* One value has room around it. */
    { 22, 22, 3, "20 22 24" },
    { 0, 0, 3, "-1 0 1" },
    { -1e-7, -1e-7, 3, "-1.05e-07 -1.00e-07 -0.95e-07" },
    { 5e-324, 5e-324, 3, "-1 0 1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      MetricsCtlAxis axis;
      g_autofree char *labels = NULL;

      metrics_ctl_axis_fit (&axis, cases[i].low, cases[i].high, FALSE, FALSE, cases[i].max_ticks);
      labels = label (&axis);
      g_assert_cmpstr (labels, ==, cases[i].labels);
    }
}

/* Whatever the values are, the axis holds them, its ticks ascend and are on it, and no two labels are the
 * same. */
static void
check_axis (double low, double high, guint max_ticks)
{
  MetricsCtlAxis axis;
  g_autofree char *last = NULL;

  metrics_ctl_axis_fit (&axis, low, high, FALSE, FALSE, max_ticks);
  g_assert_true (isfinite (axis.low) && isfinite (axis.high));
  g_assert_cmpfloat (axis.low, <, axis.high);
  g_assert_cmpfloat (axis.low, <=, low < 0 || low > 1e-289 ? low : 0);
  g_assert_cmpfloat (axis.high, >=, high > 0 || high < -1e-289 ? high : 0);
  g_assert_cmpuint (axis.n_ticks, >=, 1);
  for (guint i = 0; i < axis.n_ticks; i++)
    {
      double part = metrics_ctl_axis_get_part (&axis, axis.ticks[i]);
      char *text = metrics_ctl_axis_format (&axis, axis.ticks[i]);

      g_assert_cmpfloat (part, >=, -1e-6);
      g_assert_cmpfloat (part, <=, 1 + 1e-6);
      g_assert_cmpuint (strlen (text), <=, 22);
      g_assert_cmpstr (text, !=, last);
      if (i > 0)
        g_assert_cmpfloat (axis.ticks[i], >, axis.ticks[i - 1]);
      g_free (last);
      last = text;
    }
}

static void
test_axis_any_values (void)
{
  const double values[] = { 0,   5e-324, 1e-300, 1e-9, 0.1,  1,     1 + DBL_EPSILON, 1.5,    99.9999999,
                            1e6, 1e15,   1e16,   1e17, 1e18, 1e300, DBL_MAX / 2,     DBL_MAX };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    for (guint j = 0; j < G_N_ELEMENTS (values); j++)
      for (guint max_ticks = 2; max_ticks < 30; max_ticks += 3)
        {
          check_axis (MIN (values[i], values[j]), MAX (values[i], values[j]), max_ticks);
          check_axis (-values[i], values[j], max_ticks);
          check_axis (-MAX (values[i], values[j]), -MIN (values[i], values[j]), max_ticks);
        }
}

static void
test_axis_ends_that_are_given (void)
{
  MetricsCtlAxis axis;

  metrics_ctl_axis_fit (&axis, 3, 96, TRUE, TRUE, 5);
  g_assert_cmpfloat (axis.low, ==, 3);
  g_assert_cmpfloat (axis.high, ==, 96);
  g_assert_cmpfloat (axis.ticks[0], ==, 50);
  g_assert_cmpfloat (metrics_ctl_axis_get_part (&axis, 3), ==, 0);
  g_assert_cmpfloat (metrics_ctl_axis_get_part (&axis, 96), ==, 1);
  g_assert_cmpfloat (metrics_ctl_axis_get_part (&axis, DBL_MAX), ==, 1e6);
  metrics_ctl_axis_fit (&axis, 5, 5, TRUE, FALSE, 5);
  g_assert_cmpfloat (axis.low, ==, 5);
  g_assert_cmpfloat (axis.high, >, 5);
}

static char *
label_times (gint64 from, gint64 to, GTimeZone *zone, guint columns)
{
  g_autoptr (GArray) ticks = metrics_ctl_time_ticks_new (from, to, zone, columns);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ticks->len; i++)
    {
      const MetricsCtlTick *tick = &g_array_index (ticks, MetricsCtlTick, i);

      g_assert_cmpint (tick->time, >=, from);
      g_assert_cmpint (tick->time, <=, to);
      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", tick->label);
    }
  return g_string_free (text, FALSE);
}

static void
test_time_ticks (void)
{
  static const struct
  {
    gint64 from;
    gint64 to;
    guint columns;
    const char *labels;
  } cases[] = {
    { 1795179785, 1795179815, 80, "13:03:05 13:03:10 13:03:15 13:03:20 13:03:25 13:03:30 13:03:35" },
    { 1795179785, 1795183385, 40, "13:15 13:30 13:45 14:00" },
    { 1795046400, 1795132800, 40, "11-19 06:00 12:00 18:00 11-20" },
    { 1795046400, 1795651200, 80, "11-19 11-20 11-21 11-22 11-23 11-24 11-25 11-26" },
    /* Mondays. */
    { 1795046400, 1797638400, 40, "11-23 11-30 12-07 12-14" },
    { 1767225600, 1798761600, 80, "2026-01 2026-03 2026-05 2026-07 2026-09 2026-11 2027-01" },
    { 0, 1795179785, 60, "1970 1980 1990 2000 2010 2020" },
    { -5, 5, 60, "23:59:56 23:59:58 01-01 00:00:02 00:00:04" },
    { 0, 0, 60, "01-01" },
    /* What no calendar has. */
    { 1700000000000, 1700000099000, 60, "1700000000000 1700000050000" },
    { G_MAXINT64 - 10, G_MAXINT64, 60, "9223372036854775800 9223372036854775805" },
    { G_MININT64, G_MAXINT64, 20, "-9223372036854775808" },
    { G_MININT64, G_MAXINT64, 90, "-5000000000000000000 0 5000000000000000000" },
  };
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *labels = label_times (cases[i].from, cases[i].to, zone, cases[i].columns);

      g_test_message ("%" G_GINT64_FORMAT, cases[i].from);
      g_assert_cmpstr (labels, ==, cases[i].labels);
    }
}

/* The clocks go back at 3 o'clock on the last Sunday of October; ticks stay at even times of day. */
static void
test_time_ticks_when_clocks_change (void)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier ("CET-1CEST,M3.5.0,M10.5.0/3");
  g_autofree char *labels = NULL;
  g_autofree char *days = NULL;

  g_assert_nonnull (zone);
  /* 2026-10-24 22:00 to 2026-10-25 23:00 universal time. */
  labels = label_times (1792879200, 1792969200, zone, 60);
  g_assert_cmpstr (labels, ==, "10-25 03:00 06:00 09:00 12:00 15:00 18:00 21:00 10-26");
  days = label_times (1792792800, 1793142000, zone, 40);
  g_assert_cmpstr (days, ==, "10-24 10-25 10-26 10-27 10-28");
}

static void
test_steps (void)
{
  g_assert_cmpint (metrics_ctl_step_choose (0, 100, 100), ==, 1);
  g_assert_cmpint (metrics_ctl_step_choose (0, 101, 100), ==, 2);
  g_assert_cmpint (metrics_ctl_step_choose (1700000000, 1700003600, 160), ==, 30);
  g_assert_cmpint (metrics_ctl_step_choose (1668464000, 1700000000, 160), ==, 7 * 86400);
  g_assert_cmpint (metrics_ctl_step_choose (5, 5, 160), ==, 1);
  g_assert_cmpint (metrics_ctl_step_choose (1700000000000, 1700000099000, 100), ==, 1000);
  g_assert_cmpint (metrics_ctl_step_choose (G_MININT64, G_MAXINT64, 1), ==, G_MAXINT64);
}

static void
test_spans (void)
{
  const struct
  {
    gint64 seconds;
    const char *text;
  } cases[]
      = { { 1, "1s" }, { 90, "90s" }, { 300, "5m" }, { 7200, "2h" }, { 86400, "1d" }, { 14 * 86400, "2w" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = metrics_ctl_span_format (cases[i].seconds);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_short_numbers (void)
{
  const struct
  {
    double value;
    const char *text;
  } cases[] = {
    { 0, "0" },
    { -0.0, "0" },
    { 0.1 + 0.2, "0.3" },
    { 123456, "123456" },
    { 999999, "999999" },
    { 999999.7, "999999.7" },
    { -12345.678, "-12345.68" },
    { 1000001, "1000001" },
    { 1234567.8, "1234568" },
    { 2148000123, "2148000123" },
    { -999999999, "-999999999" },
    { -2148000123, "-2.148G" },
    { 9999999999.5, "10G" },
    { 12345678901, "12.345679G" },
    { 999999999999, "1T" },
    { 1e15, "1P" },
    { -2.5e12, "-2.5T" },
    { 1e30, "1e+30" },
    { -DBL_MAX, "-1.8e+308" },
    { 0.1234567, "0.1234567" },
    { -0.00012345678, "-0.0001235" },
    { 1.5e-7, "1.5e-07" },
    { 5e-324, "4.941e-324" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = metrics_ctl_format_short (cases[i].value);

      g_assert_cmpstr (text, ==, cases[i].text);
      g_assert_cmpuint (strlen (text), <=, METRICS_CTL_SHORT_MAX);
    }
}

static void
test_canvas_dots (void)
{
  /* The bits of U+2800 and up, row by row. */
  const gunichar dots[4][2]
      = { { 0x2801, 0x2808 }, { 0x2802, 0x2810 }, { 0x2804, 0x2820 }, { 0x2840, 0x2880 } };

  for (guint y = 0; y < 4; y++)
    for (guint x = 0; x < 2; x++)
      {
        g_autoptr (MetricsCtlCanvas) canvas = metrics_ctl_canvas_new (3, 2);

        metrics_ctl_canvas_dot (canvas, 2 + x, 4 + y, 7);
        g_assert_cmpuint (metrics_ctl_canvas_get_braille (canvas, 1, 1), ==, dots[y][x]);
        g_assert_cmpuint (metrics_ctl_canvas_get_ascii (canvas, 1, 1), ==, y < 2 ? '\'' : '.');
        g_assert_cmpuint (metrics_ctl_canvas_get_color (canvas, 1, 1), ==, 7);
        for (guint i = 0; i < 6; i++)
          if (i != 4)
            g_assert_cmpuint (metrics_ctl_canvas_get_braille (canvas, i % 3, i / 3), ==, ' ');
      }
}

static guint
count_dots (const MetricsCtlCanvas *canvas, guint columns, guint rows)
{
  guint n = 0;

  for (guint i = 0; i < columns * rows; i++)
    {
      gunichar c = metrics_ctl_canvas_get_braille (canvas, i % columns, i / columns);

      for (guint bits = c == ' ' ? 0 : c - 0x2800; bits != 0; bits &= bits - 1)
        n++;
    }
  return n;
}

static void
test_canvas_lines (void)
{
  g_autoptr (MetricsCtlCanvas) canvas = metrics_ctl_canvas_new (4, 2);

  metrics_ctl_canvas_line (canvas, 0, 0, 7, 7, 1);
  g_assert_cmpuint (count_dots (canvas, 4, 2), ==, 8);
  g_assert_cmpuint (metrics_ctl_canvas_get_braille (canvas, 0, 0), ==, 0x2801 | 0x2810);
  g_assert_cmpuint (metrics_ctl_canvas_get_braille (canvas, 3, 1), ==, 0x2804 | 0x2880);
  /* The same way back has the same dots. */
  metrics_ctl_canvas_line (canvas, 7, 7, 0, 0, 1);
  g_assert_cmpuint (count_dots (canvas, 4, 2), ==, 8);
}

static void
test_canvas_far_away (void)
{
  g_autoptr (MetricsCtlCanvas) canvas = metrics_ctl_canvas_new (4, 2);

  metrics_ctl_canvas_line (canvas, -1e9, -1e9, -5, 1e9, 1);
  metrics_ctl_canvas_line (canvas, 8, 0, 8, 7, 1);
  metrics_ctl_canvas_line (canvas, 0, -2, 7, -1, 1);
  metrics_ctl_canvas_dot (canvas, -1, 3, 1);
  metrics_ctl_canvas_dot (canvas, 1e18, 1e18, 1);
  g_assert_cmpuint (count_dots (canvas, 4, 2), ==, 0);
  /* Of one that passes through, what is there. */
  metrics_ctl_canvas_line (canvas, -1e6, 3, 1e6, 3, 2);
  g_assert_cmpuint (count_dots (canvas, 4, 2), ==, 8);
  metrics_ctl_canvas_line (canvas, 3, -1e6, 3, 1e6, 2);
  g_assert_cmpuint (count_dots (canvas, 4, 2), ==, 15);
}

static void
assert_painted (MetricsCtlPaint *paint, const char *expected)
{
  g_assert_cmpstr (paint->text->str, ==, expected);
  metrics_ctl_paint_clear (paint);
}

static void
test_paint_plain (void)
{
  MetricsCtlPaint paint;

  metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_NONE, FALSE, 10);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_SERIES + 2, "ab");
  metrics_ctl_paint_blanks (&paint, 3);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_BOLD, "c");
  metrics_ctl_paint_blanks (&paint, 100);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "too far");
  metrics_ctl_paint_end_line (&paint);
  metrics_ctl_paint_right (&paint, METRICS_CTL_STYLE_PLAIN, "12", 5);
  metrics_ctl_paint_end_line (&paint);
  assert_painted (&paint, "ab   c\n   12\n");
}

static void
test_paint_colors (void)
{
  MetricsCtlPaint paint;

  metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_256, FALSE, 20);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_SERIES, "ab");
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_SERIES + 1, "c");
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "d");
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_SERIES + 8, "e");
  metrics_ctl_paint_end_line (&paint);
  assert_painted (&paint, "\033[38;5;33mab\033[0m\033[38;5;208mc\033[0md\033[38;5;33me\033[0m\n");
  metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_16, FALSE, 20);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_SERIES, "ab");
  metrics_ctl_paint_end_line (&paint);
  assert_painted (&paint, "\033[94mab\033[0m\n");
}

static void
test_paint_screen (void)
{
  MetricsCtlPaint paint;
  g_autofree char *bytes = NULL;
  gsize n_bytes;

  metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_NONE, FALSE, 3);
  paint.screen = TRUE;
  metrics_ctl_paint_restart (&paint, 3);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "ab");
  metrics_ctl_paint_end_line (&paint);
  /* Behind the last cell nothing is cleared: it would be that one. */
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "abc");
  metrics_ctl_paint_end_line (&paint);
  bytes = metrics_ctl_paint_take (&paint, &n_bytes);
  g_assert_cmpmem (bytes, n_bytes, "\033[Hab\033[K\r\nabc", strlen ("\033[Hab\033[K\r\nabc"));
  metrics_ctl_paint_clear (&paint);
}

static void
test_paint_widths (void)
{
  static const struct
  {
    const char *text;
    guint width;
    gboolean ascii;
    const char *fitted;
  } cases[] = {
    { "abc", 5, FALSE, "abc  |" },
    { "abcdefghij", 10, FALSE, "abcdefghij|" },
    { "abcdefghijkl", 10, FALSE, "abc\u2026ghijkl|" },
    { "abcdefghijkl", 10, TRUE, "ab..ghijkl|" },
    { "abcdefgh", 3, FALSE, "agh|" },
    { "abc", 1, FALSE, "c|" },
    /* Two cells each; a blank where half of one is left over. */
    { "\u6e29\u5ea6\u6e29\u5ea6", 8, FALSE, "\u6e29\u5ea6\u6e29\u5ea6|" },
    { "\u6e29\u5ea6\u6e29\u5ea6", 7, FALSE, "\u6e29\u2026\u6e29\u5ea6|" },
    { "\u6e29\u5ea6\u6e29\u5ea6", 6, FALSE, "\u2026\u6e29\u5ea6 |" },
    /* None at all. */
    { "e\u0301e\u0301", 2, FALSE, "e\u0301e\u0301|" },
    { "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 5, FALSE, "e\u0301\u2026e\u0301e\u0301e\u0301|" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      MetricsCtlPaint paint;

      metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_NONE, cases[i].ascii, 20);
      metrics_ctl_paint_fitted (&paint, METRICS_CTL_STYLE_PLAIN, cases[i].text, cases[i].width);
      g_assert_cmpuint (paint.column, ==, cases[i].width);
      metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "|");
      assert_painted (&paint, cases[i].fitted);
    }
}

/* A wide character that would reach beyond the end is not there, nor what is behind it. */
static void
test_paint_end (void)
{
  MetricsCtlPaint paint;

  metrics_ctl_paint_init (&paint, METRICS_CTL_COLORS_NONE, FALSE, 3);
  metrics_ctl_paint_text (&paint, METRICS_CTL_STYLE_PLAIN, "ab\u6e29c");
  metrics_ctl_paint_end_line (&paint);
  assert_painted (&paint, "ab\n");
}

static void
test_colors_of_terminals (void)
{
  static const struct
  {
    const char *term;
    const char *colorterm;
    const char *no_color;
    const char *when;
    gboolean terminal;
    MetricsCtlColors colors;
  } cases[] = {
    { "xterm", NULL, NULL, NULL, TRUE, METRICS_CTL_COLORS_16 },
    { "xterm-256color", NULL, NULL, "auto", TRUE, METRICS_CTL_COLORS_256 },
    { "xterm", "truecolor", NULL, NULL, TRUE, METRICS_CTL_COLORS_256 },
    { "xterm", NULL, NULL, NULL, FALSE, METRICS_CTL_COLORS_NONE },
    { "dumb", NULL, NULL, NULL, TRUE, METRICS_CTL_COLORS_NONE },
    { NULL, NULL, NULL, NULL, TRUE, METRICS_CTL_COLORS_NONE },
    { "xterm", NULL, "1", NULL, TRUE, METRICS_CTL_COLORS_NONE },
    { "xterm", NULL, "", NULL, TRUE, METRICS_CTL_COLORS_16 },
    { "xterm", NULL, "1", "always", FALSE, METRICS_CTL_COLORS_16 },
    { "xterm-256color", NULL, NULL, "never", TRUE, METRICS_CTL_COLORS_NONE },
  };
  MetricsCtlColors colors;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const names[] = { "TERM", "COLORTERM", "NO_COLOR" };
      const char *const values[] = { cases[i].term, cases[i].colorterm, cases[i].no_color };

      for (guint j = 0; j < G_N_ELEMENTS (names); j++)
        if (values[j] != NULL)
          g_setenv (names[j], values[j], TRUE);
        else
          g_unsetenv (names[j]);
      g_assert_true (metrics_ctl_colors_choose (cases[i].when, cases[i].terminal, &colors));
      g_assert_cmpint (colors, ==, cases[i].colors);
    }
  g_assert_false (metrics_ctl_colors_choose ("sometimes", TRUE, &colors));
}

static void
test_keys (void)
{
  static const struct
  {
    const char *bytes;
    guint key;
    gsize used;
  } cases[] = {
    { "q", 'q', 1 },
    { "\303\244x", 0xe4, 2 },
    { "\303", 0, 0 },
    { "\377a", 0, 1 },
    { "\r", METRICS_CTL_KEY_ENTER, 1 },
    { "\177", METRICS_CTL_KEY_BACKSPACE, 1 },
    { "\033", 0, 0 },
    { "\033[", 0, 0 },
    { "\033[A", METRICS_CTL_KEY_UP, 3 },
    { "\033OB", METRICS_CTL_KEY_DOWN, 3 },
    { "\033[5~x", METRICS_CTL_KEY_PAGE_UP, 4 },
    { "\033[1;", 0, 0 },
    /* One that is not known is passed by as a whole. */
    { "\033[1;5Aq", 0, 6 },
    { "\033q", METRICS_CTL_KEY_ESCAPE, 1 },
    { "\033\033[A", METRICS_CTL_KEY_ESCAPE, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize used;

      g_assert_cmpuint (metrics_ctl_screen_parse_key (cases[i].bytes, strlen (cases[i].bytes), &used), ==,
                        cases[i].key);
      g_assert_cmpuint (used, ==, cases[i].used);
    }
}

static void
add (GArray *points, gint64 time, double value)
{
  MetricsPoint point = { time, value };

  g_array_append_val (points, point);
}

static void
test_series (void)
{
  g_autoptr (MetricsCtlSeries) series = metrics_ctl_series_new ("a\u202eb");
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
  MetricsCtlSummary summary;

  /* What turns the writing around is shown, not done. */
  g_assert_cmpstr (series->label, ==, "a\\xe2\\x80\\xaeb");
  g_assert_cmpuint (metrics_ctl_series_summarize (series, 0, 100).n, ==, 0);
  for (gint64 time = 0; time <= 50; time += 10)
    add (points, time, time % 20 == 0 ? DBL_MAX : 1);
  metrics_ctl_series_replace (series, G_MININT64, points);
  summary = metrics_ctl_series_summarize (series, 10, 40);
  g_assert_cmpuint (summary.n, ==, 4);
  g_assert_cmpfloat (summary.last, ==, DBL_MAX);
  g_assert_cmpint (summary.last_time, ==, 40);
  g_assert_cmpfloat (summary.min, ==, 1);
  g_assert_cmpfloat (summary.max, ==, DBL_MAX);
  g_assert_cmpfloat_with_epsilon (summary.avg / DBL_MAX, 0.5, 1e-9);
  g_assert_cmpfloat (metrics_ctl_series_get_longest_step (series, 1), ==, 25);
  g_assert_cmpfloat (metrics_ctl_series_get_longest_step (series, 30), ==, 75);

  g_array_set_size (points, 0);
  add (points, 30, 7);
  metrics_ctl_series_replace (series, 25, points);
  g_assert_cmpuint (series->points->len, ==, 4);
  g_assert_cmpfloat (metrics_ctl_series_summarize (series, 0, 100).last, ==, 7);
  /* The last one before stays. */
  metrics_ctl_series_forget (series, 15);
  g_assert_cmpuint (series->points->len, ==, 3);
  g_assert_cmpint (g_array_index (series->points, MetricsPoint, 0).time, ==, 10);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/plot/axis/labels", test_axis_labels);
  g_test_add_func ("/ctl/plot/axis/any-values", test_axis_any_values);
  g_test_add_func ("/ctl/plot/axis/ends-that-are-given", test_axis_ends_that_are_given);
  g_test_add_func ("/ctl/plot/times/ticks", test_time_ticks);
  g_test_add_func ("/ctl/plot/times/clocks-change", test_time_ticks_when_clocks_change);
  g_test_add_func ("/ctl/plot/times/steps", test_steps);
  g_test_add_func ("/ctl/plot/times/spans", test_spans);
  g_test_add_func ("/ctl/plot/short-numbers", test_short_numbers);
  g_test_add_func ("/ctl/plot/canvas/dots", test_canvas_dots);
  g_test_add_func ("/ctl/plot/canvas/lines", test_canvas_lines);
  g_test_add_func ("/ctl/plot/canvas/far-away", test_canvas_far_away);
  g_test_add_func ("/ctl/plot/paint/plain", test_paint_plain);
  g_test_add_func ("/ctl/plot/paint/colors", test_paint_colors);
  g_test_add_func ("/ctl/plot/paint/screen", test_paint_screen);
  g_test_add_func ("/ctl/plot/paint/widths", test_paint_widths);
  g_test_add_func ("/ctl/plot/paint/end", test_paint_end);
  g_test_add_func ("/ctl/plot/colors", test_colors_of_terminals);
  g_test_add_func ("/ctl/plot/keys", test_keys);
  g_test_add_func ("/ctl/plot/series", test_series);
  return g_test_run ();
}
