/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-limits.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsStatsFunc:
 * @name: the name of a figure, a word
 * @value: the figure, less than 2^63
 * @user_data: what was given with the function
 */
typedef void (*MetricsStatsFunc) (const char *name, guint64 value, gpointer user_data);

void metrics_stats_foreach (MetricsStore *store,
                            const MetricsFigures *figures,
                            MetricsStatsFunc func,
                            gpointer user_data);
void metrics_stats_foreach_limit (MetricsStore *store,
                                  const MetricsLimits *limits,
                                  MetricsStatsFunc func,
                                  gpointer user_data);

G_END_DECLS
