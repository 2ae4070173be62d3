/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-plot.h"
#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-series.h"
#include "ctl/metrics-ctl-text.h"
#include "ctl/metrics-ctl-top-live.h"
#include "ctl/metrics-ctl-top-read.h"

#include <glib/gi18n.h>
#include <string.h>

/* The table as it changes. Newest points are told as they are put; of the windows those of the rows that can
 * be seen are read, when something has come to them or a step of them is over. All windows are read only
 * where the table is sorted by what they hold, and that not often. */

#define TICK_MSEC 1000
#define READ_MSEC 250
#define READ_ALL_SECONDS 5
#define RELOAD_SECONDS 60

/* Above it the windows of all are read without their steps. */
#define MANY_ROWS 500

#define MIN_WIDTH 20
#define MIN_HEIGHT 3

static void schedule_read (MetricsCtlTopLive *self);

static gint64
get_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/**
 * metrics_ctl_top_live_get_n_rows:
 * @self: a table on a screen
 *
 * Returns: how many rows can be seen, below the title and the header and above the prompt
 */
guint
metrics_ctl_top_live_get_n_rows (const MetricsCtlTopLive *self)
{
  guint taken = self->prompt != NULL ? 3 : 2;

  return self->height > taken ? self->height - taken : 0;
}

static char *
make_title (const MetricsCtlTopLive *self)
{
  g_autofree char *address = metrics_ctl_describe_address (self->top->ctl);
  g_autofree char *window = metrics_ctl_top_format_age (self->window);
  g_autofree char *count = metrics_ctl_format_integer (self->rows->all->len);
  g_autofree char *shown = metrics_ctl_format_integer (self->rows->shown->len);

  if (*self->rows->filter != '\0')
    return g_strdup_printf (_ ("%s  keys: %s of %s (/%s)  window: %s"), address, shown, count,
                            self->rows->filter, window);
  return g_strdup_printf (_ ("%s  keys: %s  window: %s"), address, count, window);
}

/* What there is to be said in place of rows. */
static char *
make_message (const MetricsCtlTopLive *self)
{
  g_autofree char *patterns = NULL;
  g_autofree char *shown = NULL;

  if (!self->loaded || self->rows->shown->len > 0)
    return NULL;
  if (self->rows->all->len > 0)
    return g_strdup_printf (_ ("no key has '%s' in it"), self->rows->filter);
  patterns = g_strjoinv (" ", self->top->patterns);
  shown = metrics_ctl_escape (patterns, strlen (patterns), METRICS_CTL_PATTERNS_SHOWN);
  /* Translators: that keys which match a pattern, or several, are waited for */
  return g_strdup_printf (_ ("no key matches yet, waiting: %s"), shown);
}

static void
draw_table (MetricsCtlTopLive *self)
{
  g_autofree char *message = make_message (self);
  g_autofree char *title = make_title (self);
  MetricsCtlTopView view = {
    .rows = self->rows,
    /* What the keys do: keep it short, it is one line of a terminal. */
    .title = self->help              ? _ ("q ends  s S sort  r turns  / filters  + - window  Enter draws")
             : self->problem != NULL ? self->problem
                                     : title,
    .alert = self->problem != NULL && !self->help,
    .message = message,
    .prompt = self->prompt != NULL ? self->prompt->str : NULL,
    .now = get_now (),
    .window = self->window,
    .first = self->first,
    .selected = metrics_ctl_top_rows_get_index (self->rows, self->selected),
    .n_rows = metrics_ctl_top_live_get_n_rows (self),
  };

  metrics_ctl_top_view_draw (&view, &self->paint);
}

static void
draw (MetricsCtlTopLive *self)
{
  g_autofree char *bytes = NULL;
  gsize n_bytes;

  if (self->screen == NULL)
    return;
  metrics_ctl_paint_restart (&self->paint, self->width);
  if (self->width < MIN_WIDTH || self->height < MIN_HEIGHT)
    {
      metrics_ctl_paint_text (&self->paint, METRICS_CTL_STYLE_PLAIN, _ ("too small"));
      metrics_ctl_paint_end_line (&self->paint);
    }
  else
    draw_table (self);
  bytes = metrics_ctl_paint_take (&self->paint, &n_bytes);
  if (!metrics_ctl_screen_write (self->screen, bytes, n_bytes))
    g_main_loop_quit (self->loop);
}

/* So that the chosen row can be seen, and no line is empty that need not be. */
static void
scroll (MetricsCtlTopLive *self)
{
  int selected = metrics_ctl_top_rows_get_index (self->rows, self->selected);
  guint n_rows = MAX (metrics_ctl_top_live_get_n_rows (self), 1), n = self->rows->shown->len;

  if (selected >= 0 && (guint) selected < self->first)
    self->first = (guint) selected;
  else if (selected >= 0 && (guint) selected >= self->first + n_rows)
    self->first = (guint) selected - n_rows + 1;
  self->first = MIN (self->first, n > n_rows ? n - n_rows : 0);
}

/**
 * metrics_ctl_top_live_arrange:
 * @self: a table on a screen
 *
 * Sorts the rows, and scrolls so that the chosen one can be seen.
 */
void
metrics_ctl_top_live_arrange (MetricsCtlTopLive *self)
{
  metrics_ctl_top_rows_arrange (self->rows);
  self->unsorted = FALSE;
  scroll (self);
}

/* A step of the window is over, or something has come to it. */
static gboolean
needs_read (const MetricsCtlTopLive *self, const MetricsCtlTopRow *row, gint64 now)
{
  gint64 step = metrics_ctl_top_get_step (self->window);

  return row->changed || row->read_at / step != now / step;
}

static gboolean
ask_for_seen (MetricsCtlTopLive *self, MetricsCtlTopRead *read)
{
  guint end = MIN (self->first + metrics_ctl_top_live_get_n_rows (self), self->rows->shown->len);

  for (guint i = self->first; i < end; i++)
    {
      MetricsCtlTopRow *row = g_ptr_array_index (self->rows->shown, i);

      if (!needs_read (self, row, read->now))
        continue;
      /* Set by what comes from now on, also while the answer is on its way. */
      row->changed = FALSE;
      g_ptr_array_add (read->keys, g_strdup (row->key));
    }
  return read->keys->len > 0;
}

static gboolean
choose_questions (MetricsCtlTopLive *self, MetricsCtlTopRead *read)
{
  gint64 now = g_get_monotonic_time ();
  gboolean old = now >= self->all_due_at;

  self->asked_at = now;
  read->all = metrics_ctl_top_column_is_of_window (self->rows->sort) && (old || self->reload);
  if (self->reload || read->all)
    {
      /* How many there are is not known before the first answer. */
      read->coarse = !self->loaded || self->rows->all->len > MANY_ROWS;
      read->patterns = g_strdupv (self->top->patterns);
      self->reload = FALSE;
      self->reloaded_at = now;
      return TRUE;
    }
  return ask_for_seen (self, read);
}

/* The server has nine tenths of its time for others. */
static void
choose_next_time (MetricsCtlTopLive *self)
{
  gint64 now = g_get_monotonic_time ();

  self->all_due_at = now + MAX (READ_ALL_SECONDS * G_USEC_PER_SEC, 9 * (now - self->asked_at));
}

static void
apply (MetricsCtlTopLive *self, MetricsCtlTopRead *read)
{
  if (read->all)
    choose_next_time (self);
  if (read->samples != NULL)
    {
      metrics_ctl_top_rows_load (self->rows, read->samples, self->asked_at);
      self->loaded = TRUE;
    }
  for (guint i = 0; read->all && i < self->rows->all->len; i++)
    {
      MetricsCtlTopRow *row = g_ptr_array_index (self->rows->all, i);

      metrics_ctl_top_read_give (read, row);
      if (!read->coarse)
        row->changed = row->put_at >= self->asked_at;
    }
  for (guint i = 0; i < read->keys->len; i++)
    {
      MetricsCtlTopRow *row = metrics_ctl_top_rows_find (self->rows, g_ptr_array_index (read->keys, i));

      if (row != NULL)
        metrics_ctl_top_read_give (read, row);
    }
  metrics_ctl_top_live_arrange (self);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MetricsCtlTopLive *self = user_data;
  MetricsCtlTopRead *read = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;

  self->reading = FALSE;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      /* The next tick asks again. */
      self->reload = TRUE;
      if (self->problem == NULL && self->screen != NULL)
        self->problem = metrics_ctl_plot_describe_problem (self->watch, error);
      draw (self);
      return;
    }
  if (metrics_watch_get_online (self->watch))
    g_clear_pointer (&self->problem, g_free);
  /* What was asked for another window is of no use; which series there are is asked for again. */
  if (read->window == self->window)
    apply (self, read);
  else if (read->patterns != NULL)
    self->reload = TRUE;
  draw (self);
  schedule_read (self);
}

static gboolean
start_read (gpointer user_data)
{
  MetricsCtlTopLive *self = user_data;
  g_autoptr (MetricsCtlTopRead) read
      = metrics_ctl_top_read_new (metrics_ctl_get_client (self->top->ctl), get_now (), self->window);

  self->read_source = 0;
  if (choose_questions (self, read))
    {
      self->reading = TRUE;
      metrics_ctl_top_read_start (g_steal_pointer (&read), on_read, self);
    }
  return G_SOURCE_REMOVE;
}

static void
schedule_read (MetricsCtlTopLive *self)
{
  gint64 passed = (g_get_monotonic_time () - self->asked_at) / 1000;

  if (self->reading || self->read_source != 0 || self->screen == NULL)
    return;
  self->read_source = g_timeout_add ((guint) CLAMP (READ_MSEC - passed, 0, READ_MSEC), start_read, self);
}

/**
 * metrics_ctl_top_live_show:
 * @self: a table on a screen
 *
 * Draws it at once; rows that were not read yet show what is known of them, and are asked for.
 */
void
metrics_ctl_top_live_show (MetricsCtlTopLive *self)
{
  scroll (self);
  draw (self);
  schedule_read (self);
}

static gboolean
on_tick (gpointer user_data)
{
  MetricsCtlTopLive *self = user_data;

  if (self->screen == NULL)
    return G_SOURCE_CONTINUE;
  if (g_get_monotonic_time () - self->reloaded_at >= RELOAD_SECONDS * G_USEC_PER_SEC)
    self->reload = TRUE;
  if (self->unsorted)
    metrics_ctl_top_live_arrange (self);
  draw (self);
  if (metrics_watch_get_online (self->watch))
    schedule_read (self);
  return G_SOURCE_CONTINUE;
}

static void
on_points (MetricsWatch *watch, GPtrArray *samples, MetricsCtlTopLive *self)
{
  gboolean is_new = FALSE;

  for (guint i = 0; i < samples->len; i++)
    is_new = metrics_ctl_top_rows_put (self->rows, g_ptr_array_index (samples, i)) || is_new;
  self->unsorted = TRUE;
  /* A new row is sorted in at once; the order of the others changes with the tick. */
  if (is_new)
    metrics_ctl_top_live_arrange (self);
  schedule_read (self);
}

static void
on_dropped (MetricsWatch *watch, guint64 n_points, MetricsCtlTopLive *self)
{
  self->reload = TRUE;
  schedule_read (self);
}

static void
on_connected (MetricsWatch *watch, gboolean gap, MetricsCtlTopLive *self)
{
  g_clear_pointer (&self->problem, g_free);
  self->reload = TRUE;
  schedule_read (self);
}

static void
on_disconnected (MetricsWatch *watch, const GError *error, MetricsCtlTopLive *self)
{
  g_free (self->problem);
  self->problem = metrics_ctl_plot_describe_problem (watch, error);
  draw (self);
}

static void
on_failed (MetricsWatch *watch, const GError *error, MetricsCtlTopLive *self)
{
  self->error = g_error_copy (error);
  g_main_loop_quit (self->loop);
}

static void
on_redraw (gpointer user_data)
{
  MetricsCtlTopLive *self = user_data;

  metrics_ctl_screen_get_size (&self->width, &self->height);
  metrics_ctl_top_live_show (self);
}

/* The picture of the chosen row takes the terminal until somebody ends it. */
static int
show_plot (MetricsCtlTopLive *self)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_local ();
  g_autofree char *pattern = metrics_ctl_get_pattern_of_key (self->selected);
  char *patterns[] = { pattern, NULL };
  const MetricsCtlPlot plot = {
    .ctl = self->top->ctl,
    .patterns = patterns,
    .span = self->window,
    .zone = zone,
    .limit = 1,
    .ascii = self->top->ascii,
    .colors = self->top->colors,
  };

  return metrics_ctl_plot_follow (&plot);
}

static int
run (MetricsCtlTopLive *self)
{
  static const MetricsCtlScreenFuncs funcs = { metrics_ctl_top_live_on_key, on_redraw };
  int status = METRICS_CTL_DONE;

  do
    {
      self->wants_plot = FALSE;
      metrics_ctl_screen_get_size (&self->width, &self->height);
      self->screen = metrics_ctl_screen_open (&funcs, self, &self->error);
      if (self->screen == NULL)
        return METRICS_CTL_FAILED;
      self->reload = TRUE;
      metrics_ctl_top_live_show (self);
      g_main_loop_run (self->loop);
      metrics_ctl_screen_close (g_steal_pointer (&self->screen));
      if (self->wants_plot)
        status = show_plot (self);
    }
  while (self->wants_plot && status == METRICS_CTL_DONE && self->error == NULL);
  return status;
}

/* An answer that is still awaited would find nobody. */
static void
clear (MetricsCtlTopLive *self)
{
  metrics_client_close (metrics_ctl_get_client (self->top->ctl));
  g_clear_handle_id (&self->read_source, g_source_remove);
  g_clear_handle_id (&self->tick_source, g_source_remove);
  while (self->reading)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handlers_disconnect_by_data (self->watch, self);
  metrics_watch_close (self->watch);
  g_object_unref (self->watch);
  metrics_ctl_paint_clear (&self->paint);
  metrics_ctl_top_rows_free (self->rows);
  g_main_loop_unref (self->loop);
  g_free (self->selected);
  g_free (self->problem);
  if (self->prompt != NULL)
    g_string_free (self->prompt, TRUE);
}

static void
start (MetricsCtlTopLive *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->rows = metrics_ctl_top_rows_new (self->top->sort, self->top->reverse);
  metrics_ctl_paint_init (&self->paint, self->top->colors, self->top->ascii, 0);
  self->paint.screen = self->paint.attributes = TRUE;
  self->watch = metrics_watch_new (metrics_ctl_get_client (self->top->ctl),
                                   (const char *const *) self->top->patterns);
  g_signal_connect (self->watch, "points", G_CALLBACK (on_points), self);
  g_signal_connect (self->watch, "dropped", G_CALLBACK (on_dropped), self);
  g_signal_connect (self->watch, "connected", G_CALLBACK (on_connected), self);
  g_signal_connect (self->watch, "disconnected", G_CALLBACK (on_disconnected), self);
  g_signal_connect (self->watch, "failed", G_CALLBACK (on_failed), self);
  self->tick_source = g_timeout_add (TICK_MSEC, on_tick, self);
}

/**
 * metrics_ctl_top_live:
 * @top: what the command line asks for
 *
 * Shows the table on the terminal until somebody ends it.
 *
 * Returns: the exit status
 */
int
metrics_ctl_top_live (const MetricsCtlTop *top)
{
  g_autoptr (GError) error = NULL;
  MetricsCtlTopLive self = { .top = top, .window = top->window };
  int status;

  /* Who cannot be reached at all is told of where it can be read. */
  if (!metrics_client_ping (metrics_ctl_get_client (top->ctl), NULL, &error))
    return metrics_ctl_fail (top->ctl, error);
  start (&self);
  status = run (&self);
  clear (&self);
  error = g_steal_pointer (&self.error);
  return error != NULL ? metrics_ctl_fail (top->ctl, error) : status;
}
