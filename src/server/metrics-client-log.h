/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"
#include "server/metrics-limits.h"
#include "store/metrics-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

void metrics_client_log_lost (GSocket *socket, const GError *error);
void metrics_client_log_over_limit (GSocket *socket, const MetricsLimits *limits);
void metrics_client_log_long_line (GSocket *socket, const MetricsLimits *limits);
void metrics_client_log_http (GSocket *socket);
void metrics_client_log_refused_put (GSocket *socket, MetricsStore *store, const GError *error);

G_END_DECLS
