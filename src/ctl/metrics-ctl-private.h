/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/* Shared by metrics-ctl.c, which has what commands call, and metrics-ctl-main.c, which reads command lines.
 */
struct _MetricsCtl
{
  const MetricsCtlCommand *command; /* (unowned) (nullable): the one that runs; none before it is known */
  char *address;                    /* (owned) (nullable): where the server is, as given */
  gboolean session;                 /* it is the user's own on the session bus */
  gboolean system;                  /* it is the machine's on the system bus */
  char *timeout;                    /* (owned) (nullable): seconds for a request, as given */
  guint timeout_msec;               /* and in milliseconds; only where it was given */
  gboolean plain;
  gboolean json;
  gboolean human;
  gboolean help;
  gboolean version;
  MetricsClient *client;   /* (owned) (nullable): made when first asked for */
  GCancellable *interrupt; /* (owned) (nullable): cancelled by a signal, where a command watches for one */
  int signal_number;       /* (atomic): the signal that came; 0 is none */
};

G_END_DECLS
