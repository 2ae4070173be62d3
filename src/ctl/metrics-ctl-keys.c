/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-table.h"

#include <glib/gi18n.h>

static const MetricsCtlUsage usage = {
  N_ ("[PATTERN]"),
  0,
  1,
  N_ ("Lists the keys that match PATTERN (default: '*', all keys): how many points each has, and the\n"
      "times of the first and of the last."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it.\n"
      "\n"
      "It prints, for people, columns with local times; plain, a line a key:\n"
      "'KEY POINTS FIRST LAST'; as JSON, an array of\n"
      "{\"key\": \"cpu\", \"points\": 2, \"first\": 1503319739, \"last\": 1503319740}.\n"
      "\n"
      "Examples:\n"
      "  metricsctl keys\n"
      "  metricsctl keys 'host.*.disk.*'"),
};

static const MetricsCtlColumn columns[] = {
  { "key", N_ ("KEY"), METRICS_CTL_COLUMN_TEXT },
  { "points", N_ ("POINTS"), METRICS_CTL_COLUMN_INTEGER },
  { "first", N_ ("FIRST"), METRICS_CTL_COLUMN_TIME },
  { "last", N_ ("LAST"), METRICS_CTL_COLUMN_TIME },
};

static int
print_keys (MetricsCtl *ctl, GPtrArray *keys)
{
  g_autoptr (MetricsCtlTable) table
      = metrics_ctl_table_new (metrics_ctl_get_form (ctl), columns, G_N_ELEMENTS (columns));
  gboolean good = TRUE;

  for (guint i = 0; good && i < keys->len; i++)
    {
      const MetricsKeyInfo *info = g_ptr_array_index (keys, i);
      const MetricsCtlCell cells[] = {
        { .text = info->key },
        { .integer = (gint64) info->n_points },
        { .integer = info->first },
        { .integer = info->last },
      };

      good = metrics_ctl_table_add (table, cells);
    }
  return metrics_ctl_table_finish (table, ctl, NULL);
}

int
metrics_ctl_keys (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (GError) error = NULL;
  const char *pattern;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;
  pattern = arguments[0] != NULL ? arguments[0] : "*";
  if (!metrics_ctl_check_pattern (ctl, pattern, &status))
    return status;

  keys = metrics_client_keys (metrics_ctl_get_client (ctl), pattern, NULL, &error);
  return keys != NULL ? print_keys (ctl, keys) : metrics_ctl_fail (ctl, error);
}
