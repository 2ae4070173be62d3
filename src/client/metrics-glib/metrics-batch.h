/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_BATCH (metrics_batch_get_type ())
G_DECLARE_FINAL_TYPE (MetricsBatch, metrics_batch, METRICS, BATCH, GObject)

MetricsBatch *metrics_batch_new (void);

gboolean metrics_batch_add (MetricsBatch *self,
                            const char *key,
                            double value,
                            gint64 timestamp,
                            GError **error);
guint metrics_batch_get_n_points (MetricsBatch *self);
void metrics_batch_clear (MetricsBatch *self);

guint metrics_batch_get_n_accepted (MetricsBatch *self);
guint metrics_batch_get_n_refused (MetricsBatch *self);
const char *metrics_batch_get_refusal (MetricsBatch *self, guint nth, guint *index);

G_END_DECLS
