/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-collect-queue.h"

/* A ring. Points are counted from the first that was ever pushed on, so that a number means the same point
 * while others are pushed and dropped; the point with the number n lies at n modulo the capacity.
 *
 * While points are being sent, some of them may be dropped to make room. Whether they are lost is only known
 * when the answers have come: what was acknowledged is not. */
struct _MetricsCollectQueue
{
  MetricsCollectPoint *points; /* (owned) (array length=capacity) */
  guint capacity;
  guint64 head;      /* the number of the oldest point that is held */
  guint64 tail;      /* the number of the next point that is pushed */
  guint64 begin;     /* the number of the first point that is being sent */
  guint64 n_dropped; /* points that were neither sent nor refused, those since @begin not counted */
};

/**
 * metrics_collect_queue_new:
 * @capacity: how many points there is room for, at least one
 *
 * Returns: (transfer full): an empty queue
 */
MetricsCollectQueue *
metrics_collect_queue_new (guint capacity)
{
  MetricsCollectQueue *self;

  g_return_val_if_fail (capacity >= 1, NULL);

  self = g_new0 (MetricsCollectQueue, 1);
  self->capacity = capacity;
  self->points = g_new0 (MetricsCollectPoint, capacity);
  return self;
}

static MetricsCollectPoint *
get_point (MetricsCollectQueue *self, guint64 number)
{
  return &self->points[number % self->capacity];
}

static void
pop (MetricsCollectQueue *self)
{
  g_clear_pointer (&get_point (self, self->head)->key, g_ref_string_release);
  self->head++;
}

/**
 * metrics_collect_queue_free:
 * @self: (transfer full): a queue
 */
void
metrics_collect_queue_free (MetricsCollectQueue *self)
{
  while (self->head < self->tail)
    pop (self);
  g_free (self->points);
  g_free (self);
}

/**
 * metrics_collect_queue_push:
 * @self: a queue
 * @key: a point's key
 * @value: its value
 * @time: its time
 *
 * Puts a point behind the others; where there is no room the oldest one goes.
 */
void
metrics_collect_queue_push (MetricsCollectQueue *self, const char *key, double value, gint64 time)
{
  MetricsCollectPoint *point;

  if (self->tail - self->head == self->capacity)
    pop (self);
  point = get_point (self, self->tail++);
  point->key = g_ref_string_new_intern (key);
  point->value = value;
  point->time = time;
}

/**
 * metrics_collect_queue_get:
 * @self: a queue
 * @nth: which point, less than metrics_collect_queue_get_length(); 0 is the oldest
 *
 * Returns: (transfer none): the point, valid until something is pushed or settled
 */
const MetricsCollectPoint *
metrics_collect_queue_get (MetricsCollectQueue *self, guint nth)
{
  g_return_val_if_fail (nth < metrics_collect_queue_get_length (self), NULL);

  return get_point (self, self->head + nth);
}

/**
 * metrics_collect_queue_get_length:
 * @self: a queue
 *
 * Returns: how many points it holds
 */
guint
metrics_collect_queue_get_length (MetricsCollectQueue *self)
{
  return (guint) (self->tail - self->head);
}

/* Points that were dropped since @begin and of which @n_done are done with after all. */
static void
count_dropped (MetricsCollectQueue *self, guint n_done)
{
  guint64 done = self->begin + n_done;

  if (self->head > done)
    self->n_dropped += self->head - done;
  self->begin = MAX (self->head, done);
}

/**
 * metrics_collect_queue_begin:
 * @self: a queue
 *
 * From here on points are being sent, from the oldest one on.
 */
void
metrics_collect_queue_begin (MetricsCollectQueue *self)
{
  count_dropped (self, 0);
}

/**
 * metrics_collect_queue_settle:
 * @self: a queue
 * @n_done: how many points, from the one on that was the oldest at metrics_collect_queue_begin(), were
 * answered
 *
 * These points need not be sent again; the others stay, unless room was needed for newer ones.
 */
void
metrics_collect_queue_settle (MetricsCollectQueue *self, guint n_done)
{
  count_dropped (self, n_done);
  while (self->head < self->begin)
    pop (self);
}

/**
 * metrics_collect_queue_get_n_dropped:
 * @self: a queue
 *
 * Returns: how many points were dropped and never sent, of those that are not being sent
 */
guint64
metrics_collect_queue_get_n_dropped (MetricsCollectQueue *self)
{
  return self->n_dropped;
}
