/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsBusDisk MetricsBusDisk;

/**
 * MetricsBusDiskFunc:
 * @reason: (nullable): why it is not kept, one line of English; %NULL where it is
 * @user_data: what was given to metrics_bus_disk_wait()
 *
 * What was waited for has come about.
 */
typedef void (*MetricsBusDiskFunc) (const char *reason, gpointer user_data);

/**
 * MetricsBusDiskWait:
 *
 * One who waits; zero while it does not. It lives inside of what waits; its fields are the disk's own.
 */
typedef struct
{
  GList link;
  guint64 position;
  MetricsBusDiskFunc func;
  gpointer user_data; /* (unowned) */
  gboolean is_queued;
} MetricsBusDiskWait;

MetricsBusDisk *metrics_bus_disk_new (MetricsStore *store);
void metrics_bus_disk_free (MetricsBusDisk *self);

guint64 metrics_bus_disk_get_position (MetricsBusDisk *self);
gboolean metrics_bus_disk_is_awaited (MetricsBusDisk *self);
gboolean metrics_bus_disk_flush (MetricsBusDisk *self,
                                 MetricsBusDiskWait *wait,
                                 MetricsBusDiskFunc func,
                                 gpointer user_data,
                                 GError **error);
gboolean metrics_bus_disk_wait (MetricsBusDisk *self,
                                MetricsBusDiskWait *wait,
                                guint64 since,
                                MetricsBusDiskFunc func,
                                gpointer user_data);
void metrics_bus_disk_forget (MetricsBusDisk *self, MetricsBusDiskWait *wait);

G_END_DECLS
