/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-call.h"

G_BEGIN_DECLS

gboolean metrics_bus_put_handle_one (MetricsBusService *service,
                                     GDBusMethodInvocation *invocation,
                                     const char *key,
                                     double value,
                                     gint64 timestamp,
                                     GVariant *options);
gboolean metrics_bus_put_handle_many (MetricsBusService *service,
                                      GDBusMethodInvocation *invocation,
                                      GVariant *points,
                                      GVariant *options);

G_END_DECLS
