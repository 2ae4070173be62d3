/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-chart.h"

#include "ctl/metrics-ctl-axis.h"
#include "ctl/metrics-ctl-canvas.h"
#include "ctl/metrics-ctl-text.h"

#include <math.h>
#include <string.h>

/* At least so many lines from one label to the next one; where they are few a finer axis leaves less of them
 * empty. */
#define LINES_PER_TICK 3
#define LINES_PER_TICK_OF_FEW 2
#define FEW_LINES 14

/* From so many lines on there is one for the title, and for the legend; and so many lines has a picture that
 * may be as high as it needs to be. */
#define MIN_HEIGHT_OF_TITLE 5
#define MIN_HEIGHT_OF_LEGEND 8
#define GOOD_ROWS 11

/* The line of the axis of time, and that of its labels. */
#define AXIS_HEIGHT 2

/* How many series a line can name behind its end. */
#define MAX_MARKS 3

/* Where what is drawn stands. */
typedef struct
{
  gboolean title;    /* whether there is a line for it */
  guint legend;      /* lines of the legend */
  guint label_width; /* of the labels of values */
  guint margin;      /* cells behind the canvas */
  guint columns;     /* cells of the canvas */
  guint rows;        /* its lines */
  char **marks;      /* (owned): for each line, what names the series that end there */
  MetricsCtlAxis axis;
} Layout;

/**
 * metrics_ctl_chart_get_letter:
 * @nth: a series, from 0 on
 *
 * Returns: the letter that stands for it
 */
char
metrics_ctl_chart_get_letter (guint nth)
{
  return (char) (nth < 26 ? 'a' + nth : 'A' + nth - 26);
}

/**
 * metrics_ctl_chart_get_dots:
 * @width: how many cells a chart is wide
 *
 * Returns: about how many dots there are side by side
 */
guint
metrics_ctl_chart_get_dots (guint width)
{
  return MAX (width, METRICS_CTL_CHART_MIN_WIDTH) * METRICS_CTL_CANVAS_DOTS_X;
}

/**
 * metrics_ctl_chart_get_whole_height:
 * @self: a chart
 *
 * Returns: how many lines are enough for a picture and the whole legend
 */
guint
metrics_ctl_chart_get_whole_height (const MetricsCtlChart *self)
{
  return 1 + GOOD_ROWS + AXIS_HEIGHT + metrics_ctl_legend_get_whole_height (self);
}

/* The values that have to be seen. */
static gboolean
find_extremes (const MetricsCtlChart *self, double *low, double *high)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->series->len; i++)
    {
      MetricsCtlSummary summary
          = metrics_ctl_series_summarize (g_ptr_array_index (self->series, i), self->from, self->to);

      if (summary.n == 0)
        continue;
      *low = found ? MIN (*low, summary.min) : summary.min;
      *high = found ? MAX (*high, summary.max) : summary.max;
      found = TRUE;
    }
  return found;
}

static void
fit_axis (const MetricsCtlChart *self, Layout *layout)
{
  guint per_tick = layout->rows <= FEW_LINES ? LINES_PER_TICK_OF_FEW : LINES_PER_TICK;
  double low = 0, high = 1;

  if (!find_extremes (self, &low, &high))
    {
      low = self->min != NULL ? *self->min : self->max != NULL ? *self->max - 1 : 0;
      high = low + 1;
    }
  /* An end that is given wins over values beyond it. */
  if (self->min != NULL)
    low = *self->min, high = MAX (high, low);
  if (self->max != NULL)
    high = *self->max, low = MIN (low, high);
  metrics_ctl_axis_fit (&layout->axis, low, high, self->min != NULL, self->max != NULL,
                        MAX (layout->rows / per_tick, 2));
}

static void
lay_out (const MetricsCtlChart *self, const MetricsCtlPaint *paint, Layout *layout)
{
  guint n_free = self->height;

  layout->title = self->height >= MIN_HEIGHT_OF_TITLE;
  n_free -= layout->title ? 1 : 0;
  layout->legend = self->height >= MIN_HEIGHT_OF_LEGEND ? metrics_ctl_legend_get_height (self, n_free) : 0;
  n_free -= layout->legend;
  layout->rows = n_free > AXIS_HEIGHT ? n_free - AXIS_HEIGHT : 1;
  layout->marks = g_new0 (char *, layout->rows + 1);
  fit_axis (self, layout);

  layout->label_width = 0;
  for (guint i = 0; i < layout->axis.n_ticks; i++)
    {
      g_autofree char *label = metrics_ctl_axis_format (&layout->axis, layout->axis.ticks[i]);

      layout->label_width = MAX (layout->label_width, (guint) metrics_ctl_text_width (label));
    }
  layout->label_width = MIN (layout->label_width, paint->width / 2);
  layout->margin = self->series->len > 1 ? 1 + MIN (self->series->len, MAX_MARKS) : 0;
  /* Labels, the axis, the canvas, the margin. */
  layout->columns = MAX (paint->width, layout->label_width + 1 + layout->margin + 2) - layout->label_width - 1
                    - layout->margin;
}

static double
get_x (const MetricsCtlChart *self, const Layout *layout, gint64 time)
{
  guint last = layout->columns * METRICS_CTL_CANVAS_DOTS_X - 1;
  double span = (double) ((guint64) self->to - (guint64) self->from);
  double off = time >= self->from ? (double) ((guint64) time - (guint64) self->from)
                                  : -(double) ((guint64) self->from - (guint64) time);

  return span > 0 ? off / span * last : last / 2.0;
}

static double
get_y (const Layout *layout, double value)
{
  return (1 - metrics_ctl_axis_get_part (&layout->axis, value))
         * (layout->rows * METRICS_CTL_CANVAS_DOTS_Y - 1);
}

/* Names a series in the margin, beside its last point. */
static void
add_mark (Layout *layout, guint nth, double y)
{
  double row = floor (round (y) / METRICS_CTL_CANVAS_DOTS_Y);
  char letter[] = { metrics_ctl_chart_get_letter (nth), '\0' };
  char **mark;

  if (row < 0 || row >= layout->rows)
    return;
  mark = &layout->marks[(guint) row];
  if (*mark == NULL)
    *mark = g_strdup (letter);
  else if (strlen (*mark) < MAX_MARKS)
    {
      char *longer = g_strconcat (*mark, letter, NULL);

      g_free (*mark);
      *mark = longer;
    }
  else
    (*mark)[MAX_MARKS - 1] = '+';
}

static void
draw_series (const MetricsCtlChart *self, Layout *layout, MetricsCtlCanvas *canvas, guint nth)
{
  const MetricsCtlSeries *series = g_ptr_array_index (self->series, nth);
  double longest = metrics_ctl_series_get_longest_step (series, self->step);
  const MetricsPoint *last = NULL;

  for (guint i = 0; i < series->points->len; i++)
    {
      const MetricsPoint *point = &g_array_index (series->points, MetricsPoint, i);
      double x = get_x (self, layout, point->time);
      double y = get_y (layout, point->value);

      if (last != NULL && (double) ((guint64) point->time - (guint64) last->time) <= longest)
        metrics_ctl_canvas_line (canvas, get_x (self, layout, last->time), get_y (layout, last->value), x, y,
                                 nth);
      else
        metrics_ctl_canvas_dot (canvas, x, y, nth);
      if (point->time <= self->to)
        last = point;
    }
  if (last != NULL && last->time >= self->from)
    add_mark (layout, nth, get_y (layout, last->value));
}

/* The label of the tick that is nearest to the middle of a line, where one is in it. */
static char *
find_label (const Layout *layout, guint row)
{
  for (guint i = 0; i < layout->axis.n_ticks; i++)
    {
      double y = round (get_y (layout, layout->axis.ticks[i]));

      if (y >= row * METRICS_CTL_CANVAS_DOTS_Y && y < (row + 1) * METRICS_CTL_CANVAS_DOTS_Y)
        return metrics_ctl_axis_format (&layout->axis, layout->axis.ticks[i]);
    }
  return NULL;
}

/* In the middle of the canvas, or as much of it as there is room for. */
static void
draw_message (const Layout *layout, MetricsCtlPaint *paint, const char *message)
{
  guint width = (guint) MIN (metrics_ctl_text_width (message), layout->columns);

  metrics_ctl_paint_blanks (paint, (layout->columns - width) / 2);
  metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_PLAIN, message);
}

static void
draw_canvas_row (const Layout *layout,
                 const MetricsCtlCanvas *canvas,
                 MetricsCtlPaint *paint,
                 guint row,
                 gboolean letters)
{
  for (guint column = 0; column < layout->columns; column++)
    {
      guint nth = metrics_ctl_canvas_get_color (canvas, column, row);
      gunichar c = paint->ascii ? metrics_ctl_canvas_get_ascii (canvas, column, row)
                                : metrics_ctl_canvas_get_braille (canvas, column, row);

      /* Several series in ASCII can be told apart by nothing else. */
      if (c != ' ' && paint->ascii && letters)
        c = (guchar) metrics_ctl_chart_get_letter (nth);
      metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_SERIES + nth, c);
    }
}

static void
draw_row (const MetricsCtlChart *self,
          const Layout *layout,
          const MetricsCtlCanvas *canvas,
          MetricsCtlPaint *paint,
          guint row)
{
  g_autofree char *label = find_label (layout, row);

  metrics_ctl_paint_right (paint, METRICS_CTL_STYLE_PLAIN, label != NULL ? label : "", layout->label_width);
  metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_FAINT,
                             paint->ascii    ? (label != NULL ? '+' : '|')
                             : label != NULL ? 0x2524
                                             : 0x2502);
  if (self->message != NULL && row == layout->rows / 2)
    draw_message (layout, paint, self->message);
  else
    draw_canvas_row (layout, canvas, paint, row, self->series->len > 1);
  if (layout->marks[row] != NULL)
    {
      metrics_ctl_paint_blanks (paint, 1);
      for (const char *mark = layout->marks[row]; *mark != '\0'; mark++)
        metrics_ctl_paint_unichar (paint,
                                   g_ascii_islower (*mark) ? METRICS_CTL_STYLE_SERIES + (guint) (*mark - 'a')
                                   : g_ascii_isupper (*mark)
                                       ? METRICS_CTL_STYLE_SERIES + (guint) (*mark - 'A') + 26
                                       : METRICS_CTL_STYLE_PLAIN,
                                   (guchar) *mark);
    }
  metrics_ctl_paint_end_line (paint);
}

static void
draw_time_axis (const MetricsCtlChart *self, const Layout *layout, MetricsCtlPaint *paint)
{
  g_autoptr (GArray) ticks = metrics_ctl_time_ticks_new (self->from, self->to, self->zone, layout->columns);
  g_autoptr (GString) labels = g_string_new (NULL);
  guint done = 0;
  gsize used = 0;

  metrics_ctl_paint_blanks (paint, layout->label_width);
  metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_FAINT, paint->ascii ? '+' : 0x2514);
  for (guint i = 0; i < ticks->len; i++)
    {
      const MetricsCtlTick *tick = &g_array_index (ticks, MetricsCtlTick, i);
      guint column = (guint) (lround (get_x (self, layout, tick->time)) / METRICS_CTL_CANVAS_DOTS_X);
      gsize width = metrics_ctl_text_width (tick->label);
      gsize start = column >= width / 2 ? column - width / 2 : 0;

      for (; done < column; done++)
        metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_FAINT, paint->ascii ? '-' : 0x2500);
      metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_FAINT, paint->ascii ? '+' : 0x252c);
      done = column + 1;
      start = MIN (start, layout->columns > width ? layout->columns - width : 0);
      if ((used > 0 && start < used + 1) || width > layout->columns)
        continue;
      g_string_append_printf (labels, "%*s%s", (int) (start - used), "", tick->label);
      used = start + width;
    }
  for (; done < layout->columns; done++)
    metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_FAINT, paint->ascii ? '-' : 0x2500);
  metrics_ctl_paint_end_line (paint);
  metrics_ctl_paint_blanks (paint, layout->label_width + 1);
  metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_PLAIN, labels->str);
  metrics_ctl_paint_end_line (paint);
}

static void
draw_title (const MetricsCtlChart *self, const Layout *layout, MetricsCtlPaint *paint)
{
  if (self->status != NULL)
    {
      metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_REVERSE, self->status);
      metrics_ctl_paint_blanks (paint, 2);
    }
  if (layout->legend == 0 && !self->alert)
    metrics_ctl_legend_draw_names (self, paint);
  metrics_ctl_paint_text (paint, self->alert ? METRICS_CTL_STYLE_REVERSE : METRICS_CTL_STYLE_PLAIN,
                          self->title);
  metrics_ctl_paint_end_line (paint);
}

/**
 * metrics_ctl_chart_draw:
 * @self: a chart
 * @paint: where to draw it, at least %METRICS_CTL_CHART_MIN_WIDTH wide
 *
 * Draws a chart in exactly its height. Where that is small the title names the series in place of a legend;
 * where it is very small there is no title.
 */
void
metrics_ctl_chart_draw (const MetricsCtlChart *self, MetricsCtlPaint *paint)
{
  g_autoptr (MetricsCtlCanvas) canvas = NULL;
  Layout layout;

  lay_out (self, paint, &layout);
  canvas = metrics_ctl_canvas_new (layout.columns, layout.rows);
  /* The first one last: it is the one that hides others. */
  for (guint i = self->series->len; i-- > 0;)
    draw_series (self, &layout, canvas, i);
  if (layout.title)
    draw_title (self, &layout, paint);
  for (guint row = 0; row < layout.rows; row++)
    draw_row (self, &layout, canvas, paint, row);
  if (self->height >= 3)
    draw_time_axis (self, &layout, paint);
  if (layout.legend > 0)
    metrics_ctl_legend_draw (self, paint, layout.legend);
  for (guint row = 0; row < layout.rows; row++)
    g_free (layout.marks[row]);
  g_free (layout.marks);
}
