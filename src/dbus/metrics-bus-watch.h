/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-private.h"

G_BEGIN_DECLS

/* How many watches a caller may have, and all of them; and how many callers may have some. With each of those
 * the bus may have to keep a place for an answer, of which it has 128 for this process: together with
 * METRICS_BUS_MAX_CHECKS that has to stay below. */
#define METRICS_BUS_MAX_WATCHES_OF_CALLER 16
#define METRICS_BUS_MAX_WATCHES 256
#define METRICS_BUS_MAX_WATCHERS 64

gboolean metrics_bus_watch_handle_watch (MetricsBusService *service,
                                         GDBusMethodInvocation *invocation,
                                         const char *pattern,
                                         guint interval_ms,
                                         GVariant *options);
gboolean metrics_bus_watch_handle_unwatch (MetricsBusService *service,
                                           GDBusMethodInvocation *invocation,
                                           guint64 id,
                                           GVariant *options);

void metrics_bus_watches_free (MetricsBusWatches *self);

G_END_DECLS
