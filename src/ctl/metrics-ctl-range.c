/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-table.h"

#include <glib/gi18n.h>

static const MetricsCtlUsage usage = {
  N_ ("PATTERN [FROM [TO]]"),
  1,
  3,
  N_ ("Shows the points from FROM to TO (both included) of every key that matches PATTERN. With\n"
      "--step, one point for each step of time: what --function makes of the points in it, stamped\n"
      "with the beginning of the step; steps without points are left out."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it. FROM and TO are numbers of seconds since 1970, 'now',\n"
      "'now-5m' (also s, h, d, w), local dates with or without a time: '2026-11-20 14:03:05',\n"
      "ISO 8601 with a zone: '2026-11-20T13:03:05Z', or '-' for open (the default of both).\n"
      "\n"
      "Functions: avg, min, max, sum, count, first, last, median, p95, p99 (percentiles), rate (the\n"
      "increase of a counter a second).\n"
      "\n"
      "Where the server's rules have dropped old points and kept a point for each minute, say, in their\n"
      "place ([rollup], see metricsd(1)), ask there for a step that is a multiple of that, and for the\n"
      "function that was kept; of avg, also for sum and count. Else only points that are left count.\n"
      "\n"
      "It prints, for people, columns with local times; plain, a line a point: 'KEY VALUE TIMESTAMP';\n"
      "as JSON, an array of {\"key\": \"cpu\", \"value\": 0.25, \"timestamp\": 1503319740}.\n"
      "\n"
      "Examples:\n"
      "  metricsctl range 'host.*.cpu.user' now-10m\n"
      "  metricsctl range room.temperature '2026-11-01' '2026-11-30 23:59:59' --step 1d --function max\n"
      "  metricsctl range 'host.*.net.*.rx_bytes' now-1h --step 1m --function rate --json"),
};

static int
print_buckets (MetricsCtl *ctl,
               const char *pattern,
               gint64 from,
               gint64 to,
               const char *step_text,
               const char *function_name)
{
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;
  MetricsFunction function;
  gint64 step;
  int status;

  if (!metrics_ctl_check_function (ctl, function_name, &function, &status)
      || !metrics_ctl_check_step (ctl, step_text, &step, &status))
    return status;
  samples = metrics_client_range_buckets (metrics_ctl_get_client (ctl), pattern, from, to, step, function,
                                          NULL, &error);
  return metrics_ctl_print_samples (ctl, samples, error);
}

int
metrics_ctl_range (MetricsCtl *ctl, int argc, char **argv)
{
  g_autofree char *step = NULL;
  g_autofree char *function = NULL;
  const GOptionEntry entries[] = {
    { "step", 's', 0, G_OPTION_ARG_STRING, &step, N_ ("One point for each step: seconds, or 1m, 1h, 1d, 1w"),
      N_ ("STEP") },
    { "function", 'f', 0, G_OPTION_ARG_STRING, &function,
      N_ ("What is made of the points of a step (default: avg)"), N_ ("FUNCTION") },
    { NULL },
  };
  g_auto (GStrv) arguments = NULL;
  MetricsFunction none;
  gint64 from, to;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (arguments == NULL || !metrics_ctl_check_pattern (ctl, arguments[0], &status)
      || !metrics_ctl_check_span (ctl, arguments[1], arguments[1] != NULL ? arguments[2] : NULL, &from, &to,
                                  &status))
    return status;

  if (step != NULL)
    return print_buckets (ctl, arguments[0], from, to, step, function);
  if (!metrics_ctl_check_function (ctl, function, &none, &status))
    return status;
  if (function != NULL)
    return metrics_ctl_usage_error (ctl, "%s", _ ("--function needs --step"));
  return metrics_ctl_print_stream (ctl, arguments[0], from, to);
}
