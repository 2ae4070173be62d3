/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-private.h"

G_BEGIN_DECLS

gboolean metrics_bus_watch_handle_watch (MetricsBusService *service,
                                         GDBusMethodInvocation *invocation,
                                         const char *pattern,
                                         guint interval_ms,
                                         GVariant *options);
gboolean metrics_bus_watch_handle_unwatch (MetricsBusService *service,
                                           GDBusMethodInvocation *invocation,
                                           guint64 id,
                                           GVariant *options);

void metrics_bus_watches_free (MetricsBusWatches *watches);

G_END_DECLS
