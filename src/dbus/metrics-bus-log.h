/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-call.h"

G_BEGIN_DECLS

void metrics_bus_log_name_owned (void);
void metrics_bus_log_name_lost (MetricsBusKind kind);
void metrics_bus_log_denied (const MetricsBusCall *call);
void metrics_bus_log_refused_put (const MetricsBusCall *call, const GError *error);

G_END_DECLS
