/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-event.h"
#include "daemon/metrics-options.h"
#include "server/metrics-limits.h"
#include "storage/metrics-storage.h"
#include "store/metrics-retention.h"
#include "store/metrics-rollup-rules.h"

G_BEGIN_DECLS

/* The groups of a file. */
#define METRICS_CONFIG_SERVER "server"
#define METRICS_CONFIG_RETENTION "retention"
#define METRICS_CONFIG_ROLLUP "rollup"

/**
 * MetricsConfigRule:
 * @text: (owned): a rule as it stands in a file
 * @place: (owned): where, `FILE:LINE`
 */
typedef struct
{
  char *text;
  char *place;
} MetricsConfigRule;

/**
 * MetricsConfig:
 * @files: (owned) (element-type utf8): the files that were read, in that order
 * @notes: (owned) (element-type utf8): what files say and the command line says otherwise, for people
 * @settings: (owned): all settings
 * @retention_rules: (owned) (element-type MetricsConfigRule): how long points are kept
 * @rollup_rules: (owned) (element-type MetricsConfigRule): what is kept of them in place of them
 * @has_rollup: whether a file has a group [rollup], be it empty; else what is rolled up is left as it is
 * @retention: (owned): @retention_rules, read
 * @rollup: (owned): @rollup_rules, read
 * @listeners: (owned) (element-type MetricsListener): where to listen; see metrics_config_make_listeners()
 * @has_http: whether HTTP is served, where there are listeners for it
 * @exit_when_idle: after how many seconds with nothing to do the server leaves; 0 for never
 * @limits: what clients can make the server hold or do
 * @series_limit: how many series there may be
 * @memory_limit: bytes that the points may need
 * @state_dir: (owned) (nullable) (type filename): the folder in which points last; %NULL for memory only
 * @durability: when what was put is on disk
 * @lock_timeout: seconds to wait for another server to leave the folder
 * @log_level: the least grave of what is logged
 * @stop_timeout: seconds that clients have to take their answers when the server stops
 * @self_metrics: how often to keep the server's own figures as series, in seconds; 0 for never
 *
 * What the server is to do, by its files and its command line.
 */
typedef struct
{
  GPtrArray *files;
  GPtrArray *notes;
  MetricsSettings *settings;
  GPtrArray *retention_rules;
  GPtrArray *rollup_rules;
  gboolean has_rollup;
  MetricsRetention *retention;
  MetricsRollupRules *rollup;

  GPtrArray *listeners;
  gboolean has_http;
  guint exit_when_idle;
  MetricsLimits limits;
  guint64 series_limit;
  guint64 memory_limit;
  char *state_dir;
  MetricsDurability durability;
  guint lock_timeout;
  MetricsPriority log_level;
  guint stop_timeout;
  guint self_metrics;
} MetricsConfig;

MetricsConfig *metrics_config_load (const MetricsOptions *options, GPtrArray *problems);
gboolean metrics_config_make_listeners (MetricsConfig *self, MetricsBusKind bus, GError **error);
void metrics_config_free (MetricsConfig *self);

int metrics_config_check (const MetricsConfig *self, const GPtrArray *problems);
void metrics_config_show (const MetricsConfig *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsConfig, metrics_config_free)

G_END_DECLS
