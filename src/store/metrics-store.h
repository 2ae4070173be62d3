/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * MetricsStoreError:
 * @METRICS_STORE_ERROR_SERIES_LIMIT: a new key would be one series too many
 * @METRICS_STORE_ERROR_MEMORY_LIMIT: the points would need more memory than they may have
 *
 * Why a point was not taken.
 */
typedef enum
{
  METRICS_STORE_ERROR_SERIES_LIMIT,
  METRICS_STORE_ERROR_MEMORY_LIMIT,
} MetricsStoreError;

#define METRICS_STORE_ERROR (metrics_store_error_quark ())
GQuark metrics_store_error_quark (void);

#define METRICS_TYPE_STORE (metrics_store_get_type ())
G_DECLARE_FINAL_TYPE (MetricsStore, metrics_store, METRICS, STORE, GObject)

MetricsStore *metrics_store_new (guint64 series_limit, guint64 memory_limit);

gboolean metrics_store_put (MetricsStore *self,
                            const char *key,
                            gsize key_len,
                            MetricsPoint point,
                            GError **error);

gboolean metrics_store_drain (MetricsStore *self, gint *budget);

guint metrics_store_take_work (MetricsStore *self);
guint64 metrics_store_get_n_series (MetricsStore *self);
guint64 metrics_store_get_n_points (MetricsStore *self);
guint64 metrics_store_get_memory (MetricsStore *self);

G_END_DECLS
