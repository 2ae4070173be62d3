/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-database.h"
#include "storage/metrics-wal.h"

G_BEGIN_DECLS

void metrics_damage_report (const char *path, const char *table, guint64 id, const char *reason);
gboolean metrics_damage_report_lost (const char *path, const char *table, const MetricsRow *row);
void metrics_damage_keep (const char *path, const MetricsRow *row);
char *metrics_damage_describe_wal (const char *path, const MetricsWalDamage *damage);
gboolean metrics_damage_keep_wal (const char *path, const MetricsWalDamage *damage);
gboolean metrics_damage_cut_wal (const char *path, const MetricsWalDamage *damage);

MetricsDatabase *metrics_damage_open (const char *path, gboolean synchronous, GError **error);

G_END_DECLS
