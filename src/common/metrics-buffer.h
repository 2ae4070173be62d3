/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/**
 * MetricsBuffer:
 * @data: (owned) (nullable): the allocation
 * @start: offset of the first byte that is held
 * @end: offset behind the last one
 * @size: bytes allocated
 *
 * Bytes that are appended at the end and taken from the front. A plain struct, zero when empty, so that it
 * can live inside another one and its hot functions can be inlined.
 */
typedef struct
{
  char *data;
  gsize start;
  gsize end;
  gsize size;
} MetricsBuffer;

void metrics_buffer_grow (MetricsBuffer *self, gsize n_bytes);
void metrics_buffer_consume (MetricsBuffer *self, gsize n_bytes);
void metrics_buffer_clear (MetricsBuffer *self);

/* How many bytes it holds. */
static inline gsize
metrics_buffer_length (const MetricsBuffer *self)
{
  return self->end - self->start;
}

/* Room for @n_bytes behind what it holds; metrics_buffer_commit() then says how many of them were written.
 */
static inline char *
metrics_buffer_reserve (MetricsBuffer *self, gsize n_bytes)
{
  if (G_UNLIKELY (self->size - self->end < n_bytes))
    metrics_buffer_grow (self, n_bytes);
  return self->data + self->end;
}

static inline void
metrics_buffer_commit (MetricsBuffer *self, gsize n_bytes)
{
  self->end += n_bytes;
}

static inline void
metrics_buffer_append (MetricsBuffer *self, const char *bytes, gsize n_bytes)
{
  memcpy (metrics_buffer_reserve (self, n_bytes), bytes, n_bytes);
  metrics_buffer_commit (self, n_bytes);
}

G_END_DECLS
