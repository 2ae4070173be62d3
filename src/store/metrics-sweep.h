/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

G_BEGIN_DECLS

typedef struct _MetricsSweep MetricsSweep;

/**
 * MetricsSweepWakeFunc:
 * @user_data: what was given to metrics_sweep_new()
 *
 * What a sweep waited for is there. It may be asked on, or freed, from within this function.
 */
typedef void (*MetricsSweepWakeFunc) (gpointer user_data);

MetricsSweep *metrics_sweep_new (MetricsStore *store,
                                 gint64 now,
                                 MetricsSweepWakeFunc wake_func,
                                 gpointer user_data);
void metrics_sweep_free (MetricsSweep *self);

MetricsQueryState metrics_sweep_next (MetricsSweep *self, gint *budget);
guint64 metrics_sweep_get_n_points (const MetricsSweep *self);
guint metrics_sweep_get_n_series (const MetricsSweep *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSweep, metrics_sweep_free)

G_END_DECLS
