/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"
#include "store/metrics-memory.h"

G_BEGIN_DECLS

/**
 * MetricsWatchRow:
 * @key: (unowned) (array length=key_len): the key, without a NUL at its end
 * @key_len: its length in bytes
 * @point: the point that was put
 *
 * One point that somebody watched.
 */
typedef struct
{
  const char *key;
  gsize key_len;
  MetricsPoint point;
} MetricsWatchRow;

/**
 * MetricsWatchQueue:
 * @bytes: (owned) (nullable) (array length=size): the points and their keys
 * @size: how many bytes there is room for
 * @limit: how many there may be at most
 * @head: where the oldest point is
 * @tail: where the next one goes
 * @end: where those end that are before the turn, while @tail is not behind @head
 * @n: how many points there are
 *
 * Points in the order in which they were put, and no more of them than a number of bytes holds. A plain
 * struct, all zero but for the limit when empty.
 */
typedef struct
{
  char *bytes;
  gsize size;
  gsize limit;
  gsize head;
  gsize tail;
  gsize end;
  guint n;
} MetricsWatchQueue;

/* The least that a queue can be limited to: the longest key fits. */
#define METRICS_WATCH_QUEUE_MIN 2048

gsize metrics_watch_queue_get_growth (const MetricsWatchQueue *self, gsize key_len);
void metrics_watch_queue_grow (MetricsWatchQueue *self, MetricsUsage *usage);
gboolean metrics_watch_queue_push (MetricsWatchQueue *self, const MetricsWatchRow *row);
gboolean metrics_watch_queue_pop (MetricsWatchQueue *self, MetricsWatchRow *row);
void metrics_watch_queue_clear (MetricsWatchQueue *self, MetricsUsage *usage);

G_END_DECLS
