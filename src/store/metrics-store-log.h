/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"

G_BEGIN_DECLS

gboolean metrics_store_log_is_due (const GError *error);
void metrics_store_log_refused_put (MetricsStore *store, const GError *error, const char *client);

G_END_DECLS
