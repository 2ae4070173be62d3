/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rules.h"

G_BEGIN_DECLS

typedef struct _MetricsRetention MetricsRetention;

MetricsRetention *metrics_retention_new (MetricsRules *rules, GError **error);
void metrics_retention_free (MetricsRetention *self);

const MetricsRules *metrics_retention_get_rules (const MetricsRetention *self);
gint64 metrics_retention_get_keep (const MetricsRetention *self, guint rule);
gint64 metrics_retention_get_cutoff (const MetricsRetention *self, guint rule, gint64 now);
gint64 metrics_retention_get_latest_cutoff (const MetricsRetention *self, gint64 now);

gboolean metrics_retention_is_due (const MetricsRetention *self,
                                   guint rule,
                                   gint64 now,
                                   gint64 first,
                                   gint64 last);
gboolean metrics_retention_check (const MetricsRetention *self,
                                  const char *key,
                                  gsize key_len,
                                  gint64 time,
                                  gint64 now,
                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRetention, metrics_retention_free)

G_END_DECLS
