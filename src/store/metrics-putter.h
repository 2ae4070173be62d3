/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

G_BEGIN_DECLS

/**
 * MetricsPutter:
 *
 * Puts many points, one behind the other, and waits where one has to. It lives inside of what puts; its
 * fields are its own.
 */
typedef struct
{
  MetricsStore *store; /* (owned) */
  MetricsQuery *query; /* (owned) (nullable): of the point that waits for room, or for the disk */
  MetricsQueryWakeFunc wake_func;
  gpointer wake_data; /* (unowned) */
} MetricsPutter;

void metrics_putter_init (MetricsPutter *self,
                          MetricsStore *store,
                          MetricsQueryWakeFunc wake_func,
                          gpointer wake_data);
void metrics_putter_clear (MetricsPutter *self);

MetricsQueryState metrics_putter_put (MetricsPutter *self,
                                      const char *key,
                                      gsize key_len,
                                      MetricsPoint point,
                                      gint *budget,
                                      GError **error);

G_END_DECLS
