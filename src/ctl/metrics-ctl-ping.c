/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-json.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"

#include <glib/gi18n.h>
#include <unistd.h>

static const MetricsCtlUsage usage = {
  NULL,
  0,
  0,
  N_ ("Asks the server for a sign of life and prints how long the answer took. The connection\n"
      "is made before, and its time does not count."),
  N_ ("It prints, for people, a sentence; plain, the milliseconds: '0.084'; as JSON,\n"
      "{\"address\": \"127.0.0.1:8888\", \"milliseconds\": 0.084}.\n"
      "\n"
      "Examples:\n"
      "  metricsctl ping\n"
      "  metricsctl ping --address unix:/run/metricsd/metricsd.sock\n"
      "  until metricsctl ping --timeout 1; do sleep 1; done"),
};

static int
print_round_trip (MetricsCtl *ctl, double milliseconds)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autofree char *address = metrics_ctl_describe_address (ctl);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  switch (metrics_ctl_get_form (ctl))
    {
    case METRICS_CTL_FORM_HUMAN:
      g_string_printf (text, _ ("%s answered after %.3f ms"), address, milliseconds);
      break;
    case METRICS_CTL_FORM_JSON:
      g_string_append (text, "{\"address\": ");
      metrics_json_append_string (text, address);
      g_string_append (text, ", \"milliseconds\": ");
      metrics_json_append_double (text, milliseconds);
      g_string_append_c (text, '}');
      break;
    case METRICS_CTL_FORM_PLAIN:
    default:
      metrics_json_append_double (text, milliseconds);
      break;
    }
  g_string_append_c (text, '\n');
  metrics_ctl_output_append (output, text->str, text->len);
  if (!metrics_ctl_output_flush (output, &error))
    return metrics_ctl_fail (ctl, error);
  return METRICS_CTL_DONE;
}

int
metrics_ctl_ping (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  MetricsClient *client;
  gint64 start;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;

  client = metrics_ctl_get_client (ctl);
  if (!metrics_client_ping (client, NULL, &error))
    return metrics_ctl_fail (ctl, error);
  start = g_get_monotonic_time ();
  if (!metrics_client_ping (client, NULL, &error))
    return metrics_ctl_fail (ctl, error);
  return print_round_trip (ctl, (g_get_monotonic_time () - start) / 1000.0);
}
