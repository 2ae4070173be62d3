/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

static inline gsize
metrics_bits_get_size (guint n, guint width)
{
  return ((gsize) n * width + 7) / 8;
}

/* How many bits it takes to write @value down. */
static inline guint
metrics_bits_get_width (guint64 value)
{
  return value == 0 ? 0 : 64 - (guint) __builtin_clzll (value);
}

void metrics_bits_pack (guint8 *data, const guint64 *values, guint n, guint width);
void metrics_bits_unpack (const guint8 *data, guint n, guint width, guint64 *values);

G_END_DECLS
