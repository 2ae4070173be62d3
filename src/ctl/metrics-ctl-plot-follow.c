/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-axis.h"
#include "ctl/metrics-ctl-plot-read.h"
#include "ctl/metrics-ctl-plot.h"
#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* A picture that goes on. What is put says only what has changed: the points themselves are read again from
 * there on, so that whatever is made of them is what the server makes, also where a point is late or was put
 * before. */

#define DEFAULT_SPAN (10 * 60)
#define MIN_SPAN 10
#define MAX_SPAN (G_GINT64_CONSTANT (1000) * 365 * 24 * 60 * 60)

/* Not more often than this is anything read, or drawn for the time that goes by. */
#define READ_MSEC 150
#define MIN_DRAW_MSEC 100
#define MAX_DRAW_MSEC 1000

/* What was deleted nobody is told of: this often all is read again. */
#define RELOAD_SECONDS 60

typedef struct
{
  const MetricsCtlPlot *plot; /* (unowned) */
  MetricsCtlScreen *screen;   /* (owned) (nullable): none before the beginning and at the end */
  MetricsWatch *watch;        /* (owned) */
  GMainLoop *loop;            /* (owned) */
  MetricsCtlPaint paint;      /* (owned) */
  GPtrArray *series;          /* (owned) (element-type MetricsCtlSeries): what is drawn */
  GHashTable
      *changed; /* (owned) (element-type utf8 gint64): of what is drawn, from when on it is to be read */
  GHashTable *others; /* (owned) (element-type utf8): what matches and is not drawn */
  gint64 span;
  gint64 paused_at;  /* where the picture ends, where it does not go on */
  gboolean paused;   /* whether it does not */
  gboolean help;     /* whether the keys are told in place of the title */
  gboolean reload;   /* whether all is to be read again, the keys too */
  gboolean reading;  /* whether an answer is awaited */
  gboolean found;    /* whether keys were looked for at all */
  guint generation;  /* of the span and the step: an answer for others is too late */
  guint read_source; /* 0 is none */
  guint draw_source; /* as well */
  guint reload_source;
  gint64 last_read; /* monotonic time in microseconds, of the last answer */
  char *problem;    /* (owned) (nullable): what is wrong with the connection */
  GError *error;    /* (owned) (nullable): why it ends */
  guint width;
  guint height;
} Follow;

static void schedule_read (Follow *self);

static gint64
get_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static gint64
get_to (const Follow *self)
{
  return self->paused ? self->paused_at : get_now ();
}

static gint64
get_step (const Follow *self)
{
  gint64 to = get_to (self);

  if (self->plot->step > 0 && self->span / self->plot->step <= METRICS_CTL_PLOT_MAX_STEPS)
    return self->plot->step;
  return metrics_ctl_step_choose (to - self->span, to, metrics_ctl_chart_get_dots (self->width));
}

static void
draw_small (Follow *self)
{
  metrics_ctl_paint_text (&self->paint, METRICS_CTL_STYLE_PLAIN, _ ("too small"));
  metrics_ctl_paint_end_line (&self->paint);
}

/* What there is to be said where there is nothing to see. */
static char *
make_message (const Follow *self, gint64 from, gint64 to)
{
  g_autofree char *patterns = NULL;
  g_autofree char *shown = NULL;

  if (!self->found)
    return NULL;
  for (guint i = 0; i < self->series->len; i++)
    if (metrics_ctl_series_summarize (g_ptr_array_index (self->series, i), from, to).n > 0)
      return NULL;
  if (self->series->len > 0)
    return g_strdup (_ ("no points in this span"));
  patterns = g_strjoinv (" ", self->plot->patterns);
  shown = metrics_ctl_escape (patterns, strlen (patterns), METRICS_CTL_PATTERNS_SHOWN);
  /* Translators: that keys which match a pattern, or several, are waited for */
  return g_strdup_printf (_ ("no key matches yet, waiting: %s"), shown);
}

/**
 * metrics_ctl_plot_describe_problem:
 * @watch: what tells of points
 * @error: what went wrong
 *
 * Returns: (transfer full): that in a line, beginning with what is done about it, for its end may be cut off
 */
char *
metrics_ctl_plot_describe_problem (MetricsWatch *watch, const GError *error)
{
  g_autofree char *text = metrics_ctl_escape (error->message, strlen (error->message), G_MAXSIZE);

  if (metrics_watch_get_online (watch))
    return g_steal_pointer (&text);
  /* Translators: why there is no connection follows */
  return g_strdup_printf (_ ("connecting again: %s"), text);
}

static void
draw_chart (Follow *self)
{
  gint64 to = get_to (self), from = to - self->span, step = get_step (self);
  g_autofree char *title = metrics_ctl_plot_make_title (self->plot, from, to, step);
  g_autofree char *message = make_message (self, from, to);
  MetricsCtlChart chart = {
    .series = self->series,
    .n_left_out = g_hash_table_size (self->others),
    .from = from,
    .to = to,
    .step = step,
    /* What the keys do: keep it short, it is one line of a terminal. */
    .title = self->help              ? _ ("q ends  + - zoom  left right  space pauses  r reads again")
             : self->problem != NULL ? self->problem
                                     : title,
    .alert = self->problem != NULL && !self->help,
    .status = self->paused ? _ ("paused") : NULL,
    .message = message,
    .min = self->plot->min,
    .max = self->plot->max,
    .zone = self->plot->zone,
    .height = self->height,
  };

  metrics_ctl_chart_draw (&chart, &self->paint);
}

static void
draw (Follow *self)
{
  g_autofree char *bytes = NULL;
  gsize n_bytes;

  /* At the end an answer may still come, when the terminal is given back. */
  if (self->screen == NULL)
    return;
  metrics_ctl_paint_restart (&self->paint, self->width);
  if (self->width < METRICS_CTL_CHART_MIN_WIDTH || self->height < METRICS_CTL_CHART_MIN_HEIGHT)
    draw_small (self);
  else
    draw_chart (self);
  bytes = metrics_ctl_paint_take (&self->paint, &n_bytes);
  if (!metrics_ctl_screen_write (self->screen, bytes, n_bytes))
    g_main_loop_quit (self->loop);
}

static gboolean
on_draw (gpointer user_data)
{
  draw (user_data);
  return G_SOURCE_CONTINUE;
}

/* The picture moves by a dot at a time. */
static void
schedule_draw (Follow *self)
{
  gint64 interval = self->span * 1000 / metrics_ctl_chart_get_dots (self->width);

  g_clear_handle_id (&self->draw_source, g_source_remove);
  if (!self->paused)
    self->draw_source = g_timeout_add ((guint) CLAMP (interval, MIN_DRAW_MSEC, MAX_DRAW_MSEC), on_draw, self);
}

/* Everything is to be read again, for another span or another step. */
static void
start_anew (Follow *self)
{
  self->generation++;
  self->reload = TRUE;
  schedule_draw (self);
  schedule_read (self);
  draw (self);
}

static MetricsCtlSeries *
find_series (const Follow *self, const char *key)
{
  for (guint i = 0; i < self->series->len; i++)
    if (strcmp (((const MetricsCtlSeries *) self->series->pdata[i])->key, key) == 0)
      return g_ptr_array_index (self->series, i);
  return NULL;
}

/* Takes over what a search has found; what is drawn already keeps its points until others have come. */
static void
apply_found (Follow *self, const MetricsCtlPlotRead *read)
{
  g_autoptr (GPtrArray) old = g_steal_pointer (&self->series);

  self->series = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_ctl_series_free);
  for (guint i = 0; i < read->parts->len; i++)
    {
      const MetricsCtlPlotPart *part = &g_array_index (read->parts, MetricsCtlPlotPart, i);

      g_ptr_array_add (self->series, metrics_ctl_series_new (part->key));
    }
  g_clear_pointer (&self->others, g_hash_table_unref);
  self->others = g_hash_table_ref (read->others);
  self->found = TRUE;
}

static void
apply (Follow *self, const MetricsCtlPlotRead *read)
{
  if (read->find)
    apply_found (self, read);
  for (guint i = 0; i < read->parts->len; i++)
    {
      const MetricsCtlPlotPart *part = &g_array_index (read->parts, MetricsCtlPlotPart, i);
      MetricsCtlSeries *series = find_series (self, part->key);

      if (series == NULL)
        continue;
      metrics_ctl_series_replace (series, part->from, part->points);
      metrics_ctl_series_forget (series, read->from);
    }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Follow *self = user_data;
  const MetricsCtlPlotRead *read = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;

  self->reading = FALSE;
  self->last_read = g_get_monotonic_time ();
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      /* The watch tells of the connection; here it is about the answer, a refusal say. What was to be read is
       * asked for when something comes, or all is read again. */
      self->reload = TRUE;
      if (self->problem == NULL)
        self->problem = metrics_ctl_plot_describe_problem (self->watch, error);
      draw (self);
      return;
    }
  if (metrics_watch_get_online (self->watch))
    g_clear_pointer (&self->problem, g_free);
  if (read->generation == self->generation)
    apply (self, read);
  draw (self);
  if (self->reload || g_hash_table_size (self->changed) > 0)
    schedule_read (self);
}

static gboolean
start_read (gpointer user_data)
{
  Follow *self = user_data;
  gint64 to = get_to (self), step = get_step (self);
  MetricsCtlPlotRead *read = metrics_ctl_plot_read_new (self->plot, self->reload);
  GHashTableIter iter;
  gpointer key, time;

  self->read_source = 0;
  read->generation = self->generation;
  read->from = metrics_ctl_step_floor (to - self->span, step);
  /* Points of a clock that is ahead of this one are drawn when their time comes. */
  read->to = to + self->span;
  read->step = step;
  g_hash_table_iter_init (&iter, self->changed);
  while (!self->reload && g_hash_table_iter_next (&iter, &key, &time))
    metrics_ctl_plot_read_add (read, key, MAX (metrics_ctl_step_floor (*(gint64 *) time, step), read->from));
  g_hash_table_remove_all (self->changed);
  self->reload = FALSE;
  self->reading = TRUE;
  metrics_ctl_plot_read_start (read, on_read, self);
  return G_SOURCE_REMOVE;
}

static void
schedule_read (Follow *self)
{
  gint64 passed = (g_get_monotonic_time () - self->last_read) / 1000;

  if (self->reading || self->read_source != 0)
    return;
  self->read_source = g_timeout_add ((guint) CLAMP (READ_MSEC - passed, 0, READ_MSEC), start_read, self);
}

static void
on_points (MetricsWatch *watch, GPtrArray *samples, Follow *self)
{
  gint64 from = get_to (self) - self->span;

  for (guint i = 0; i < samples->len; i++)
    {
      const MetricsSample *sample = g_ptr_array_index (samples, i);
      const gint64 *earlier;

      if (find_series (self, sample->key) == NULL)
        {
          /* One that nobody has heard of is looked for, and drawn where there is room. */
          self->reload = self->reload || !g_hash_table_contains (self->others, sample->key);
          continue;
        }
      earlier = g_hash_table_lookup (self->changed, sample->key);
      /* What is before the span can still be the beginning of a line into it, or of a rate. */
      if (sample->timestamp >= from && (earlier == NULL || sample->timestamp < *earlier))
        g_hash_table_replace (self->changed, g_strdup (sample->key),
                              g_memdup2 (&sample->timestamp, sizeof sample->timestamp));
    }
  if (!self->paused && (self->reload || g_hash_table_size (self->changed) > 0))
    schedule_read (self);
}

static void
on_dropped (MetricsWatch *watch, guint64 n_points, Follow *self)
{
  self->reload = TRUE;
  schedule_read (self);
}

static void
on_connected (MetricsWatch *watch, gboolean gap, Follow *self)
{
  g_clear_pointer (&self->problem, g_free);
  self->reload = TRUE;
  schedule_read (self);
}

static void
on_disconnected (MetricsWatch *watch, const GError *error, Follow *self)
{
  g_free (self->problem);
  self->problem = metrics_ctl_plot_describe_problem (watch, error);
  draw (self);
}

static void
on_failed (MetricsWatch *watch, const GError *error, Follow *self)
{
  self->error = g_error_copy (error);
  g_main_loop_quit (self->loop);
}

static void
zoom (Follow *self, gint64 span)
{
  self->span = CLAMP (span, MIN_SPAN, MAX_SPAN);
  start_anew (self);
}

static void
pause_at (Follow *self, gint64 to)
{
  self->paused = to < get_now ();
  self->paused_at = to;
  start_anew (self);
}

static void
on_key (guint key, gpointer user_data)
{
  Follow *self = user_data;
  gint64 to = get_to (self);

  switch (key)
    {
    case 'q':
    case 'Q':
    case METRICS_CTL_KEY_CLOSED:
      g_main_loop_quit (self->loop);
      break;
    case '+':
    case '=':
    case METRICS_CTL_KEY_UP:
      zoom (self, self->span / 2);
      break;
    case '-':
    case METRICS_CTL_KEY_DOWN:
      zoom (self, self->span * 2);
      break;
    case METRICS_CTL_KEY_LEFT:
    case METRICS_CTL_KEY_PAGE_UP:
      pause_at (self, to - MAX (key == METRICS_CTL_KEY_LEFT ? self->span / 4 : self->span, 1));
      break;
    case METRICS_CTL_KEY_RIGHT:
    case METRICS_CTL_KEY_PAGE_DOWN:
      if (self->paused)
        pause_at (self, to + MAX (key == METRICS_CTL_KEY_RIGHT ? self->span / 4 : self->span, 1));
      break;
    case METRICS_CTL_KEY_END:
      pause_at (self, G_MAXINT64);
      break;
    case ' ':
      /* A second is over before the next one begins: it is paused at once. */
      pause_at (self, self->paused ? G_MAXINT64 : to - 1);
      break;
    case 'r':
      start_anew (self);
      break;
    case '?':
    case 'h':
      self->help = !self->help;
      draw (self);
      break;
    default:
      break;
    }
}

static void
on_redraw (gpointer user_data)
{
  Follow *self = user_data;
  gint64 step = get_step (self);
  guint width = self->width;

  metrics_ctl_screen_get_size (&self->width, &self->height);
  if (self->width != width && get_step (self) != step)
    start_anew (self);
  else
    draw (self);
}

static gboolean
on_reload (gpointer user_data)
{
  Follow *self = user_data;

  self->reload = TRUE;
  if (!self->paused && self->problem == NULL)
    schedule_read (self);
  return G_SOURCE_CONTINUE;
}

static void
clear (Follow *self)
{
  g_clear_handle_id (&self->read_source, g_source_remove);
  g_clear_handle_id (&self->draw_source, g_source_remove);
  g_clear_handle_id (&self->reload_source, g_source_remove);
  if (self->watch != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->watch, self);
      metrics_watch_close (self->watch);
    }
  g_clear_object (&self->watch);
  metrics_ctl_paint_clear (&self->paint);
  g_ptr_array_unref (self->series);
  g_hash_table_unref (self->changed);
  g_hash_table_unref (self->others);
  g_main_loop_unref (self->loop);
  g_free (self->problem);
}

/* An answer that is still awaited would find nobody. */
static void
wait_for_answer (Follow *self)
{
  metrics_client_close (metrics_ctl_get_client (self->plot->ctl));
  g_clear_handle_id (&self->read_source, g_source_remove);
  while (self->reading)
    {
      self->reload = FALSE;
      g_hash_table_remove_all (self->changed);
      g_main_context_iteration (NULL, TRUE);
    }
}

static void
start (Follow *self)
{
  MetricsClient *client = metrics_ctl_get_client (self->plot->ctl);

  self->watch = metrics_watch_new (client, (const char *const *) self->plot->patterns);
  g_signal_connect (self->watch, "points", G_CALLBACK (on_points), self);
  g_signal_connect (self->watch, "dropped", G_CALLBACK (on_dropped), self);
  g_signal_connect (self->watch, "connected", G_CALLBACK (on_connected), self);
  g_signal_connect (self->watch, "disconnected", G_CALLBACK (on_disconnected), self);
  g_signal_connect (self->watch, "failed", G_CALLBACK (on_failed), self);
  self->reload_source = g_timeout_add_seconds (RELOAD_SECONDS, on_reload, self);
  schedule_draw (self);
  draw (self);
}

/* How long the picture is: as it was said, or up to now from the time that was. */
static gint64
get_first_span (const MetricsCtlPlot *plot)
{
  gint64 now = get_now ();

  if (plot->span > 0)
    return CLAMP (plot->span, MIN_SPAN, MAX_SPAN);
  if (!plot->has_from)
    return DEFAULT_SPAN;
  return plot->from < now ? (gint64) CLAMP ((double) now - (double) plot->from, MIN_SPAN, MAX_SPAN)
                          : MIN_SPAN;
}

/**
 * metrics_ctl_plot_follow:
 * @plot: what the command line asks for
 *
 * Draws on the terminal until somebody ends it. Where the server goes away the picture stays, and goes on
 * when it is there again.
 *
 * Returns: the exit status
 */
int
metrics_ctl_plot_follow (const MetricsCtlPlot *plot)
{
  static const MetricsCtlScreenFuncs funcs = { on_key, on_redraw };
  g_autoptr (GError) error = NULL;
  Follow self = { .plot = plot, .span = get_first_span (plot) };

  /* Who cannot be reached at all is told of where it can be read. */
  if (!metrics_client_ping (metrics_ctl_get_client (plot->ctl), NULL, &error))
    return metrics_ctl_fail (plot->ctl, error);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.series = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_ctl_series_free);
  self.changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self.others = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  metrics_ctl_screen_get_size (&self.width, &self.height);
  metrics_ctl_paint_init (&self.paint, plot->colors, plot->ascii, self.width);
  self.paint.screen = self.paint.attributes = TRUE;
  self.screen = metrics_ctl_screen_open (&funcs, &self, &self.error);
  if (self.screen != NULL)
    {
      start (&self);
      g_main_loop_run (self.loop);
      metrics_ctl_screen_close (g_steal_pointer (&self.screen));
    }
  wait_for_answer (&self);
  clear (&self);
  error = g_steal_pointer (&self.error);
  return error != NULL ? metrics_ctl_fail (plot->ctl, error) : METRICS_CTL_DONE;
}
