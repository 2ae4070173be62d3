/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-bytes.h"

G_BEGIN_DECLS

/* How many numbers a list may have that is not linear. */
#define METRICS_INTEGERS_MAX 256

/* How many bytes a list of @n numbers takes at most: its head, and 64 bits for each. */
#define METRICS_INTEGERS_MAX_SIZE(n) (2 + 2 * METRICS_BYTES_MAX_VARINT + 8 * (gsize) (n))

/**
 * MetricsIntegers:
 * @n: how many numbers
 * @is_delta: whether the numbers that are packed are the differences of neighbours
 * @is_zigzag: whether they lie to both sides of @base
 * @is_bitmap: see @positions
 * @width: in how many bits each is packed
 * @shift: so many zero bits were taken off each
 * @base: what was taken off each
 * @first: the first number, where they are differences
 * @n_patches: of how many there are higher bits beside
 * @patch_width: how many such bits
 * @positions: (nullable): where they belong: their indexes in a byte each or, where @is_bitmap, a bit for
 * each number
 * @patches: (nullable): the higher bits, packed
 * @packed: the lower bits, packed
 *
 * A list of integers in its coded form, all of it checked. The numbers are two's complement: arithmetic
 * wraps.
 */
typedef struct
{
  guint64 n;
  gboolean is_delta;
  gboolean is_zigzag;
  gboolean is_bitmap;
  guint width;
  guint shift;
  guint64 base;
  guint64 first;
  guint n_patches;
  guint patch_width;
  const guint8 *positions;
  const guint8 *patches;
  const guint8 *packed;
} MetricsIntegers;

guint8 *metrics_integers_encode (guint8 *data, const guint64 *values, guint n);
guint8 *metrics_integers_encode_linear (guint8 *data, guint64 first, guint64 step);

gboolean metrics_integers_open (MetricsIntegers *self, MetricsBytes *bytes, guint64 n);
gboolean metrics_integers_is_linear (const MetricsIntegers *self);
guint64 metrics_integers_get_first (const MetricsIntegers *self);
guint64 metrics_integers_get_step (const MetricsIntegers *self);
void metrics_integers_decode (const MetricsIntegers *self, guint64 *values);

G_END_DECLS
