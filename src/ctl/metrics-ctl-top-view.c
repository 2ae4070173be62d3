/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-text.h"
#include "ctl/metrics-ctl-top-read.h"
#include "ctl/metrics-ctl-top.h"

#include <glib/gi18n.h>
#include <string.h>

#define MIN_KEY_WIDTH 16
#define MAX_KEY_WIDTH 60
#define NUMBER_WIDTH METRICS_CTL_SHORT_MAX
#define POINTS_WIDTH 7
#define AGE_WIDTH 5
#define MIN_SPARK_WIDTH 6

/* So long they are before keys get more room. */
#define GOOD_SPARK_WIDTH 10

/* Above the columns of the table; short. */
static const char *const titles[METRICS_CTL_TOP_N_COLUMNS]
    = { N_ ("KEY"), N_ ("LAST"), N_ ("MIN"), N_ ("MAX"), N_ ("AVG"), N_ ("POINTS"), N_ ("AGE") };

/* What columns there is room for. */
typedef struct
{
  guint key_width;
  gboolean has[METRICS_CTL_TOP_N_COLUMNS];
  guint spark_width;
} Layout;

static guint
get_column_width (MetricsCtlTopColumn column)
{
  return column == METRICS_CTL_TOP_AGE      ? AGE_WIDTH
         : column == METRICS_CTL_TOP_POINTS ? POINTS_WIDTH
                                            : NUMBER_WIDTH;
}

/* The more important a column, the narrower a terminal may be that has it; what is left is the keys', and
 * then the spark lines'. */
static Layout
lay_out (const MetricsCtlTopView *self, guint width)
{
  static const MetricsCtlTopColumn by_weight[]
      = { METRICS_CTL_TOP_LAST, METRICS_CTL_TOP_AGE, METRICS_CTL_TOP_AVG,
          METRICS_CTL_TOP_MAX,  METRICS_CTL_TOP_MIN, METRICS_CTL_TOP_POINTS };
  guint n_free = width > MIN_KEY_WIDTH ? width - MIN_KEY_WIDTH : 0;
  Layout layout = { .has = { TRUE } };
  gsize key_width = MIN_KEY_WIDTH;

  for (guint i = 0; i < G_N_ELEMENTS (by_weight); i++)
    {
      guint needed = get_column_width (by_weight[i]) + 1;
      /* The number of points comes behind a spark line. */
      guint kept = by_weight[i] == METRICS_CTL_TOP_POINTS ? METRICS_CTL_TOP_STEPS + 1 : 0;

      if (n_free < needed + kept)
        break;
      layout.has[by_weight[i]] = TRUE;
      n_free -= needed;
    }
  for (guint i = self->first; i < self->rows->shown->len && i < self->first + self->n_rows; i++)
    key_width
        = MAX (key_width,
               metrics_ctl_text_width (((const MetricsCtlTopRow *) self->rows->shown->pdata[i])->label));
  key_width = MIN (key_width, MAX_KEY_WIDTH);
  if (n_free > MIN_SPARK_WIDTH)
    {
      guint left = n_free - 1 - (guint) MIN (key_width - MIN_KEY_WIDTH, n_free - 1);

      layout.spark_width = CLAMP (left, MIN (n_free - 1, GOOD_SPARK_WIDTH), METRICS_CTL_TOP_STEPS);
      n_free -= layout.spark_width + 1;
    }
  layout.key_width = (guint) MIN (key_width, MIN (width, MIN_KEY_WIDTH + n_free));
  return layout;
}

/**
 * metrics_ctl_top_format_age:
 * @seconds: how long ago something was
 *
 * Returns: (transfer full): that in at most five characters: 59s, 12m, 30h, 400d, 12y
 */
char *
metrics_ctl_top_format_age (gint64 seconds)
{
  static const struct
  {
    gint64 up_to;
    gint64 unit;
    char letter;
  } units[] = {
    { 120, 1, 's' },
    { 120 * 60, 60, 'm' },
    { G_GINT64_CONSTANT (48) * 60 * 60, 60 * 60, 'h' },
    { G_GINT64_CONSTANT (1000) * 24 * 60 * 60, 24 * 60 * 60, 'd' },
    { G_GINT64_CONSTANT (1000) * 365 * 24 * 60 * 60, G_GINT64_CONSTANT (365) * 24 * 60 * 60, 'y' },
  };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (seconds < units[i].up_to && seconds > -units[i].up_to)
      return g_strdup_printf ("%" G_GINT64_FORMAT "%c", seconds / units[i].unit, units[i].letter);
  return g_strdup ("-");
}

static char *
format_cell (const MetricsCtlTopView *self, const MetricsCtlTopRow *row, MetricsCtlTopColumn column)
{
  if (column == METRICS_CTL_TOP_LAST)
    return metrics_ctl_format_short (row->value);
  if (column == METRICS_CTL_TOP_AGE)
    /* No overflow: a time that far away has no age. */
    return row->time > G_MININT64 / 2 && row->time < G_MAXINT64 / 2
               ? metrics_ctl_top_format_age (self->now - row->time)
               : g_strdup ("-");
  if (row->stats == NULL)
    return g_strdup ("-");
  switch (column)
    {
    case METRICS_CTL_TOP_MIN:
      return metrics_ctl_format_short (row->stats->min);
    case METRICS_CTL_TOP_MAX:
      return metrics_ctl_format_short (row->stats->max);
    case METRICS_CTL_TOP_AVG:
      return metrics_ctl_format_short (row->stats->avg);
    case METRICS_CTL_TOP_POINTS:
    case METRICS_CTL_TOP_KEY:
    case METRICS_CTL_TOP_LAST:
    case METRICS_CTL_TOP_AGE:
    case METRICS_CTL_TOP_N_COLUMNS:
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, row->stats->n);
    }
}

/* Each step's mean between the least and the greatest of them, low where all are the same; steps without
 * points are blank. */
static void
draw_spark (const MetricsCtlTopRow *row, MetricsCtlPaint *paint, guint style, guint width)
{
  static const char ascii[] = "_.,-~=*#";
  const MetricsCtlTopStats *stats = row->stats;
  double low = G_MAXDOUBLE, high = -G_MAXDOUBLE;
  const guint levels = 8;

  if (stats == NULL)
    return;
  for (guint i = METRICS_CTL_TOP_STEPS - width; i < METRICS_CTL_TOP_STEPS; i++)
    if (stats->counts[i] > 0)
      {
        low = MIN (low, stats->steps[i]);
        high = MAX (high, stats->steps[i]);
      }
  for (guint i = METRICS_CTL_TOP_STEPS - width; i < METRICS_CTL_TOP_STEPS; i++)
    {
      double part = high > low ? (stats->steps[i] / 2 - low / 2) / (high / 2 - low / 2) : 0;
      guint level = MIN ((guint) (CLAMP (part, 0, 1) * levels), levels - 1);

      if (stats->counts[i] == 0)
        metrics_ctl_paint_unichar (paint, style, ' ');
      else
        metrics_ctl_paint_unichar (paint, style, paint->ascii ? (guchar) ascii[level] : 0x2581 + level);
    }
}

static void
draw_header (const MetricsCtlTopView *self, const Layout *layout, MetricsCtlPaint *paint)
{
  gboolean down = (self->rows->sort != METRICS_CTL_TOP_KEY) != self->rows->reverse;
  const char *arrow = paint->ascii ? (down ? "v" : "^") : down ? "\u25be" : "\u25b4";

  for (guint i = 0; i < METRICS_CTL_TOP_N_COLUMNS; i++)
    {
      g_autofree char *title = g_strconcat (_ (titles[i]), i == self->rows->sort ? arrow : "", NULL);

      if (!layout->has[i])
        continue;
      if (i == METRICS_CTL_TOP_KEY)
        metrics_ctl_paint_fitted (paint, METRICS_CTL_STYLE_REVERSE, title, layout->key_width);
      else
        {
          metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_REVERSE, ' ');
          metrics_ctl_paint_right (paint, METRICS_CTL_STYLE_REVERSE, title, get_column_width (i));
        }
    }
  if (layout->spark_width > 0)
    {
      g_autofree char *span = metrics_ctl_top_format_age (self->window);
      g_autofree char *title = g_strdup_printf (" -%s", span);

      metrics_ctl_paint_fitted (paint, METRICS_CTL_STYLE_REVERSE, title, layout->spark_width + 1);
    }
  metrics_ctl_paint_end_line (paint);
}

static void
draw_row (const MetricsCtlTopView *self, const Layout *layout, MetricsCtlPaint *paint, guint nth)
{
  const MetricsCtlTopRow *row = g_ptr_array_index (self->rows->shown, nth);
  guint style = (int) nth == self->selected ? METRICS_CTL_STYLE_REVERSE : METRICS_CTL_STYLE_PLAIN;

  metrics_ctl_paint_fitted (paint, style, row->label, layout->key_width);
  for (guint i = METRICS_CTL_TOP_LAST; i < METRICS_CTL_TOP_N_COLUMNS; i++)
    if (layout->has[i])
      {
        g_autofree char *text = format_cell (self, row, (MetricsCtlTopColumn) i);

        metrics_ctl_paint_unichar (paint, style, ' ');
        metrics_ctl_paint_right (paint, style, text, get_column_width (i));
      }
  if (layout->spark_width > 0)
    {
      metrics_ctl_paint_unichar (paint, style, ' ');
      draw_spark (row, paint, style == METRICS_CTL_STYLE_PLAIN ? METRICS_CTL_STYLE_SERIES : style,
                  layout->spark_width);
    }
  metrics_ctl_paint_end_line (paint);
}

/**
 * metrics_ctl_top_view_draw:
 * @self: what to draw
 * @paint: where to draw it
 *
 * Draws the table: the title, where there is one; the header; as many rows as can be seen, or what is said
 * in their place; and the filter that is being typed.
 */
void
metrics_ctl_top_view_draw (const MetricsCtlTopView *self, MetricsCtlPaint *paint)
{
  Layout layout = lay_out (self, paint->width);
  gboolean message = self->message != NULL && (self->n_rows > 0 || !paint->screen);

  if (self->title != NULL)
    {
      metrics_ctl_paint_text (paint, self->alert ? METRICS_CTL_STYLE_REVERSE : METRICS_CTL_STYLE_PLAIN,
                              self->title);
      metrics_ctl_paint_end_line (paint);
    }
  draw_header (self, &layout, paint);
  if (message)
    {
      metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_PLAIN, self->message);
      metrics_ctl_paint_end_line (paint);
    }
  for (guint i = message ? 1 : 0; i < self->n_rows; i++)
    if (self->first + i < self->rows->shown->len)
      draw_row (self, &layout, paint, self->first + i);
    else if (paint->screen)
      metrics_ctl_paint_end_line (paint);
  if (self->prompt != NULL)
    {
      metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_BOLD, "/");
      metrics_ctl_paint_text (paint, METRICS_CTL_STYLE_BOLD, self->prompt);
      metrics_ctl_paint_unichar (paint, METRICS_CTL_STYLE_REVERSE, ' ');
      metrics_ctl_paint_end_line (paint);
    }
}
