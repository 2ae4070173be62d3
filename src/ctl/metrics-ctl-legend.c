/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-chart.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>

#define N_COLUMNS 4

/* What a column of numbers takes, and the blanks in front of it; and what is left to keys at least. */
#define COLUMN_WIDTH METRICS_CTL_SHORT_MAX
#define COLUMN_GAP 2
#define MIN_KEY_WIDTH 20

/* The legend gets this part of the lines in any case, and more as long as so many are left to the picture:
 * what nobody can name is of little use. */
#define MIN_PART 3
#define MIN_PICTURE 6

/**
 * metrics_ctl_legend_get_whole_height:
 * @self: a chart
 *
 * Returns: how many lines the legend has where there is room for all of it
 */
guint
metrics_ctl_legend_get_whole_height (const MetricsCtlChart *self)
{
  /* With a line for what the numbers are. */
  return 1 + self->series->len + (self->n_left_out > 0 ? 1 : 0);
}

/**
 * metrics_ctl_legend_get_height:
 * @self: a chart
 * @n_free: how many lines there are for the legend and the axes
 *
 * Returns: how many lines the legend gets; 0 where there are too few
 */
guint
metrics_ctl_legend_get_height (const MetricsCtlChart *self, guint n_free)
{
  guint kept = MAX (n_free / MIN_PART, MIN_PICTURE);
  guint most = MAX (n_free / MIN_PART, n_free - MIN (n_free, kept));
  guint wanted = metrics_ctl_legend_get_whole_height (self);

  return self->series->len == 0 ? 0 : MIN (wanted, most);
}

static guint
get_n_columns (const MetricsCtlPaint *paint, guint mark_width)
{
  guint n_free = paint->width > mark_width + MIN_KEY_WIDTH ? paint->width - mark_width - MIN_KEY_WIDTH : 0;

  return MIN (n_free / (COLUMN_WIDTH + COLUMN_GAP), N_COLUMNS);
}

/* As wide as the longest, as far as there is room: numbers far away from their key are hard to follow. */
static guint
get_key_width (const MetricsCtlChart *self, const MetricsCtlPaint *paint, guint mark_width, guint n_columns)
{
  guint n_free = paint->width - MIN (paint->width, mark_width + n_columns * (COLUMN_WIDTH + COLUMN_GAP));
  gsize width = 0;

  for (guint i = 0; i < self->series->len; i++)
    width = MAX (width, metrics_ctl_text_width (((const MetricsCtlSeries *) self->series->pdata[i])->label));
  return (guint) MIN (width, n_free);
}

static void
draw_titles (MetricsCtlPaint *paint, guint mark_width, guint key_width, guint n_columns)
{
  /* Above the numbers of the legend: the newest value, the least, the greatest, the mean. */
  const char *titles[N_COLUMNS] = { _ ("last"), _ ("min"), _ ("max"), _ ("avg") };

  metrics_ctl_paint_blanks (paint, mark_width + key_width);
  for (guint i = 0; i < n_columns; i++)
    {
      metrics_ctl_paint_blanks (paint, COLUMN_GAP);
      metrics_ctl_paint_right (paint, METRICS_CTL_STYLE_FAINT, titles[i], COLUMN_WIDTH);
    }
  metrics_ctl_paint_end_line (paint);
}

static void
draw_series (const MetricsCtlChart *self,
             MetricsCtlPaint *paint,
             guint nth,
             guint mark_width,
             guint key_width,
             guint n_columns)
{
  const MetricsCtlSeries *series = g_ptr_array_index (self->series, nth);
  MetricsCtlSummary summary = metrics_ctl_series_summarize (series, self->from, self->to);
  const double values[N_COLUMNS] = { summary.last, summary.min, summary.max, summary.avg };

  if (mark_width > 0)
    {
      metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_SERIES + nth,
                                 (guchar) metrics_ctl_chart_get_letter (nth));
      metrics_ctl_paint_blanks (paint, mark_width - 1);
    }
  metrics_ctl_paint_fitted (paint, METRICS_CTL_STYLE_SERIES + nth, series->label, key_width);
  for (guint i = 0; i < n_columns; i++)
    {
      g_autofree char *text = summary.n > 0 ? metrics_ctl_format_short (values[i]) : g_strdup ("-");

      metrics_ctl_paint_blanks (paint, COLUMN_GAP);
      metrics_ctl_paint_right (paint, METRICS_CTL_STYLE_PLAIN, text, COLUMN_WIDTH);
    }
  metrics_ctl_paint_end_line (paint);
}

static void
draw_rest (MetricsCtlPaint *paint, guint n_unnamed, guint n_left_out)
{
  g_autofree char *unnamed
      = n_unnamed > 0
            ? g_strdup_printf (ngettext ("%u more is drawn", "%u more are drawn", n_unnamed), n_unnamed)
            : NULL;
  g_autofree char *left_out
      = n_left_out > 0
            ? g_strdup_printf (ngettext ("%u more matches and is not drawn (see --limit)",
                                         "%u more match and are not drawn (see --limit)", n_left_out),
                               n_left_out)
            : NULL;

  if (unnamed != NULL)
    metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_FAINT, unnamed);
  if (unnamed != NULL && left_out != NULL)
    metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_FAINT, "; ");
  if (left_out != NULL)
    metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_BOLD, left_out);
  metrics_ctl_paint_end_line (paint);
}

/**
 * metrics_ctl_legend_draw_names:
 * @self: a chart
 * @paint: where to draw it
 *
 * Names the series in the line that is being painted: where there is no room for a legend.
 */
void
metrics_ctl_legend_draw_names (const MetricsCtlChart *self, MetricsCtlPaint *paint)
{
  for (guint i = 0; i < self->series->len && paint->column < paint->width; i++)
    {
      const MetricsCtlSeries *series = g_ptr_array_index (self->series, i);
      guint style = METRICS_CTL_STYLE_SERIES + i;

      if (self->series->len > 1)
        {
          metrics_ctl_paint_unichar (paint, style, (guchar) metrics_ctl_chart_get_letter (i));
          metrics_ctl_paint_blanks (paint, 1);
        }
      metrics_ctl_paint_fitted (paint, style, series->label,
                                (guint) MIN (metrics_ctl_text_width (series->label),
                                             paint->width - paint->column));
      metrics_ctl_paint_blanks (paint, 2);
    }
}

/**
 * metrics_ctl_legend_draw:
 * @self: a chart
 * @paint: where to draw it
 * @height: how many lines it has: see metrics_ctl_legend_get_height()
 *
 * Names the series, with their last, least, greatest and mean value in the span that is shown.
 */
void
metrics_ctl_legend_draw (const MetricsCtlChart *self, MetricsCtlPaint *paint, guint height)
{
  guint mark_width = self->series->len > 1 ? 2 : 0;
  guint n_columns = get_n_columns (paint, mark_width);
  guint key_width = get_key_width (self, paint, mark_width, n_columns);
  gboolean titles = height >= 2;
  guint n_lines = height - (titles ? 1 : 0);
  gboolean rest = self->n_left_out > 0 || self->series->len > n_lines;
  guint n_named = MIN (self->series->len, n_lines - (rest && n_lines > 1 ? 1 : 0));

  if (titles)
    draw_titles (paint, mark_width, key_width, n_columns);
  for (guint i = 0; i < n_named; i++)
    draw_series (self, paint, i, mark_width, key_width, n_columns);
  if (rest && n_lines > 1)
    draw_rest (paint, self->series->len - n_named, self->n_left_out);
}
