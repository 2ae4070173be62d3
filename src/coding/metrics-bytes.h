/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

#include <string.h>

G_BEGIN_DECLS

/* Bytes that are read from the front; whoever wants more than there is gets nothing. */
typedef struct
{
  const guint8 *data;
  gsize size;
} MetricsBytes;

/* The longest varint: seven bits a byte. */
#define METRICS_BYTES_MAX_VARINT 10

/* Takes @n bytes. Returns: (nullable): where they are, or %NULL where there are fewer. */
static inline const guint8 *
metrics_bytes_take (MetricsBytes *self, gsize n)
{
  const guint8 *data = self->data;

  if (n > self->size)
    return NULL;
  self->data += n;
  self->size -= n;
  return data;
}

/* Takes an unsigned LEB128: seven bits a byte, the lowest first, the highest bit set but in the last byte.
 * Returns: whether there was one that fits into 64 bits. */
static inline gboolean
metrics_bytes_take_varint (MetricsBytes *self, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 7 * METRICS_BYTES_MAX_VARINT && self->size > 0; shift += 7)
    {
      guint8 byte = *self->data++;

      self->size--;
      if (shift == 63 && byte > 1)
        return FALSE;
      *value |= (guint64) (byte & 0x7f) << shift;
      if (byte < 0x80)
        return TRUE;
    }
  return FALSE;
}

static inline guint8 *
metrics_bytes_put_varint (guint8 *data, guint64 value)
{
  for (; value >= 0x80; value >>= 7)
    *data++ = value | 0x80;
  *data++ = value;
  return data;
}

static inline gsize
metrics_bytes_get_varint_size (guint64 value)
{
  gsize size = 1;

  for (; value >= 0x80; value >>= 7)
    size++;
  return size;
}

/* Small numbers of either sign become small ones: 0, -1, 1, -2, ... */
static inline guint64
metrics_bytes_zigzag (guint64 value)
{
  return (value << 1) ^ (0 - (value >> 63));
}

static inline guint64
metrics_bytes_unzigzag (guint64 value)
{
  return (value >> 1) ^ (0 - (value & 1));
}

G_END_DECLS
