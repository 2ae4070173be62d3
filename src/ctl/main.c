/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"

#include <glib/gi18n.h>
#include <locale.h>

/* In the order in which `metricsctl --help` lists them. */
static const MetricsCtlCommand commands[] = {
  { "put", N_ ("puts a point"), metrics_ctl_put },
  { "get", N_ ("shows all points of a key, or of all keys"), metrics_ctl_get },
  { "last", N_ ("shows the newest point of every key"), metrics_ctl_last },
  { "range", N_ ("shows the points of a span of time, or what they come to in steps"), metrics_ctl_range },
  { "plot", N_ ("draws keys over time, and goes on with the points as they are put"), metrics_ctl_plot },
  { "top", N_ ("shows a table of keys that changes as points are put"), metrics_ctl_top },
  { "keys", N_ ("lists the keys"), metrics_ctl_keys },
  { "del", N_ ("deletes points or whole keys"), metrics_ctl_del },
  { "watch", N_ ("shows points as they are put"), metrics_ctl_watch },
  { "flush", N_ ("waits until all points are on disk (on the bus)"), metrics_ctl_flush },
  { "ping", N_ ("asks whether the server is there, and how long it takes to answer"), metrics_ctl_ping },
  { "stats", N_ ("shows the server's own figures"), metrics_ctl_stats },
  { "import", N_ ("puts points from a file or from standard input"), metrics_ctl_import },
  { "export", N_ ("writes points out for a later import"), metrics_ctl_export },
  { "collect", N_ ("puts this machine's own figures, every few seconds"), metrics_ctl_collect },
  { "bench", N_ ("measures how fast the server is"), metrics_ctl_bench },
  { "complete", NULL, metrics_ctl_complete },
};

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  /* Standard output is for what was asked for, whatever G_MESSAGES_DEBUG says. */
  g_log_writer_default_set_use_stderr (TRUE);

  return metrics_ctl_main (commands, G_N_ELEMENTS (commands), argc, argv);
}
