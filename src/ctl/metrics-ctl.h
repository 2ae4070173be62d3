/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-paint.h"

#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/**
 * MetricsCtlStatus:
 * @METRICS_CTL_DONE: all that was asked for is done
 * @METRICS_CTL_FAILED: the server refused it, something was bad in the data, or the output could not be
 * written
 * @METRICS_CTL_USAGE: the command line is wrong; nothing was done
 * @METRICS_CTL_NO_SERVER: there is no connection, or it broke, or no answer came in time
 *
 * The exit statuses of metricsctl. Where a signal ends it, it dies of that signal.
 */
typedef enum
{
  METRICS_CTL_DONE = 0,
  METRICS_CTL_FAILED = 1,
  METRICS_CTL_USAGE = 2,
  METRICS_CTL_NO_SERVER = 3,
} MetricsCtlStatus;

/**
 * MetricsCtlForm:
 * @METRICS_CTL_FORM_HUMAN: aligned columns with a header, local times, numbers as the locale has them
 * @METRICS_CTL_FORM_PLAIN: the rows of the wire: words separated by a space
 * @METRICS_CTL_FORM_JSON: one JSON document
 *
 * What standard output is written in.
 */
typedef enum
{
  METRICS_CTL_FORM_HUMAN,
  METRICS_CTL_FORM_PLAIN,
  METRICS_CTL_FORM_JSON,
} MetricsCtlForm;

/* What all commands share: the global options, and the client that is made of them when first needed. */
typedef struct _MetricsCtl MetricsCtl;

/**
 * MetricsCtlCommand:
 * @name: the word on the command line
 * @summary: (nullable): one line for `metricsctl --help`, marked with N_(); %NULL for what people do not call
 * @run: does it; gets its own name as the first argument and returns the exit status
 *
 * A subcommand. All strings are static.
 */
typedef struct
{
  const char *name;
  const char *summary;
  int (*run) (MetricsCtl *ctl, int argc, char **argv);
} MetricsCtlCommand;

/**
 * MetricsCtlUsage:
 * @arguments: (nullable): what follows the options, as `--help` shows it: `KEY VALUE [TIMESTAMP]`
 * @min_arguments: how few words that may be
 * @max_arguments: and how many
 * @summary: what the command does, in a sentence or two, marked with N_()
 * @description: what it prints, and examples, marked with N_(); the exit statuses are added to it
 *
 * What is needed to read the command line of a subcommand and to explain it. All strings are static.
 */
typedef struct
{
  const char *arguments;
  guint min_arguments;
  guint max_arguments;
  const char *summary;
  const char *description;
} MetricsCtlUsage;

int metrics_ctl_main (const MetricsCtlCommand *commands, guint n_commands, int argc, char **argv);

GStrv metrics_ctl_parse (MetricsCtl *ctl,
                         const MetricsCtlUsage *usage,
                         const GOptionEntry *entries,
                         int argc,
                         char **argv,
                         int *status);

gboolean metrics_ctl_check_pattern (MetricsCtl *ctl, const char *pattern, int *status);
gboolean metrics_ctl_check_key (MetricsCtl *ctl, const char *key, int *status);
gboolean metrics_ctl_check_function (MetricsCtl *ctl,
                                     const char *name,
                                     MetricsFunction *function,
                                     int *status);
gboolean metrics_ctl_check_step (MetricsCtl *ctl, const char *text, gint64 *seconds, int *status);
gboolean metrics_ctl_check_time (MetricsCtl *ctl, const char *text, gint64 *time, int *status);
gboolean metrics_ctl_check_colors (MetricsCtl *ctl, const char *when, MetricsCtlColors *colors, int *status);
gboolean metrics_ctl_check_length (MetricsCtl *ctl, const char *text, gint64 *seconds, int *status);
gboolean metrics_ctl_check_span (MetricsCtl *ctl,
                                 const char *from_text,
                                 const char *to_text,
                                 gint64 *from,
                                 gint64 *to,
                                 int *status);

const char *metrics_ctl_get_address (MetricsCtl *ctl);
char *metrics_ctl_describe_address (MetricsCtl *ctl);
MetricsCtlForm metrics_ctl_get_form (MetricsCtl *ctl);
MetricsClient *metrics_ctl_get_client (MetricsCtl *ctl);
MetricsClient *metrics_ctl_new_client (MetricsCtl *ctl);
void metrics_ctl_allow_interaction (MetricsCtl *ctl);
GCancellable *metrics_ctl_watch_interrupt (MetricsCtl *ctl);

int metrics_ctl_usage_error (MetricsCtl *ctl, const char *format, ...) G_GNUC_PRINTF (2, 3);
int metrics_ctl_fail (MetricsCtl *ctl, const GError *error);
void metrics_ctl_warn (MetricsCtl *ctl, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
