/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-clock-guard.h"
#include "store/metrics-retention.h"
#include "store/metrics-rollup.h"

G_BEGIN_DECLS

typedef struct _MetricsRoller MetricsRoller;

MetricsRoller *metrics_roller_new (MetricsStore *store,
                                   const MetricsRollupRules *rules,
                                   const MetricsRetention *retention,
                                   gint64 witness,
                                   MetricsInstantFunc func,
                                   gpointer user_data);
void metrics_roller_free (MetricsRoller *self);
void metrics_roller_set_rules (MetricsRoller *self,
                               const MetricsRollupRules *rules,
                               const MetricsRetention *retention);

void metrics_roller_tick (MetricsRoller *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRoller, metrics_roller_free)

G_END_DECLS
