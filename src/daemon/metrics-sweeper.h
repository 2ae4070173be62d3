/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-clock-guard.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsSweeper MetricsSweeper;

MetricsSweeper *metrics_sweeper_new (MetricsStore *store,
                                     const MetricsRetention *retention,
                                     gint64 witness,
                                     MetricsInstantFunc func,
                                     gpointer user_data);
void metrics_sweeper_free (MetricsSweeper *self);
void metrics_sweeper_set_retention (MetricsSweeper *self, const MetricsRetention *retention);

void metrics_sweeper_tick (MetricsSweeper *self);
gboolean metrics_sweeper_is_sweeping (const MetricsSweeper *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSweeper, metrics_sweeper_free)

G_END_DECLS
