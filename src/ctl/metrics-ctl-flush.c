/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-address.h"
#include "ctl/metrics-ctl-commands.h"

#include <glib/gi18n.h>

static const MetricsCtlUsage usage = {
  NULL,
  0,
  0,
  N_ ("Waits until all points that the server has acknowledged are on disk, before a copy of its\n"
      "folder is made for example."),
  N_ ("The server has to be one on the bus: --session or --system. On the system bus that is for\n"
      "administrators: where polkit wants to know who asks, it asks.\n"
      "\n"
      "It prints nothing: when it ends with 0, they are on disk.\n"
      "\n"
      "Examples:\n"
      "  metricsctl --session flush\n"
      "  metricsctl flush --system"),
};

int
metrics_ctl_flush (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;
  if (metrics_address_parse_bus (metrics_ctl_get_address (ctl)) == G_BUS_TYPE_NONE)
    {
      g_autofree char *address = metrics_ctl_describe_address (ctl);

      return metrics_ctl_usage_error (ctl,
                                      _ ("only a server on the bus can be asked to flush (--session, "
                                         "--system), not %s"),
                                      address);
    }

  metrics_ctl_allow_interaction (ctl);
  if (!metrics_client_flush (metrics_ctl_get_client (ctl), NULL, &error))
    return metrics_ctl_fail (ctl, error);
  return METRICS_CTL_DONE;
}
