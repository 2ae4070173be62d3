/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-decimals.h"
#include "common/metrics-point.h"

G_BEGIN_DECLS

/* How many points a block may have that is not constant. */
#define METRICS_CODING_MAX_POINTS METRICS_INTEGERS_MAX

/* How many points a constant block may have. */
#define METRICS_CODING_MAX_CONSTANT G_MAXUINT32

/* How many bytes a block of @n points takes at most. */
#define METRICS_CODING_MAX_SIZE(n)                                                                           \
  (METRICS_BYTES_MAX_VARINT + METRICS_INTEGERS_MAX_SIZE (n) + METRICS_DECIMALS_MAX_SIZE (n))

/**
 * MetricsCoded:
 * @n: how many points, at least one
 * @times: their times
 * @values: their values
 *
 * A block of points in its coded form. It points into the bytes, which have to stay as they are.
 */
typedef struct
{
  guint64 n;
  MetricsIntegers times;
  MetricsDecimals values;
} MetricsCoded;

gsize metrics_coding_encode (guint8 *data, const gint64 *times, const double *values, guint n);
gsize metrics_coding_encode_constant (guint8 *data, gint64 first, gint64 step, double value, guint32 n);

gboolean metrics_coding_open (MetricsCoded *self, const guint8 *data, gsize size);
gboolean metrics_coding_check (const MetricsCoded *self);

gboolean metrics_coding_is_regular (const MetricsCoded *self, gint64 *first, gint64 *step);
gboolean metrics_coding_is_constant (const MetricsCoded *self);
guint64 metrics_coding_find (const MetricsCoded *self, gint64 time);
void metrics_coding_read_times (const MetricsCoded *self, guint64 start, guint n, gint64 *times);
void metrics_coding_read_values (const MetricsCoded *self, guint64 start, guint n, double *values);
gboolean metrics_coding_read_integers (const MetricsCoded *self, guint64 start, guint n, gint64 *integers);

G_END_DECLS
