/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-rollup.h"

G_BEGIN_DECLS

typedef struct _MetricsRollupRead MetricsRollupRead;

MetricsRollupRead *metrics_rollup_read_new (MetricsRollup *rollup,
                                            const MetricsEntry *entry,
                                            const MetricsQuerySpec *spec,
                                            gint *budget);
MetricsRollupRead *metrics_rollup_read_new_below (MetricsStore *store,
                                                  const MetricsRollupRule *rule,
                                                  guint n_tiers,
                                                  const MetricsQuerySpec *spec,
                                                  gint *budget);
void metrics_rollup_read_free (MetricsRollupRead *self);

void metrics_rollup_read_set_wake_func (MetricsRollupRead *self,
                                        MetricsQueryWakeFunc func,
                                        gpointer user_data);
MetricsQueryState metrics_rollup_read_next (MetricsRollupRead *self,
                                            gint *budget,
                                            MetricsPoint *points,
                                            guint max,
                                            guint *n_points);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRollupRead, metrics_rollup_read_free)

G_END_DECLS
