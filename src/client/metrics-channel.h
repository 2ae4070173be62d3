/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-request.h"

G_BEGIN_DECLS

MetricsChannel *metrics_channel_new (const char *address);
const char *metrics_channel_get_server (MetricsChannel *self);
void metrics_channel_shut_down (MetricsChannel *self);

void metrics_channel_submit (MetricsChannel *self, MetricsRequest *request);
void metrics_channel_wake (MetricsChannel *self);

G_END_DECLS
