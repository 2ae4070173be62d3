/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-buffer.h"

#define MIN_SIZE 256

/**
 * metrics_buffer_grow:
 * @self: a buffer
 * @n_bytes: how many bytes are to be written behind what it holds
 *
 * Makes room: by moving what is held to the front where that is enough, else by allocating twice as much.
 */
void
metrics_buffer_grow (MetricsBuffer *self, gsize n_bytes)
{
  gsize length = metrics_buffer_length (self);
  gsize size = MAX (self->size, MIN_SIZE);

  if (self->start > 0)
    {
      memmove (self->data, self->data + self->start, length);
      self->start = 0;
      self->end = length;
    }
  while (size - length < n_bytes || (size < self->size * 2 && length > size / 2))
    size *= 2;
  if (size != self->size)
    {
      self->data = g_realloc (self->data, size);
      self->size = size;
    }
}

/**
 * metrics_buffer_consume:
 * @self: a buffer
 * @n_bytes: how many bytes to take from its front, at most its length
 */
void
metrics_buffer_consume (MetricsBuffer *self, gsize n_bytes)
{
  g_assert (n_bytes <= metrics_buffer_length (self));

  self->start += n_bytes;
  if (self->start == self->end)
    self->start = self->end = 0;
}

/**
 * metrics_buffer_clear:
 * @self: a buffer
 *
 * Forgets what it holds and gives its memory back.
 */
void
metrics_buffer_clear (MetricsBuffer *self)
{
  g_clear_pointer (&self->data, g_free);
  self->start = self->end = self->size = 0;
}
