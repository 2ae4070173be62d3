/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-poller.h"
#include "server/metrics-front.h"
#include "server/metrics-limits.h"
#include "server/metrics-listener.h"
#include "server/metrics-stats.h"
#include "store/metrics-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_SERVICE (metrics_service_get_type ())
G_DECLARE_FINAL_TYPE (MetricsService, metrics_service, METRICS, SERVICE, GObject)

MetricsService *metrics_service_new (MetricsStore *store, const MetricsLimits *limits, GError **error);

void metrics_service_set_disk_func (MetricsService *self, MetricsDiskFiguresFunc func, gpointer user_data);
void metrics_service_set_front (MetricsService *self, const MetricsFrontFuncs *funcs);
MetricsPoller *metrics_service_get_poller (MetricsService *self);
void metrics_service_set_limits (MetricsService *self, const MetricsLimits *limits);
void metrics_service_record (MetricsService *self, guint interval);
gboolean metrics_service_listen (MetricsService *self, MetricsListener *listener, GError **error);
gboolean metrics_service_adopt (MetricsService *self,
                                GSocketConnection *stream,
                                const char *name,
                                MetricsRights rights,
                                GError **error);
void metrics_service_foreach_figure (MetricsService *self, MetricsStatsFunc func, gpointer user_data);
gint64 metrics_service_get_quiet_since (MetricsService *self);
void metrics_service_stop_accepting (MetricsService *self);
void metrics_service_finish (MetricsService *self, guint timeout);
void metrics_service_abort (MetricsService *self);

G_END_DECLS
