/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-table.h"
#include "ctl/metrics-ctl-text.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const MetricsCtlUsage usage = {
  N_ ("[PATTERN...]"),
  0,
  G_MAXUINT,
  N_ ("Shows points as they are put, of every key that matches a PATTERN (default: '*', all keys),\n"
      "until it is stopped (Ctrl-C)."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it. Quote it, or the shell makes file names of it.\n"
      "\n"
      "It prints, for people, columns with local times; plain, a line a point: 'KEY VALUE TIMESTAMP';\n"
      "as JSON, an object a line: {\"key\": \"cpu\", \"value\": 0.25, \"timestamp\": 1503319740}. Each is\n"
      "written at once.\n"
      "\n"
      "When the connection breaks it connects again, and says both on standard error: what was put\n"
      "meanwhile is not shown. Points that come faster than they are taken are dropped, the oldest\n"
      "first, and it says how many.\n"
      "\n"
      "Examples:\n"
      "  metricsctl watch 'room.*' door.open\n"
      "  metricsctl watch --count 1 door.open\n"
      "  metricsctl watch --json 'host.*.load.1' | jq --unbuffered .value"),
};

typedef struct
{
  MetricsCtl *ctl;        /* (unowned) */
  MetricsWatch *watch;    /* (owned) */
  MetricsCtlTable *table; /* (owned) */
  GMainLoop *loop;        /* (owned) */
  gboolean is_bounded;    /* whether it ends by itself */
  gint64 n_left;          /* after so many points */
  gboolean was_connected;
  guint64 n_dropped; /* which was not said yet */
  guint tell_id;     /* until it may be said again; 0 where it may be */
  int status;        /* what to exit with */
} Run;

static void
stop (Run *self, int status)
{
  self->status = status;
  metrics_watch_close (self->watch);
  g_main_loop_quit (self->loop);
}

static void
points_cb (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
{
  Run *self = user_data;
  guint n = self->is_bounded ? (guint) MIN (self->n_left, samples->len) : samples->len;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    if (!metrics_ctl_table_add_sample (samples->pdata[i], self->table))
      break;
  self->n_left -= n;
  if (!metrics_ctl_table_flush (self->table, &error))
    stop (self, metrics_ctl_fail (self->ctl, error));
  else if (self->is_bounded && self->n_left == 0)
    stop (self, METRICS_CTL_DONE);
}

static void
tell_dropped (Run *self)
{
  g_autofree char *number = metrics_ctl_format_integer ((gint64) self->n_dropped);

  metrics_ctl_warn (self->ctl,
                    ngettext ("%s point was dropped, as it was not taken in time",
                              "%s points were dropped, as they were not taken in time", self->n_dropped),
                    number);
  self->n_dropped = 0;
}

static gboolean
tell_cb (gpointer user_data)
{
  Run *self = user_data;

  if (self->n_dropped > 0)
    {
      tell_dropped (self);
      return G_SOURCE_CONTINUE;
    }
  self->tell_id = 0;
  return G_SOURCE_REMOVE;
}

/* Where points are dropped, some more are soon: it is said at once, and then once a second at most. */
static void
dropped_cb (MetricsWatch *watch, guint64 n_points, gpointer user_data)
{
  Run *self = user_data;

  self->n_dropped += n_points;
  if (self->tell_id != 0)
    return;
  tell_dropped (self);
  self->tell_id = g_timeout_add_seconds (1, tell_cb, self);
}

static void
connected_cb (MetricsWatch *watch, gboolean gap, gpointer user_data)
{
  Run *self = user_data;

  self->was_connected = TRUE;
  if (gap)
    metrics_ctl_warn (self->ctl, "%s", _ ("connected again; points that were put meanwhile are not shown"));
}

/* At the beginning a wrong address is more likely than a server that is about to come. */
static void
disconnected_cb (MetricsWatch *watch, GError *error, gpointer user_data)
{
  Run *self = user_data;

  if (self->was_connected)
    /* Translators: a message: that the connection to some address was lost */
    metrics_ctl_warn (self->ctl, _ ("%s; connecting again"), error->message);
  else
    stop (self, metrics_ctl_fail (self->ctl, error));
}

static void
failed_cb (MetricsWatch *watch, GError *error, gpointer user_data)
{
  Run *self = user_data;

  stop (self, metrics_ctl_fail (self->ctl, error));
}

static gboolean
hang_up_cb (int fd, GIOCondition condition, gpointer user_data)
{
  Run *self = user_data;
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_PIPE, "");

  stop (self, metrics_ctl_fail (self->ctl, error));
  return G_SOURCE_REMOVE;
}

/* Whoever reads the output may leave while nothing is put, and so nothing is written that would tell of it:
 * `metricsctl watch | head -1`. */
static void
watch_output (Run *self)
{
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) == 0 && (S_ISFIFO (status.st_mode) || S_ISSOCK (status.st_mode)))
    g_unix_fd_add (STDOUT_FILENO, G_IO_ERR | G_IO_HUP, hang_up_cb, self);
}

static void
run (Run *self, const char *const *patterns)
{
  static const char *const all[] = { "*", NULL };
  MetricsCtl *ctl = self->ctl;

  self->loop = g_main_loop_new (NULL, FALSE);
  self->table = metrics_ctl_table_new_endless (metrics_ctl_get_form (ctl));
  self->watch = metrics_watch_new (metrics_ctl_get_client (ctl), patterns[0] != NULL ? patterns : all);
  g_signal_connect (self->watch, "points", G_CALLBACK (points_cb), self);
  g_signal_connect (self->watch, "dropped", G_CALLBACK (dropped_cb), self);
  g_signal_connect (self->watch, "connected", G_CALLBACK (connected_cb), self);
  g_signal_connect (self->watch, "disconnected", G_CALLBACK (disconnected_cb), self);
  g_signal_connect (self->watch, "failed", G_CALLBACK (failed_cb), self);
  watch_output (self);
  /* A signal ends the process as it would any other: all that came has been written. */
  g_main_loop_run (self->loop);
  if (self->n_dropped > 0)
    tell_dropped (self);
  g_clear_handle_id (&self->tell_id, g_source_remove);
  g_object_unref (self->watch);
  metrics_ctl_table_free (self->table);
  g_main_loop_unref (self->loop);
}

static gboolean
check_arguments (MetricsCtl *ctl, const GStrv patterns, const char *count, Run *self, int *status)
{
  for (guint i = 0; patterns[i] != NULL; i++)
    if (!metrics_ctl_check_pattern (ctl, patterns[i], status))
      return FALSE;
  self->is_bounded = count != NULL;
  if (count == NULL
      || (metrics_number_parse_int64 (count, strlen (count), &self->n_left) && self->n_left > 0))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("not a number of points: '%s'"), count);
  return FALSE;
}

int
metrics_ctl_watch (MetricsCtl *ctl, int argc, char **argv)
{
  g_autofree char *count = NULL;
  const GOptionEntry entries[] = {
    { "count", 'n', 0, G_OPTION_ARG_STRING, &count, N_ ("End after so many points"), N_ ("N") },
    { NULL },
  };
  Run self = { .ctl = ctl, .status = METRICS_CTL_DONE };
  g_auto (GStrv) patterns = NULL;
  int status;

  patterns = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (patterns == NULL || !check_arguments (ctl, patterns, count, &self, &status))
    return status;
  run (&self, (const char *const *) patterns);
  return self.status;
}
