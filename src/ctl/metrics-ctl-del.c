/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-pattern.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many keys are named before they are deleted. */
#define MAX_SHOWN 10

static const MetricsCtlUsage usage = {
  N_ ("PATTERN [FROM TO]"),
  1,
  3,
  N_ ("Deletes the keys that match PATTERN, or of these keys the points from FROM to TO (both\n"
      "included). A key without points is forgotten."),
  N_ ("Where PATTERN has wildcards ('*', '?'; a backslash takes the meaning from the character behind\n"
      "it), it shows on a terminal what would go and asks; elsewhere it needs --yes.\n"
      "FROM and TO are numbers of seconds since 1970, 'now', 'now-5m' (also s, h, d, w), local dates\n"
      "with or without a time: '2026-11-20 14:03:05', or '-' for open.\n"
      "With --system it is for administrators: where polkit wants to know who asks, it asks.\n"
      "\n"
      "It prints how many points were deleted: for people in a sentence; plain, the number; as JSON,\n"
      "{\"points\": 2}.\n"
      "\n"
      "Examples:\n"
      "  metricsctl del room.temperature\n"
      "  metricsctl del room.temperature - now-4w\n"
      "  metricsctl del --yes 'test.*'"),
};

static gboolean
has_wildcards (const char *text)
{
  g_autoptr (MetricsPattern) pattern = metrics_pattern_new (text, strlen (text));
  gsize len;

  return metrics_pattern_get_literal (pattern, &len) == NULL;
}

static gboolean
read_yes (void)
{
  char answer[64];

  return fgets (answer, sizeof answer, stdin) != NULL && rpmatch (answer) == 1;
}

/* Shows what would go and asks, where there is anything. Sets @status where it is not to go. */
static gboolean
ask (MetricsCtl *ctl, const char *pattern, gboolean span, int *status)
{
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *number = NULL;
  guint64 n_points = 0;

  keys = metrics_client_keys (metrics_ctl_get_client (ctl), pattern, NULL, &error);
  if (keys == NULL)
    {
      *status = metrics_ctl_fail (ctl, error);
      return FALSE;
    }
  if (keys->len == 0)
    return TRUE;

  for (guint i = 0; i < keys->len; i++)
    {
      const MetricsKeyInfo *info = g_ptr_array_index (keys, i);

      n_points += info->n_points;
      if (i < MAX_SHOWN)
        g_printerr ("  %s\n", info->key);
      else if (i == MAX_SHOWN)
        g_printerr ("  ...\n");
    }
  number = metrics_ctl_format_integer ((gint64) n_points);

  g_printerr (ngettext ("%u key matches; points: %s. ", "%u keys match; points in all: %s. ", keys->len),
              keys->len, number);
  /* Translators: y is for yes in all languages, and must stay */
  g_printerr ("%s", span ? _ ("Delete those of that time? [y/N] ") : _ ("Delete them? [y/N] "));
  if (read_yes ())
    return TRUE;
  g_printerr ("%s\n", _ ("Nothing was deleted."));
  *status = METRICS_CTL_FAILED;
  return FALSE;
}

static gboolean
confirm (MetricsCtl *ctl, const char *pattern, gboolean span, int *status)
{
  if (!has_wildcards (pattern))
    return TRUE;
  if (isatty (STDIN_FILENO) && isatty (STDERR_FILENO))
    return ask (ctl, pattern, span, status);
  *status = metrics_ctl_usage_error (ctl, "%s", _ ("a pattern with wildcards needs --yes"));
  return FALSE;
}

static int
print_deleted (MetricsCtl *ctl, guint64 n_points)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GError) error = NULL;
  g_autofree char *number = metrics_ctl_format_integer ((gint64) n_points);

  switch (metrics_ctl_get_form (ctl))
    {
    case METRICS_CTL_FORM_HUMAN:
      metrics_ctl_output_printf (output, ngettext ("%s point deleted\n", "%s points deleted\n", n_points),
                                 number);
      break;
    case METRICS_CTL_FORM_JSON:
      metrics_ctl_output_printf (output, "{\"points\": %" G_GUINT64_FORMAT "}\n", n_points);
      break;
    case METRICS_CTL_FORM_PLAIN:
    default:
      metrics_ctl_output_printf (output, "%" G_GUINT64_FORMAT "\n", n_points);
      break;
    }
  return metrics_ctl_output_flush (output, &error) ? METRICS_CTL_DONE : metrics_ctl_fail (ctl, error);
}

int
metrics_ctl_del (MetricsCtl *ctl, int argc, char **argv)
{
  gboolean yes = FALSE;
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, N_ ("Do not ask"), NULL },
    { NULL },
  };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_points = 0;
  gint64 from, to;
  gboolean span, done;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (arguments == NULL || !metrics_ctl_check_pattern (ctl, arguments[0], &status)
      || !metrics_ctl_check_span (ctl, arguments[1], arguments[1] != NULL ? arguments[2] : NULL, &from, &to,
                                  &status))
    return status;
  span = arguments[1] != NULL;
  /* Half a span is more likely a mistake than a wish. */
  if (span && arguments[2] == NULL)
    return metrics_ctl_usage_error (ctl, "%s", _ ("FROM needs TO; '-' leaves it open"));
  if (!yes && !confirm (ctl, arguments[0], span, &status))
    return status;

  metrics_ctl_allow_interaction (ctl);
  if (span)
    done = metrics_client_delete_range (metrics_ctl_get_client (ctl), arguments[0], from, to, &n_points, NULL,
                                        &error);
  else
    done = metrics_client_delete (metrics_ctl_get_client (ctl), arguments[0], &n_points, NULL, &error);
  return done ? print_deleted (ctl, n_points) : metrics_ctl_fail (ctl, error);
}
