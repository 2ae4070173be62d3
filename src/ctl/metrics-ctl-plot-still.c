/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-axis.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-plot.h"
#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* What is shown where the command line does not say it, and there are points in it. */
#define DEFAULT_SPAN (60 * 60)
#define SHORTEST_SPAN 10

/**
 * metrics_ctl_plot_make_title:
 * @self: what the command line asks for
 * @from: the first time
 * @to: the last one
 * @step: the step
 *
 * Returns: (transfer full): what a chart says of its span and its points: FROM - TO  avg/30s
 */
char *
metrics_ctl_plot_make_title (const MetricsCtlPlot *self, gint64 from, gint64 to, gint64 step)
{
  g_autoptr (GEnumClass) functions = g_type_class_ref (METRICS_TYPE_FUNCTION);
  g_autofree char *first = metrics_ctl_time_format (from, self->zone);
  g_autofree char *last = metrics_ctl_time_format (to, self->zone);
  g_autofree char *each = metrics_ctl_time_is_date (from) && metrics_ctl_time_is_date (to)
                              ? metrics_ctl_span_format (step)
                              : g_strdup_printf ("%" G_GINT64_FORMAT, step);

  return g_strdup_printf ("%s %s %s  %s/%s", first, self->ascii ? "-" : "\u2013", last,
                          g_enum_get_value (functions, (int) self->function)->value_nick, each);
}

/* Of all points of the keys, of which there is one at least. */
static void
find_ends (const GPtrArray *keys, gint64 *first, gint64 *last)
{
  *first = G_MAXINT64;
  *last = G_MININT64;
  for (guint i = 0; i < keys->len; i++)
    {
      const MetricsKeyInfo *info = g_ptr_array_index (keys, i);

      *first = MIN (*first, info->first);
      *last = MAX (*last, info->last);
    }
}

static gboolean
has_points (const MetricsKeyInfo *info, gint64 from, gint64 to)
{
  return info->first <= to && info->last >= from;
}

/* Without a word about it, the last hour, or less where the points begin later; where nothing is in that, all
 * that there is. */
static void
choose_default_span (const GPtrArray *keys, gint64 *from, gint64 *to)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC, begin = now - SHORTEST_SPAN;
  gboolean found = FALSE;

  for (guint i = 0; i < keys->len; i++)
    {
      const MetricsKeyInfo *info = g_ptr_array_index (keys, i);

      if (info->last < now - DEFAULT_SPAN || info->last > now)
        continue;
      found = TRUE;
      begin = MIN (begin, info->first);
    }
  find_ends (keys, from, to);
  if (!found)
    return;
  *from = MAX (begin, now - DEFAULT_SPAN);
  *to = now;
}

static void
choose_span (const MetricsCtlPlot *self, const GPtrArray *keys, gint64 *from, gint64 *to)
{
  gint64 first, last;

  if (!self->has_from && !self->has_to && self->span == 0)
    {
      choose_default_span (keys, from, to);
      return;
    }
  find_ends (keys, &first, &last);
  *to = self->has_to ? self->to : g_get_real_time () / G_USEC_PER_SEC;
  if (*to == METRICS_TIME_MAX)
    *to = last;
  if (self->has_from)
    *from = self->from == METRICS_TIME_MIN ? first : self->from;
  else if (self->span > 0)
    *from = *to >= G_MININT64 + self->span ? *to - self->span : G_MININT64;
  else
    *from = first;
}

/* Says why there is nothing to see. */
static int
fail_without_points (const MetricsCtlPlot *self, const GPtrArray *keys, gint64 from, gint64 to)
{
  gint64 first, last;
  g_autofree char *from_text = metrics_ctl_time_format (from, self->zone);
  g_autofree char *to_text = metrics_ctl_time_format (to, self->zone);
  g_autofree char *first_text = NULL;
  g_autofree char *last_text = NULL;

  find_ends (keys, &first, &last);
  first_text = metrics_ctl_time_format (first, self->zone);
  last_text = metrics_ctl_time_format (last, self->zone);
  metrics_ctl_warn (self->ctl, _ ("no points from %s to %s; there are some from %s to %s"), from_text,
                    to_text, first_text, last_text);
  return METRICS_CTL_FAILED;
}

static GPtrArray *
read_series (const MetricsCtlPlot *self, const GPtrArray *keys, MetricsCtlChart *chart, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_ctl_series_free);
  /* The first step is read whole, or the picture would change with the second in which it is asked for. */
  gint64 start = metrics_ctl_step_floor (chart->from, chart->step);

  for (guint i = 0; i < keys->len; i++)
    {
      const MetricsKeyInfo *info = g_ptr_array_index (keys, i);
      MetricsCtlSeries *series;
      g_autoptr (GArray) points = NULL;

      if (!has_points (info, chart->from, chart->to))
        continue;
      if (all->len == self->limit)
        {
          chart->n_left_out++;
          continue;
        }
      points = metrics_ctl_read_steps (metrics_ctl_get_client (self->ctl), info->key, start, chart->to,
                                       chart->step, self->function, NULL, error);
      if (points == NULL)
        return NULL;
      series = metrics_ctl_series_new (info->key);
      metrics_ctl_series_replace (series, G_MININT64, points);
      g_ptr_array_add (all, series);
    }
  return g_steal_pointer (&all);
}

static gboolean
is_empty (const MetricsCtlChart *chart)
{
  for (guint i = 0; i < chart->series->len; i++)
    if (metrics_ctl_series_summarize (g_ptr_array_index (chart->series, i), chart->from, chart->to).n > 0)
      return FALSE;
  return TRUE;
}

static int
print_chart (const MetricsCtlPlot *self, const MetricsCtlChart *chart, guint width)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize n_bytes;
  MetricsCtlPaint paint;

  metrics_ctl_paint_init (&paint, self->colors, self->ascii, width);
  metrics_ctl_chart_draw (chart, &paint);
  bytes = metrics_ctl_paint_take (&paint, &n_bytes);
  metrics_ctl_paint_clear (&paint);
  metrics_ctl_output_append (output, bytes, n_bytes);
  return metrics_ctl_output_flush (output, &error) ? METRICS_CTL_DONE : metrics_ctl_fail (self->ctl, error);
}

/* The step that was asked for, or one that has a dot for each. */
static gboolean
choose_step (const MetricsCtlPlot *self, MetricsCtlChart *chart, guint width)
{
  double span = (double) ((guint64) chart->to - (guint64) chart->from);

  chart->step = self->step;
  if (chart->step == 0)
    chart->step = metrics_ctl_step_choose (chart->from, chart->to, metrics_ctl_chart_get_dots (width));
  return span / (double) chart->step <= METRICS_CTL_PLOT_MAX_STEPS;
}

static int
draw (const MetricsCtlPlot *self, const GPtrArray *keys)
{
  MetricsCtlChart chart = { .min = self->min, .max = self->max, .zone = self->zone };
  g_autoptr (GPtrArray) series = NULL;
  g_autofree char *title = NULL;
  g_autoptr (GError) error = NULL;
  guint width, height;
  gboolean terminal = metrics_ctl_screen_get_size (&width, &height);

  if (terminal)
    height--; /* the prompt comes below it */
  width = self->width > 0 ? self->width : MAX (width, METRICS_CTL_CHART_MIN_WIDTH);
  chart.height = self->height > 0 ? self->height : MAX (height, METRICS_CTL_CHART_MIN_HEIGHT);
  choose_span (self, keys, &chart.from, &chart.to);
  if (chart.from > chart.to)
    return metrics_ctl_usage_error (self->ctl, "%s", _ ("the span ends before it begins"));
  if (!choose_step (self, &chart, width))
    return metrics_ctl_usage_error (self->ctl,
                                    _ ("more than %d steps: choose a longer one, or a shorter span"),
                                    METRICS_CTL_PLOT_MAX_STEPS);

  series = read_series (self, keys, &chart, &error);
  if (series == NULL)
    return metrics_ctl_fail (self->ctl, error);
  chart.series = series;
  if (is_empty (&chart))
    return fail_without_points (self, keys, chart.from, chart.to);
  title = metrics_ctl_plot_make_title (self, chart.from, chart.to, chart.step);
  chart.title = title;
  /* Where nothing ends it, the picture has room for all names. */
  if (!terminal && self->height == 0)
    chart.height = MAX (chart.height, metrics_ctl_chart_get_whole_height (&chart));
  return print_chart (self, &chart, width);
}

/**
 * metrics_ctl_plot_still:
 * @self: what the command line asks for
 *
 * Writes a picture to standard output.
 *
 * Returns: the exit status; %METRICS_CTL_FAILED where there is nothing to see
 */
int
metrics_ctl_plot_still (const MetricsCtlPlot *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys
      = metrics_ctl_find_keys (metrics_ctl_get_client (self->ctl), self->patterns, NULL, &error);

  if (keys == NULL)
    return metrics_ctl_fail (self->ctl, error);
  if (keys->len == 0)
    {
      g_autofree char *patterns = g_strjoinv (" ", self->patterns);

      g_autofree char *shown = metrics_ctl_escape (patterns, strlen (patterns), METRICS_CTL_PATTERNS_SHOWN);

      metrics_ctl_warn (self->ctl, _ ("no key matches: %s"), shown);
      return METRICS_CTL_FAILED;
    }
  return draw (self, keys);
}
