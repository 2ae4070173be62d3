/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/* The subcommands, a file each, with the help that tells what each does; see MetricsCtlCommand. All of them
 * take the same:
 *
 * @ctl: the command line's state, with the global options that stood in front of the command's name
 * @argc: how many words there are
 * @argv: (array length=argc): the command's name and what stands behind it
 *
 * They read the words with metrics_ctl_parse(), do all that the command does, output and complaints included,
 * and return the exit status, a MetricsCtlStatus. */
int metrics_ctl_put (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_get (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_last (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_range (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_plot (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_top (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_keys (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_del (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_watch (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_flush (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_ping (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_stats (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_import (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_export (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_collect (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_bench (MetricsCtl *ctl, int argc, char **argv);
int metrics_ctl_complete (MetricsCtl *ctl, int argc, char **argv);

G_END_DECLS
