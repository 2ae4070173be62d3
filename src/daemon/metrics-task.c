/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-task.h"

#include "common/metrics-log.h"
#include "storage/metrics-backup.h"
#include "storage/metrics-check.h"
#include "storage/metrics-recover.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* What metricsd does instead of serving: once, and to its end. */

/* The line on the terminal is not drawn more often than this. */
#define INTERVAL_USEC (G_USEC_PER_SEC / 10)

/* Something was saved, but not all; 2 is a wrong command line. */
#define STATUS_LOST 3

static volatile sig_atomic_t interrupted;

typedef struct
{
  gboolean terminal; /* whether there is anybody to see how far it is */
  gint64 last_drawn;
  gboolean shown;
  guint n_reports;
} Screen;

static void
on_signal (int number)
{
  interrupted = TRUE;
}

/* Whoever interrupts it wants nothing to be left; and a file that may not grow is an error like any other. */
static void
catch_signals (void)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    sigaction (numbers[i], &action, NULL);
  signal (SIGXFSZ, SIG_IGN);
}

static void
hide (Screen *self)
{
  if (self->shown)
    fputs ("\r\033[K", stderr);
  self->shown = FALSE;
}

static gboolean
on_progress (guint64 done, guint64 total, gpointer user_data)
{
  Screen *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (self->terminal && total > 0 && now - self->last_drawn >= INTERVAL_USEC)
    {
      self->last_drawn = now;
      self->shown = TRUE;
      fprintf (stderr, "\r%3d %%\033[K", (int) (100.0 * MIN (done, total) / total));
    }
  return !interrupted;
}

static void
on_report (const char *text, gpointer user_data)
{
  hide (user_data);
  puts (text);
}

/* Of a backup, whose standard output has nothing: for whoever reads what went wrong. */
static void
on_backup_report (const char *text, gpointer user_data)
{
  Screen *screen = user_data;

  hide (screen);
  metrics_log (METRICS_EVENT_BACKUP_INCOMPLETE, METRICS_FIELDS (METRICS_TEXT (REASON, text)), "%s", text);
  screen->n_reports++;
}

/* For programs: a name and a number a line, as `stats` has them. */
static void
print_figure (const char *name, guint64 value)
{
  printf ("%s %" PRIu64 "\n", name, value);
}

/* Whoever keeps the newest backups only has to notice that one does not have all. */
static int
run_backup (const char *folder, const MetricsOptions *options, const MetricsWatch *watch, GError **error)
{
  Screen *screen = watch->user_data;
  MetricsWatch own = { on_backup_report, watch->progress, screen };
  GStatBuf status;

  if (!metrics_backup_write (folder, options->task_file, &own, error))
    return 1;
  hide (screen);
  /* It is there: whoever took it away meanwhile has it. */
  print_figure ("bytes", g_stat (options->task_file, &status) == 0 ? status.st_size : 0);
  return screen->n_reports > 0 ? STATUS_LOST : 0;
}

static int
run_check (const char *folder, const MetricsWatch *watch, GError **error)
{
  MetricsCheckFigures figures;

  if (!metrics_check_read (folder, watch, &figures, error))
    return 1;
  hide (watch->user_data);
  print_figure ("series", figures.n_series);
  print_figure ("rollup_series", figures.n_rollup_series);
  print_figure ("chunks", figures.n_chunks);
  print_figure ("points", figures.n_points);
  print_figure ("log_rows", figures.n_logs);
  print_figure ("changes", figures.n_changes);
  print_figure ("findings", figures.n_findings);
  return figures.n_findings > 0;
}

static int
run_recover (const char *folder, const MetricsOptions *options, const MetricsWatch *watch, GError **error)
{
  MetricsRecoverFigures figures;

  if (!metrics_recover_write (folder, options->task_file, watch, &figures, error))
    return 1;
  hide (watch->user_data);
  print_figure ("series", figures.n_series);
  print_figure ("rollup_series", figures.n_rollup_series);
  print_figure ("chunks", figures.n_chunks);
  print_figure ("points", figures.n_points);
  print_figure ("log_rows", figures.n_logs);
  print_figure ("lost", figures.n_lost);
  return figures.n_lost > 0 ? STATUS_LOST : 0;
}

static int
run_one (const char *folder, const MetricsOptions *options, const MetricsWatch *watch, GError **error)
{
  switch (options->task)
    {
    case METRICS_TASK_BACKUP:
      return run_backup (folder, options, watch, error);
    case METRICS_TASK_CHECK:
      return run_check (folder, watch, error);
    case METRICS_TASK_RECOVER:
      return run_recover (folder, options, watch, error);
    case METRICS_TASK_SERVE:
    case METRICS_TASK_CHECK_CONFIG:
    case METRICS_TASK_SHOW_CONFIG:
    default:
      g_assert_not_reached ();
    }
}

/**
 * metrics_task_run:
 * @folder: (type filename): where a server keeps its points
 * @options: what the command line says; its task is something for that folder
 *
 * Does what is asked for, beside a server or without one.
 *
 * Returns: the exit status
 */
int
metrics_task_run (const char *folder, const MetricsOptions *options)
{
  const char *terminal_name = g_getenv ("TERM");
  Screen screen = { .terminal = isatty (STDERR_FILENO) && g_strcmp0 (terminal_name, "dumb") != 0 };
  MetricsWatch watch = { on_report, on_progress, &screen };
  g_autoptr (GError) error = NULL;
  int status;

  catch_signals ();
  status = run_one (folder, options, &watch, &error);
  hide (&screen);
  if (error != NULL)
    metrics_log (METRICS_EVENT_TASK_FAILED, METRICS_FIELDS (METRICS_TEXT (REASON, error->message)), "%s",
                 error->message);
  return status;
}
