/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-retention.h"

G_BEGIN_DECLS

gboolean metrics_show_retention (const char *folder, const MetricsRetention *retention, GError **error);

G_END_DECLS
