/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-watch-queue.h"

#include "common/metrics-key.h"

#include <string.h>

/* A ring of bytes. Each point is there with its key, so that nothing has to be kept of a series that was
 * deleted meanwhile, what a queue takes is known to the byte, and putting into one allocates nothing once it
 * has grown. No record is cut in two: where one does not fit before the end of the ring, the ring ends there
 * until it has been read that far. */

typedef struct
{
  MetricsPoint point;
  guint64 key_len;
  char key[];
} Record;

#define SMALLEST_SIZE 1024

G_STATIC_ASSERT (sizeof (Record) + METRICS_KEY_MAX <= METRICS_WATCH_QUEUE_MIN);

static gsize
get_record_size (gsize key_len)
{
  const gsize alignment = G_ALIGNOF (Record);

  return (sizeof (Record) + key_len + alignment - 1) / alignment * alignment;
}

static gboolean
has_turned (const MetricsWatchQueue *self)
{
  return self->n > 0 && self->tail <= self->head;
}

/* Returns: where a record of that size can go now, or G_MAXSIZE */
static gsize
find_place (const MetricsWatchQueue *self, gsize size)
{
  if (has_turned (self))
    return self->head - self->tail >= size ? self->tail : G_MAXSIZE;
  if (self->size - self->tail >= size)
    return self->tail;
  return self->head >= size ? 0 : G_MAXSIZE;
}

/**
 * metrics_watch_queue_get_growth:
 * @self: a queue
 * @key_len: the length of a key in bytes
 *
 * Returns: how many bytes more the queue would like to have before a point of that key is pushed, so that
 *   none has to be dropped for it; 0 where there is room, or the limit is reached
 */
gsize
metrics_watch_queue_get_growth (const MetricsWatchQueue *self, gsize key_len)
{
  if (self->size == self->limit || find_place (self, get_record_size (key_len)) != G_MAXSIZE)
    return 0;
  return MIN (MAX (self->size * 2, SMALLEST_SIZE), self->limit) - self->size;
}

/**
 * metrics_watch_queue_grow:
 * @self: a queue that has not reached its limit
 * @usage: where the memory is counted
 *
 * Makes the queue as large as metrics_watch_queue_get_growth() says; that may have to be repeated.
 */
void
metrics_watch_queue_grow (MetricsWatchQueue *self, MetricsUsage *usage)
{
  gsize size = MIN (MAX (self->size * 2, SMALLEST_SIZE), self->limit);
  gsize first = has_turned (self) ? self->end - self->head : self->tail - self->head;
  gsize second = has_turned (self) ? self->tail : 0;
  char *bytes;

  g_assert (size > self->size);

  bytes = g_malloc (size);
  if (self->n > 0)
    {
      memcpy (bytes, self->bytes + self->head, first);
      memcpy (bytes + first, self->bytes, second);
    }
  g_free (self->bytes);
  usage->memory += size - self->size;
  self->bytes = bytes;
  self->size = size;
  self->head = 0;
  self->tail = first + second;
}

/**
 * metrics_watch_queue_push:
 * @self: a queue
 * @row: a point; its key is copied
 *
 * Returns: whether there was room for it
 */
gboolean
metrics_watch_queue_push (MetricsWatchQueue *self, const MetricsWatchRow *row)
{
  gsize size = get_record_size (row->key_len);
  gsize place = find_place (self, size);
  Record *record;

  if (place == G_MAXSIZE)
    return FALSE;
  if (place < self->tail)
    self->end = self->tail;
  record = (Record *) (gpointer) (self->bytes + place);
  record->point = row->point;
  record->key_len = row->key_len;
  memcpy (record->key, row->key, row->key_len);
  self->tail = place + size;
  self->n++;
  return TRUE;
}

/**
 * metrics_watch_queue_pop:
 * @self: a queue
 * @row: (out caller-allocates): the oldest point; its key stays until the queue is changed next
 *
 * Returns: whether there was one
 */
gboolean
metrics_watch_queue_pop (MetricsWatchQueue *self, MetricsWatchRow *row)
{
  gboolean turned = has_turned (self);
  const Record *record;

  if (self->n == 0)
    return FALSE;
  record = (const Record *) (gconstpointer) (self->bytes + self->head);
  *row = (MetricsWatchRow){ .key = record->key, .key_len = record->key_len, .point = record->point };
  self->head += get_record_size (record->key_len);
  if (turned && self->head == self->end)
    self->head = 0;
  if (--self->n == 0)
    self->head = self->tail = 0;
  return TRUE;
}

/**
 * metrics_watch_queue_clear:
 * @self: a queue
 * @usage: where the memory is counted
 *
 * Drops all points and the memory.
 */
void
metrics_watch_queue_clear (MetricsWatchQueue *self, MetricsUsage *usage)
{
  g_clear_pointer (&self->bytes, g_free);
  usage->memory -= self->size;
  *self = (MetricsWatchQueue){ .limit = self->limit };
}
