/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-table.h"

#include <glib/gi18n.h>
#include <string.h>

static const MetricsCtlUsage usage = {
  N_ ("KEY"),
  0,
  1,
  N_ ("Shows all points of a key, the oldest first. With --all, or '*' for KEY, those of all keys,\n"
      "keys in the order in which each was first put."),
  N_ ("It prints, for people, columns with local times; plain, a line a point: 'KEY VALUE TIMESTAMP';\n"
      "as JSON, an array of {\"key\": \"cpu\", \"value\": 0.25, \"timestamp\": 1503319740}. A key that\n"
      "is not there has no points, which is no error. For a span of time see 'metricsctl range'.\n"
      "\n"
      "Examples:\n"
      "  metricsctl get room.temperature\n"
      "  metricsctl get --all --json > points.json"),
};

/* Points are printed as they come; but a pattern is as short as a key, and escaping makes some keys longer
 * than that: these are asked for by name, and their points are held. */
static int
get_key (MetricsCtl *ctl, const char *key)
{
  g_autofree char *pattern = metrics_pattern_escape (key);
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_rows;
  int status;

  if (strlen (pattern) <= METRICS_KEY_MAX)
    {
      status = metrics_ctl_print_counted (ctl, pattern, METRICS_TIME_MIN, METRICS_TIME_MAX, &n_rows);
      /* No error, for keys may have such characters; but hardly anybody means them. */
      if (status == METRICS_CTL_DONE && n_rows == 0 && strpbrk (key, "*?") != NULL)
        metrics_ctl_warn (ctl, "%s", _ ("get takes a key; last, range and export take patterns"));
      return status;
    }
  samples = metrics_client_get (metrics_ctl_get_client (ctl), key, NULL, &error);
  return metrics_ctl_print_samples (ctl, samples, error);
}

int
metrics_ctl_get (MetricsCtl *ctl, int argc, char **argv)
{
  gboolean all = FALSE;
  const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &all, N_ ("All keys"), NULL },
    { NULL },
  };
  g_auto (GStrv) arguments = NULL;
  const char *key;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (arguments == NULL)
    return status;

  key = arguments[0];
  if (all == (key != NULL))
    return metrics_ctl_usage_error (ctl, "%s",
                                    key == NULL ? _ ("a key or --all is needed")
                                                : _ ("a key and --all exclude each other"));
  if (all || strcmp (key, "*") == 0)
    return metrics_ctl_print_stream (ctl, "*", METRICS_TIME_MIN, METRICS_TIME_MAX);
  if (!metrics_ctl_check_key (ctl, key, &status))
    return status;
  return get_key (ctl, key);
}
