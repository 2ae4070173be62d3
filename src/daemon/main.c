/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-daemon.h"

int
main (int argc, char **argv)
{
  return metrics_daemon_main (argc, argv);
}
