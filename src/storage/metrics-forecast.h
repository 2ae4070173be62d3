/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-retention.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsForecast:
 * @n_series: for how many series a rule holds
 * @n_shortened: how many of them have points that are too old
 * @n_points: how many points are too old
 * @n_bytes: how many bytes of the file they take, roughly
 *
 * What a rule of retention deletes.
 */
typedef struct
{
  guint64 n_series;
  guint64 n_shortened;
  guint64 n_points;
  guint64 n_bytes;
} MetricsForecast;

GArray *metrics_forecast_read (const char *folder,
                               const MetricsRetention *retention,
                               gint64 now,
                               GError **error);

G_END_DECLS
