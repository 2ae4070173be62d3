/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-commands.h"

#include <glib/gi18n.h>

/* Stands for metrics-ctl-collect.c where libgtop is not there. */
int
metrics_ctl_collect (MetricsCtl *ctl, int argc, char **argv)
{
  metrics_ctl_warn (ctl, "%s", _ ("this metricsctl was built without 'collect', which needs libgtop"));
  return METRICS_CTL_FAILED;
}
