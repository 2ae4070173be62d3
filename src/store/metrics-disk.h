/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsDisk MetricsDisk;

/**
 * MetricsDiskFunc:
 * @reason: (nullable): why it is not kept, one line of English; %NULL where it is
 * @user_data: what was given to metrics_disk_wait()
 *
 * What was waited for has come about.
 */
typedef void (*MetricsDiskFunc) (const char *reason, gpointer user_data);

/**
 * MetricsDiskWait:
 *
 * One who waits; zero while it does not. It lives inside of what waits; its fields are the disk's own.
 */
typedef struct
{
  GList link;
  guint64 position;
  MetricsDiskFunc func;
  gpointer user_data; /* (unowned) */
  gboolean is_queued;
} MetricsDiskWait;

MetricsDisk *metrics_disk_new (MetricsStore *store);
void metrics_disk_free (MetricsDisk *self);

guint64 metrics_disk_get_position (MetricsDisk *self);
gboolean metrics_disk_is_awaited (MetricsDisk *self);
gboolean metrics_disk_flush (MetricsDisk *self,
                             MetricsDiskWait *wait,
                             MetricsDiskFunc func,
                             gpointer user_data,
                             GError **error);
gboolean metrics_disk_wait (MetricsDisk *self,
                            MetricsDiskWait *wait,
                            guint64 since,
                            MetricsDiskFunc func,
                            gpointer user_data);
void metrics_disk_forget (MetricsDisk *self, MetricsDiskWait *wait);

G_END_DECLS
