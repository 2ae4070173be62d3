/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-config.h"
#include "daemon/metrics-options.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_DAEMON (metrics_daemon_get_type ())
G_DECLARE_FINAL_TYPE (MetricsDaemon, metrics_daemon, METRICS, DAEMON, GObject)

MetricsDaemon *metrics_daemon_new (const MetricsOptions *options, MetricsConfig *config);

gboolean metrics_daemon_start (MetricsDaemon *self, GError **error);
gboolean metrics_daemon_run (MetricsDaemon *self);

int metrics_daemon_main (int argc, char **argv);

G_END_DECLS
