/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-database.h"

G_BEGIN_DECLS

void metrics_damage_report (const char *path, const char *table, guint64 id, const char *reason);
gboolean metrics_damage_report_lost (const char *path, const char *table, const MetricsRow *row);
void metrics_damage_keep (const char *path, const MetricsRow *row);

G_END_DECLS
