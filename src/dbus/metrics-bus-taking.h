/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-private.h"

G_BEGIN_DECLS

/* Said where a caller is refused for that. */
#define METRICS_BUS_NOT_TAKEN                                                                                \
  "answers are not taken: org.freedesktop.DBus.Peer.Ping is to be answered behind them"

gboolean metrics_bus_taking_is_allowed (MetricsBusObject *object, MetricsBusCaller *caller, gsize n_bytes);
MetricsBusTaking *metrics_bus_taking_begin (MetricsBusObject *object,
                                            MetricsBusCaller *caller,
                                            gsize n_bytes);
void metrics_bus_taking_sent (MetricsBusTaking *self, GDBusConnection *connection, gsize n_bytes);
void metrics_bus_taking_leave (MetricsBusTaking *self);

G_END_DECLS
