/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-call.h"

G_BEGIN_DECLS

void metrics_bus_authority_identify (MetricsBusCall *call, MetricsBusNextFunc next);
void metrics_bus_authority_check (MetricsBusCall *call, const char *action, MetricsBusNextFunc allowed);
gboolean metrics_bus_authority_is_trusted (MetricsBusCall *call);

G_END_DECLS
