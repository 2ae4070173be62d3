/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"

G_BEGIN_DECLS

void metrics_http_log_denied (GSocket *socket, MetricsRights missing);

G_END_DECLS
