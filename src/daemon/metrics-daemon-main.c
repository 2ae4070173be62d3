/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-daemon.h"

#include "common/metrics-log-writer.h"
#include "common/metrics-log.h"
#include "daemon/metrics-config-file.h"
#include "daemon/metrics-show-retention.h"
#include "daemon/metrics-task.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>

/* The program: what its command line and its configuration ask for. */

static int
fail (const char *reason, int status)
{
  metrics_log (METRICS_EVENT_START_FAILED, METRICS_FIELDS (METRICS_TEXT (REASON, reason)), "%s", reason);
  return status;
}

/* What is done to the folder instead of serving. */
static int
run_task (const MetricsConfig *config, const MetricsOptions *options)
{
  g_autoptr (GError) error = NULL;

  if (config->state_dir == NULL)
    return fail (_ ("by the configuration points are in memory only: name the folder by --state-dir"), 1);
  if (options->task != METRICS_TASK_SERVE)
    return metrics_task_run (config->state_dir, options);
  if (config->files->len == 0)
    return fail (_ ("--show-retention shows what a configuration does, and there is none: name it by "
                    "--config"),
                 2);
  return metrics_show_retention (config->state_dir, config->retention, &error) ? 0 : fail (error->message, 1);
}

/**
 * metrics_daemon_main:
 * @argc: as main() got it
 * @argv: as main() got it
 *
 * The whole program.
 *
 * Returns: its exit status: 0, 1 where it could not start or not keep all at its end, 2 where the command
 * line or the configuration is wrong, or what metrics_task_run() returns
 */
int
metrics_daemon_main (int argc, char **argv)
{
  g_autoptr (MetricsOptions) options = NULL;
  g_autoptr (GPtrArray) problems = metrics_problems_new ();
  g_autoptr (MetricsConfig) config = NULL;
  g_autoptr (MetricsDaemon) daemon = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;

  setlocale (LC_ALL, "");
  /* The protocol has no decimal comma. */
  setlocale (LC_NUMERIC, "C");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("metricsd");
  metrics_log_writer_install ();

  arguments = g_strdupv (argv);
  options = metrics_options_parse (&arguments, &error);
  if (options == NULL)
    return fail (error->message, 2);
  if (options->show_version)
    {
      printf ("metricsd %s\n", PACKAGE_VERSION);
      return 0;
    }
  config = metrics_config_load (options, problems);
  metrics_log_writer_set_level (config->log_level);
  for (guint i = 0; i < problems->len; i++)
    fail (((const MetricsProblem *) problems->pdata[i])->text, 2);
  if (options->task == METRICS_TASK_CHECK_CONFIG)
    return metrics_config_check (config, problems);
  if (problems->len > 0)
    return 2;
  if (options->task == METRICS_TASK_SHOW_CONFIG)
    {
      metrics_config_show (config);
      return 0;
    }
  if (options->task != METRICS_TASK_SERVE || options->show_retention)
    return run_task (config, options);

  if (!metrics_config_make_listeners (config, options->bus, &error))
    return fail (error->message, 1);
  daemon = metrics_daemon_new (options, g_steal_pointer (&config));
  if (!metrics_daemon_start (daemon, &error))
    return fail (error->message, 1);
  return metrics_daemon_run (daemon) ? 0 : 1;
}
