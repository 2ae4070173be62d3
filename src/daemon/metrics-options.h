/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-event.h"
#include "dbus/metrics-bus.h"
#include "server/metrics-limits.h"
#include "storage/metrics-storage.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsTask:
 * @METRICS_TASK_SERVE: to serve
 * @METRICS_TASK_BACKUP: to copy the database
 * @METRICS_TASK_CHECK: to read all of it
 * @METRICS_TASK_RECOVER: to save what is whole in it
 *
 * What there is to be done.
 */
typedef enum
{
  METRICS_TASK_SERVE,
  METRICS_TASK_BACKUP,
  METRICS_TASK_CHECK,
  METRICS_TASK_RECOVER,
} MetricsTask;

/**
 * MetricsOptions:
 * @listeners: (element-type MetricsListener): where to listen
 * @listeners_are_defaults: whether that is only so because nobody said anything else
 * @bus: on which bus to be called
 * @limits: what clients can make the server hold or do
 * @series_limit: how many series there may be
 * @memory_limit: bytes that the points may need
 * @state_dir: (nullable) (type filename): the folder in which points last; %NULL for memory only
 * @durability: when what was put is on disk
 * @lock_timeout: seconds to wait for another server to leave the folder
 * @exit_when_idle: after how many seconds with nothing to do the server leaves; 0 for never
 * @stop_timeout: seconds that clients have to take their answers when the server stops
 * @log_level: the least grave of what is logged
 * @self_metrics: how often to keep the server's own figures as series, in seconds; 0 for never
 * @task: what to do
 * @task_file: (nullable) (type filename): what it writes
 * @config: (nullable) (type filename): the configuration file; %NULL for none
 * @show_retention: whether only what retention would delete is asked for
 * @show_version: whether only the version is asked for
 *
 * What the command line says.
 */
typedef struct
{
  GPtrArray *listeners; /* (owned) */
  gboolean listeners_are_defaults;
  MetricsBusKind bus;
  MetricsLimits limits;
  guint64 series_limit;
  guint64 memory_limit;
  char *state_dir; /* (owned) (nullable) */
  MetricsDurability durability;
  guint lock_timeout;
  guint exit_when_idle;
  guint stop_timeout;
  MetricsPriority log_level;
  guint self_metrics;
  MetricsTask task;
  char *task_file; /* (owned) (nullable) */
  char *config;    /* (owned) (nullable) */
  gboolean show_retention;
  gboolean show_version;
} MetricsOptions;

MetricsOptions *metrics_options_parse (GStrv *arguments, GError **error);
void metrics_options_free (MetricsOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsOptions, metrics_options_free)

G_END_DECLS
