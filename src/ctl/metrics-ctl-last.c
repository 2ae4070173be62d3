/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-table.h"

#include <glib/gi18n.h>

static const MetricsCtlUsage usage = {
  N_ ("[PATTERN]"),
  0,
  1,
  N_ ("Shows the newest point of every key that matches PATTERN (default: '*', all keys)."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it. Quote it, or the shell makes file names of it.\n"
      "\n"
      "It prints, for people, columns with local times; plain, a line a point: 'KEY VALUE TIMESTAMP';\n"
      "as JSON, an array of {\"key\": \"cpu\", \"value\": 0.25, \"timestamp\": 1503319740}.\n"
      "\n"
      "Examples:\n"
      "  metricsctl last\n"
      "  metricsctl last 'host.*.cpu.*'"),
};

int
metrics_ctl_last (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;
  const char *pattern;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;
  pattern = arguments[0] != NULL ? arguments[0] : "*";
  if (!metrics_ctl_check_pattern (ctl, pattern, &status))
    return status;

  samples = metrics_client_last (metrics_ctl_get_client (ctl), pattern, NULL, &error);
  return metrics_ctl_print_samples (ctl, samples, error);
}
