/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-log.h"

G_BEGIN_DECLS

/**
 * MetricsSpan:
 * @first: the first time
 * @last: the last time
 * @n_points: how many points there are
 *
 * What a chunk holds.
 */
typedef struct
{
  gint64 first;
  gint64 last;
  guint64 n_points;
} MetricsSpan;

typedef void (*MetricsChangeFunc) (const MetricsLogChange *change, gpointer user_data);

gboolean metrics_whole_chunk (const guint8 *data, gsize size, MetricsSpan *span);
gboolean metrics_whole_log (const guint8 *data, gsize size, MetricsChangeFunc func, gpointer user_data);

G_END_DECLS
