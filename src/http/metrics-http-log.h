/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"
#include "http/metrics-http-request.h"

G_BEGIN_DECLS

void metrics_http_log_denied (GSocket *socket, MetricsRights missing);
void metrics_http_log_refused_put (MetricsHttpRequest *request, const GError *error);

G_END_DECLS
