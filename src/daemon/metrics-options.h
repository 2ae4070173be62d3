/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-settings.h"
#include "dbus/metrics-bus.h"

G_BEGIN_DECLS

/**
 * MetricsTask:
 * @METRICS_TASK_SERVE: to serve
 * @METRICS_TASK_BACKUP: to copy the database
 * @METRICS_TASK_CHECK: to read all of it
 * @METRICS_TASK_RECOVER: to save what is whole in it
 * @METRICS_TASK_CHECK_CONFIG: to say what is wrong with the configuration
 * @METRICS_TASK_SHOW_CONFIG: to show it
 *
 * What there is to be done.
 */
typedef enum
{
  METRICS_TASK_SERVE,
  METRICS_TASK_BACKUP,
  METRICS_TASK_CHECK,
  METRICS_TASK_RECOVER,
  METRICS_TASK_CHECK_CONFIG,
  METRICS_TASK_SHOW_CONFIG,
} MetricsTask;

/**
 * MetricsOptions:
 * @settings: what it says of the server; what it does not say has no origin
 * @bus: on which bus to be called; the server of the system bus has a configuration of its own
 * @is_on_demand: whether it is a server of the session that the service manager has started for its sockets
 * @config: (nullable) (type filename): the configuration file that takes the place of that one
 * @task: what to do
 * @task_file: (nullable) (type filename): what it writes
 * @show_retention: whether only what retention would delete is asked for
 * @show_version: whether only the version is asked for
 *
 * What the command line says.
 */
typedef struct
{
  MetricsSettings *settings; /* (owned) */
  MetricsBusKind bus;
  gboolean is_on_demand;
  char *config; /* (owned) (nullable) */
  MetricsTask task;
  char *task_file; /* (owned) (nullable) */
  gboolean show_retention;
  gboolean show_version;
} MetricsOptions;

MetricsOptions *metrics_options_parse (GStrv *arguments, GError **error);
void metrics_options_free (MetricsOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsOptions, metrics_options_free)

G_END_DECLS
