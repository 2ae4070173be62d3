/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-file.h"
#include "ctl/metrics-ctl-output.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static const MetricsCtlUsage usage = {
  N_ ("[PATTERN]"),
  0,
  1,
  N_ ("Writes the points of every key that matches PATTERN (default: '*', all keys) as the lines that\n"
      "'metricsctl import' reads: 'KEY VALUE TIMESTAMP'. Importing them gives the same points. What is\n"
      "rolled up is not among them: 'metricsd --backup' takes it along."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it. Times are numbers of seconds since 1970, 'now', 'now-5m'\n"
      "(also s, h, d, w), local dates with or without a time: '2026-11-20 14:03:05', or '-' for open.\n"
      "\n"
      "It prints the lines on standard output. With --output they go to a file that appears only when\n"
      "it is complete and on the disk; one that was there before stays until then. A key that begins\n"
      "with '#' has a blank in front, for 'import' skips lines that begin with it.\n"
      "\n"
      "Examples:\n"
      "  metricsctl export --output points.txt\n"
      "  metricsctl export 'host.*' --from 2026-11-01 | zstd > november.txt.zst"),
};

/* A MetricsSampleFunc. */
static gboolean
write_sample (const MetricsSample *sample, gpointer output)
{
  if (sample->key[0] == '#')
    metrics_ctl_output_append (output, " ", 1);
  return metrics_ctl_output_append_row (output, sample->key, sample->value, sample->timestamp);
}

/* What is to be written where. */
typedef struct
{
  const char *pattern; /* (unowned) */
  gint64 from;
  gint64 to;
} Selection;

static gboolean
write_lines (MetricsCtl *ctl, const Selection *selection, int fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (fd);
  g_autoptr (GError) answer_error = NULL;

  metrics_client_foreach (metrics_ctl_get_client (ctl), selection->pattern, selection->from, selection->to,
                          write_sample, output, cancellable, &answer_error);
  if (!metrics_ctl_output_flush (output, error))
    return FALSE;
  if (answer_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&answer_error));
  return FALSE;
}

static gboolean
write_file (MetricsCtl *ctl, const Selection *selection, const char *path, GError **error)
{
  /* So that a signal does not leave the half of a file behind. Elsewhere it need not be waited for, and could
   * not be: a write into a pipe that nobody reads cannot be cancelled. */
  GCancellable *cancellable = metrics_ctl_watch_interrupt (ctl);
  g_autoptr (MetricsCtlFile) file = metrics_ctl_file_new (path, error);

  return file != NULL && write_lines (ctl, selection, metrics_ctl_file_get_fd (file), cancellable, error)
         && metrics_ctl_file_commit (file, error);
}

static int
run_export (MetricsCtl *ctl, const Selection *selection, const char *path)
{
  g_autoptr (GError) error = NULL;
  gboolean done;

  if (path == NULL || strcmp (path, "-") == 0)
    done = write_lines (ctl, selection, STDOUT_FILENO, NULL, &error);
  else
    done = write_file (ctl, selection, path, &error);
  return done ? METRICS_CTL_DONE : metrics_ctl_fail (ctl, error);
}

int
metrics_ctl_export (MetricsCtl *ctl, int argc, char **argv)
{
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  g_autofree char *path = NULL;
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &from, N_ ("The earliest time (default: open)"), N_ ("TIME") },
    { "to", 0, 0, G_OPTION_ARG_STRING, &to, N_ ("The latest time (default: open)"), N_ ("TIME") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &path, N_ ("Write to a file ('-': standard output)"),
      N_ ("FILE") },
    { NULL },
  };
  g_auto (GStrv) arguments = NULL;
  Selection selection;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (arguments == NULL)
    return status;
  selection.pattern = arguments[0] != NULL ? arguments[0] : "*";
  if (!metrics_ctl_check_pattern (ctl, selection.pattern, &status)
      || !metrics_ctl_check_span (ctl, from, to, &selection.from, &selection.to, &status))
    return status;
  return run_export (ctl, &selection, path);
}
