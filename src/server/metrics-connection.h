/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-poller.h"
#include "common/metrics-rights.h"
#include "server/metrics-gate.h"
#include "server/metrics-limits.h"
#include "store/metrics-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_CONNECTION (metrics_connection_get_type ())
G_DECLARE_FINAL_TYPE (MetricsConnection, metrics_connection, METRICS, CONNECTION, GObject)

MetricsConnection *metrics_connection_new (GSocketConnection *stream,
                                           MetricsStore *store,
                                           MetricsGate *gate,
                                           const MetricsLimits *limits,
                                           MetricsFigures *figures,
                                           MetricsRights rights);

gboolean metrics_connection_start (MetricsConnection *self, MetricsPoller *poller, GError **error);
void metrics_connection_take_limits (MetricsConnection *self);
void metrics_connection_refuse (MetricsConnection *self, const char *message);
void metrics_connection_finish (MetricsConnection *self);
void metrics_connection_abort (MetricsConnection *self);

G_END_DECLS
