/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus.h"
#include "server/metrics-service.h"

G_BEGIN_DECLS

MetricsBus *metrics_bus_host_new (MetricsBusKind kind,
                                  MetricsStore *store,
                                  MetricsService *service,
                                  guint slice);
void metrics_bus_host_set_listeners (MetricsBus *bus, GPtrArray *listeners);

G_END_DECLS
