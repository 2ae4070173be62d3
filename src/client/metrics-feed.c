/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-feed.h"

#include "client/metrics-sample-private.h"
#include <glib/gi18n-lib.h>

/* Batches and news wait in a queue each, numbered in the order in which they came: who takes signals gets
 * them in that order, and who takes batches one after the other has the news told beside them. */

/* Points that come one by one are put together while nobody takes them: up to so many. */
#define MAX_JOINED 1024

/* So many news wait for a program that does not run its main context. Two go together, an end of the
 * connection and its return. */
#define MAX_NEWS 16

/**
 * MetricsFeed:
 * @refs: the references: the watch's, and that of what feeds it
 * @limit: how many points may wait
 *
 * @mutex: guards what follows
 * @changed: says that something has come
 * @batches: (element-type MetricsFeedBatch): what waits, oldest first
 * @news: (element-type MetricsFeedNews): what waits, oldest first
 * @n_points: how many points there are in @batches
 * @last_number: that of the last batch or news
 * @is_connected: whether the server is being listened to
 * @was_connected: whether it ever was
 * @is_iterated: whether the program takes batches, so that points are not told by signals
 * @is_awaited: whether it awaits one
 * @end: (owned) (nullable): why nothing more will come
 * @is_closed: whether the program wants nothing more, and what waited was let go
 * @signals: (owned) (nullable): what emits signals
 * @next: (owned) (nullable): what completes an asynchronous call that awaits a batch
 */
struct _MetricsFeed
{
  gatomicrefcount refs;
  guint limit;

  GMutex mutex;
  GCond changed;
  GQueue batches;
  GQueue news;
  guint n_points;
  guint64 last_number;
  gboolean is_connected;
  gboolean was_connected;
  gboolean is_iterated;
  gboolean is_awaited;
  GError *end;
  gboolean is_closed;
  GSource *signals;
  GSource *next;
};

/**
 * metrics_feed_batch_free:
 * @self: (transfer full): a batch
 */
void
metrics_feed_batch_free (MetricsFeedBatch *self)
{
  g_clear_pointer (&self->block, metrics_block_free);
  g_free (self);
}

/**
 * metrics_feed_batch_make_samples:
 * @self: a batch
 *
 * Returns: (transfer full) (element-type MetricsSample): its points, in an array that frees them with itself
 */
GPtrArray *
metrics_feed_batch_make_samples (const MetricsFeedBatch *self)
{
  guint n = self->block != NULL ? self->block->samples->len - self->start : 0;
  GPtrArray *samples = g_ptr_array_new_full (n, (GDestroyNotify) metrics_sample_free);

  for (guint i = 0; i < n; i++)
    {
      const MetricsSample *sample = &g_array_index (self->block->samples, MetricsSample, self->start + i);

      g_ptr_array_add (samples, metrics_sample_new_shared (sample->key, sample->value, sample->timestamp));
    }
  return samples;
}

/**
 * metrics_feed_news_free:
 * @self: (transfer full): news
 */
void
metrics_feed_news_free (MetricsFeedNews *self)
{
  g_clear_error (&self->error);
  g_free (self);
}

/**
 * metrics_feed_new:
 * @limit: how many points may wait, at least one
 *
 * Returns: (transfer full): an empty feed
 */
MetricsFeed *
metrics_feed_new (guint limit)
{
  MetricsFeed *self = g_new0 (MetricsFeed, 1);

  g_atomic_ref_count_init (&self->refs);
  self->limit = limit;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  g_queue_init (&self->batches);
  g_queue_init (&self->news);
  return self;
}

/**
 * metrics_feed_ref:
 * @self: a feed
 *
 * Returns: (transfer full): @self
 */
MetricsFeed *
metrics_feed_ref (MetricsFeed *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
forget (MetricsFeed *self)
{
  g_queue_clear_full (&self->batches, (GDestroyNotify) metrics_feed_batch_free);
  g_queue_clear_full (&self->news, (GDestroyNotify) metrics_feed_news_free);
  self->n_points = 0;
}

/**
 * metrics_feed_unref:
 * @self: (transfer full): a feed
 */
void
metrics_feed_unref (MetricsFeed *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_assert (self->signals == NULL && self->next == NULL);
  forget (self);
  g_clear_error (&self->end);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  g_free (self);
}

static void
wake (MetricsFeed *self)
{
  if (self->signals != NULL)
    g_source_set_ready_time (self->signals, 0);
  if (self->next != NULL)
    g_source_set_ready_time (self->next, 0);
  g_cond_broadcast (&self->changed);
}

static void
add_news (MetricsFeed *self, MetricsFeedState state, gboolean is_gap, const GError *error)
{
  MetricsFeedNews *news = g_new0 (MetricsFeedNews, 1);

  news->number = ++self->last_number;
  news->state = state;
  news->is_gap = is_gap;
  news->error = error != NULL ? g_error_copy (error) : NULL;
  g_queue_push_tail (&self->news, news);
  while (self->news.length > MAX_NEWS)
    {
      metrics_feed_news_free (g_queue_pop_head (&self->news));
      metrics_feed_news_free (g_queue_pop_head (&self->news));
    }
}

/* Returns: (transfer none): the batch that tells what comes next: the last one while it has no points, else a
 * new one. */
static MetricsFeedBatch *
reach_empty (MetricsFeed *self)
{
  MetricsFeedBatch *batch = g_queue_peek_tail (&self->batches);

  if (batch == NULL || batch->block != NULL)
    {
      batch = g_new0 (MetricsFeedBatch, 1);
      g_queue_push_tail (&self->batches, batch);
    }
  batch->number = ++self->last_number;
  return batch;
}

/* Drops the oldest points, and no more of them than have to go. What is told of those in front of them is
 * told of those behind. */
static void
trim (MetricsFeed *self)
{
  while (self->n_points > self->limit)
    {
      MetricsFeedBatch *first = g_queue_peek_head (&self->batches);
      guint n_left = first->block != NULL ? first->block->samples->len - first->start : 0;
      guint n = MIN (n_left, self->n_points - self->limit);

      first->start += n;
      first->n_dropped += n;
      self->n_points -= n;
      if (n == n_left)
        {
          MetricsFeedBatch *second = g_queue_peek_nth (&self->batches, 1);

          second->n_dropped += first->n_dropped;
          second->is_gap |= first->is_gap;
          metrics_feed_batch_free (g_queue_pop_head (&self->batches));
        }
    }
}

/**
 * metrics_feed_connect:
 * @self: a feed
 *
 * The server is being listened to. What happened before that, since it was the last time, is not known.
 */
void
metrics_feed_connect (MetricsFeed *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_closed)
    return;
  add_news (self, METRICS_FEED_CONNECTED, self->was_connected, NULL);
  if (self->was_connected)
    reach_empty (self)->is_gap = TRUE;
  self->is_connected = TRUE;
  self->was_connected = TRUE;
  wake (self);
}

/**
 * metrics_feed_disconnect:
 * @self: a feed
 * @error: why
 *
 * The server is not being listened to.
 */
void
metrics_feed_disconnect (MetricsFeed *self, const GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_closed)
    return;
  add_news (self, METRICS_FEED_DISCONNECTED, FALSE, error);
  self->is_connected = FALSE;
  wake (self);
}

/* Whether the points can be told together with those of the batch, in front of which nothing else came. */
static gboolean
can_join (MetricsFeed *self, const MetricsFeedBatch *batch, const MetricsBlock *block)
{
  return batch != NULL && batch->block != NULL && batch->number == self->last_number
         && batch->block->samples->len + block->samples->len <= MAX_JOINED;
}

/**
 * metrics_feed_push:
 * @self: a feed
 * @block: (transfer full): points
 *
 * Points have come.
 */
void
metrics_feed_push (MetricsFeed *self, MetricsBlock *block)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MetricsFeedBatch *last = g_queue_peek_tail (&self->batches);

  if (self->is_closed)
    {
      metrics_block_free (block);
      return;
    }
  self->n_points += block->samples->len;
  if (can_join (self, last, block))
    metrics_block_join (last->block, block);
  else
    reach_empty (self)->block = block;
  trim (self);
  wake (self);
}

/**
 * metrics_feed_drop:
 * @self: a feed
 * @n_points: how many points
 *
 * The server has dropped points, as they were not taken in time.
 */
void
metrics_feed_drop (MetricsFeed *self, guint64 n_points)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_closed)
    return;
  reach_empty (self)->n_dropped += n_points;
  wake (self);
}

/**
 * metrics_feed_fail:
 * @self: a feed
 * @error: why
 *
 * Nothing more will come.
 */
void
metrics_feed_fail (MetricsFeed *self, const GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_closed)
    return;
  add_news (self, METRICS_FEED_FAILED, FALSE, error);
  self->is_connected = FALSE;
  self->end = g_error_copy (error);
  wake (self);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* What comes from here on makes it ready again. */
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

/**
 * metrics_feed_new_source:
 *
 * Returns: (transfer full): a source that is dispatched when a feed that has it has something to tell
 */
GSource *
metrics_feed_new_source (void)
{
  return g_source_new (&source_funcs, sizeof (GSource));
}

/**
 * metrics_feed_set_signals:
 * @self: a feed
 * @source: what is to be dispatched when there are news or points
 */
void
metrics_feed_set_signals (MetricsFeed *self, GSource *source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->signals = g_source_ref (source);
}

/**
 * metrics_feed_close:
 * @self: a feed
 * @error: what who awaits a batch is told
 *
 * Lets go of what waits, and of the source for signals.
 */
void
metrics_feed_close (MetricsFeed *self, const GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_closed)
    return;
  self->is_closed = TRUE;
  self->is_connected = FALSE;
  forget (self);
  g_clear_error (&self->end);
  self->end = g_error_copy (error);
  wake (self);
  g_clear_pointer (&self->signals, g_source_unref);
}

/**
 * metrics_feed_is_connected:
 * @self: a feed
 *
 * Returns: whether the server is being listened to
 */
gboolean
metrics_feed_is_connected (MetricsFeed *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->is_connected;
}

static gboolean
is_ready (MetricsFeed *self)
{
  return self->batches.length > 0 || self->end != NULL;
}

/* Takes a batch; an error where there is none and none will come. */
static MetricsFeedBatch *
take_batch (MetricsFeed *self, GError **error)
{
  MetricsFeedBatch *batch = g_queue_pop_head (&self->batches);

  if (batch == NULL)
    g_propagate_error (error, g_error_copy (self->end));
  else if (batch->block != NULL)
    self->n_points -= batch->block->samples->len - batch->start;
  return batch;
}

/**
 * metrics_feed_begin_next:
 * @self: a feed
 * @source: (nullable): what is to be dispatched when metrics_feed_poll() is worth a try
 * @error: return location for a #GError
 *
 * A batch is awaited from here on, until metrics_feed_end_next(); and points are not told by signals any
 * more.
 *
 * Returns: %FALSE where one is awaited already
 */
gboolean
metrics_feed_begin_next (MetricsFeed *self, GSource *source, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->is_awaited)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING, _ ("the next points are awaited already"));
      return FALSE;
    }
  self->is_awaited = TRUE;
  self->is_iterated = TRUE;
  self->next = source != NULL ? g_source_ref (source) : NULL;
  if (source != NULL && is_ready (self))
    g_source_set_ready_time (source, 0);
  return TRUE;
}

/**
 * metrics_feed_end_next:
 * @self: a feed of which a batch is awaited
 */
void
metrics_feed_end_next (MetricsFeed *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->is_awaited = FALSE;
  g_clear_pointer (&self->next, g_source_unref);
}

/**
 * metrics_feed_poll:
 * @self: a feed of which a batch is awaited
 * @batch: (out) (transfer full) (nullable): the batch
 * @error: return location for a #GError
 *
 * Returns: whether there was something: a batch, or an error as none will come
 */
gboolean
metrics_feed_poll (MetricsFeed *self, MetricsFeedBatch **batch, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (!is_ready (self))
    return FALSE;
  *batch = take_batch (self, error);
  return TRUE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  MetricsFeed *self = user_data;

  g_mutex_lock (&self->mutex);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_feed_wait:
 * @self: a feed of which a batch is awaited
 * @cancellable: (nullable): what ends the wait
 * @error: return location for a #GError
 *
 * Blocks until there is a batch; no main context is iterated meanwhile.
 *
 * Returns: (transfer full) (nullable): the batch
 */
MetricsFeedBatch *
metrics_feed_wait (MetricsFeed *self, GCancellable *cancellable, GError **error)
{
  MetricsFeedBatch *batch = NULL;
  gulong id = 0;

  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  g_mutex_lock (&self->mutex);
  while (!is_ready (self) && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->mutex);
  if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    batch = take_batch (self, error);
  g_mutex_unlock (&self->mutex);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, id);
  return batch;
}

/**
 * metrics_feed_take_for_signals:
 * @self: a feed
 * @wants_points: whether anybody listens to points
 * @news: (out) (transfer full) (nullable): news
 * @batch: (out) (transfer full) (nullable): or points
 *
 * Takes what came first of what signals are for, and has the source for them dispatched again where that was
 * not all.
 *
 * Returns: whether there was something
 */
gboolean
metrics_feed_take_for_signals (MetricsFeed *self,
                               gboolean wants_points,
                               MetricsFeedNews **news,
                               MetricsFeedBatch **batch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MetricsFeedNews *first_news = g_queue_peek_head (&self->news);
  MetricsFeedBatch *first_batch
      = wants_points && !self->is_iterated ? g_queue_peek_head (&self->batches) : NULL;

  if (first_news == NULL && first_batch == NULL)
    return FALSE;
  if (first_batch == NULL || (first_news != NULL && first_news->number < first_batch->number))
    *news = g_queue_pop_head (&self->news);
  else
    *batch = take_batch (self, NULL);
  if (self->signals != NULL)
    g_source_set_ready_time (self->signals, 0);
  return TRUE;
}
