/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-progress.h"

#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A line is not drawn more often than this. */
#define INTERVAL_USEC (G_USEC_PER_SEC / 10)
#define DEFAULT_COLUMNS 80
#define MAX_BAR 50

struct _MetricsCtlProgress
{
  guint64 total;     /* what there is to do, in whatever unit; 0 is not known */
  gboolean terminal; /* whether there is anybody to see it */
  gboolean shown;    /* whether the line stands on the terminal now */
  gint64 start;      /* monotonic time, in microseconds */
  gint64 last_drawn; /* as well */
};

/**
 * metrics_ctl_progress_new:
 * @total: what there is to do, in a unit of the caller's; 0 where that is not known, and there is no bar then
 *
 * Returns: (transfer full): progress that has just begun
 */
MetricsCtlProgress *
metrics_ctl_progress_new (guint64 total)
{
  MetricsCtlProgress *self = g_new0 (MetricsCtlProgress, 1);

  self->total = total;
  self->terminal = isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->start = g_get_monotonic_time ();
  return self;
}

/**
 * metrics_ctl_progress_free:
 * @self: (transfer full) (nullable): progress; its line disappears
 */
void
metrics_ctl_progress_free (MetricsCtlProgress *self)
{
  if (self == NULL)
    return;
  metrics_ctl_progress_hide (self);
  g_free (self);
}

static gsize
get_columns (void)
{
  struct winsize size;

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_COLUMNS;
  return size.ws_col;
}

/* "[#####-----]  50 %  " in as many columns as there are beside the other text; none where they are too few.
 */
static void
append_bar (GString *line, double part, gsize columns)
{
  gsize width = columns > strlen ("[] 100 %  ") ? MIN (columns - strlen ("[] 100 %  "), MAX_BAR) : 0;
  gsize n_full = (gsize) (part * width);

  if (width >= 5)
    {
      g_string_append_c (line, '[');
      for (gsize i = 0; i < width; i++)
        g_string_append_c (line, i < n_full ? '#' : '-');
      g_string_append (line, "] ");
    }
  g_string_append_printf (line, "%3d %%  ", (int) (part * 100));
}

static void
draw (MetricsCtlProgress *self, guint64 done, guint64 n_points)
{
  g_autoptr (GString) line = g_string_new ("\r");
  g_autofree char *points = metrics_ctl_format_integer ((gint64) n_points);
  g_autofree char *rate
      = metrics_ctl_format_integer ((gint64) (n_points
                                              / MAX (metrics_ctl_progress_get_seconds (self), 1e-6)));
  g_autofree char *text
      = g_strdup_printf (ngettext ("%s point, %s/s", "%s points, %s/s", n_points), points, rate);
  gsize width = metrics_ctl_text_width (text) + 1;
  gsize columns = get_columns ();

  if (self->total > 0)
    append_bar (line, MIN ((double) done / self->total, 1), columns > width ? columns - width : 0);
  g_string_append (line, text);
  g_string_append (line, "\033[K");
  fputs (line->str, stderr);
  self->shown = TRUE;
}

/**
 * metrics_ctl_progress_update:
 * @self: progress
 * @done: how much of the total is done
 * @n_points: how many points these are
 *
 * Draws the line anew, where it is time to.
 */
void
metrics_ctl_progress_update (MetricsCtlProgress *self, guint64 done, guint64 n_points)
{
  gint64 now = g_get_monotonic_time ();

  if (!self->terminal || now - self->last_drawn < INTERVAL_USEC)
    return;
  self->last_drawn = now;
  draw (self, done, n_points);
}

/**
 * metrics_ctl_progress_hide:
 * @self: progress
 *
 * Takes the line away so that something else can be written; the next update brings it back.
 */
void
metrics_ctl_progress_hide (MetricsCtlProgress *self)
{
  if (!self->shown)
    return;
  fputs ("\r\033[K", stderr);
  self->shown = FALSE;
  self->last_drawn = 0;
}

/**
 * metrics_ctl_progress_get_seconds:
 * @self: progress
 *
 * Returns: how long it has taken so far, in seconds
 */
double
metrics_ctl_progress_get_seconds (MetricsCtlProgress *self)
{
  return (g_get_monotonic_time () - self->start) / (double) G_USEC_PER_SEC;
}
