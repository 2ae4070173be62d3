/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-request.h"

#include "client/metrics-watch-link.h"

/* So many blocks, of at most a read from the socket each, may wait for a maker that is slower than its
 * server. */
#define MAX_BLOCKS 4

static void
refusal_clear (gpointer data)
{
  MetricsRefusal *self = data;

  g_free (self->text);
}

static MetricsRequest *
request_alloc (MetricsAnswerKind kind)
{
  MetricsRequest *self = g_new0 (MetricsRequest, 1);

  g_atomic_ref_count_init (&self->refs);
  self->queued.data = self;
  self->in_flight.data = self;
  metrics_answer_init (&self->answer, kind);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  g_queue_init (&self->blocks);
  return self;
}

/**
 * metrics_request_new:
 * @kind: what its answer is
 * @text: (transfer full): its lines, each with its line feed
 * @n_lines: how many they are
 *
 * Returns: (transfer full): a request
 */
MetricsRequest *
metrics_request_new (MetricsAnswerKind kind, GBytes *text, guint n_lines)
{
  MetricsRequest *self = request_alloc (kind);

  self->text = text;
  self->n_lines = n_lines;
  return self;
}

/**
 * metrics_request_new_close:
 *
 * Returns: (transfer full): the request to close the connection, when those before it have been sent or not
 */
MetricsRequest *
metrics_request_new_close (void)
{
  return request_alloc (METRICS_ANSWER_DISCARD);
}

/**
 * metrics_request_new_flush:
 *
 * Returns: (transfer full): the request to have on disk all that was put, which only the bus knows
 */
MetricsRequest *
metrics_request_new_flush (void)
{
  MetricsRequest *self = request_alloc (METRICS_ANSWER_EMPTY);

  self->method = "Flush";
  self->arguments = g_variant_ref_sink (g_variant_new ("(a{sv})", NULL));
  return self;
}

/**
 * metrics_request_new_done:
 * @error: (transfer full) (nullable): how it failed, or %NULL where there was nothing to do
 *
 * Returns: (transfer full): a request that is never sent
 */
MetricsRequest *
metrics_request_new_done (GError *error)
{
  MetricsRequest *self = request_alloc (METRICS_ANSWER_DISCARD);

  self->error = error;
  self->is_done = TRUE;
  self->is_finished = TRUE;
  return self;
}

/**
 * metrics_request_ref:
 * @self: a request
 *
 * Returns: (transfer full): @self
 */
MetricsRequest *
metrics_request_ref (MetricsRequest *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * metrics_request_unref:
 * @self: (transfer full): a request
 */
void
metrics_request_unref (MetricsRequest *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_assert (self->task == NULL && self->cancel_source == NULL && self->link == NULL);
  g_assert (!self->is_queued && !self->is_in_flight);

  g_clear_pointer (&self->text, g_bytes_unref);
  g_clear_pointer (&self->arguments, g_variant_unref);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->batch);
  metrics_answer_clear (&self->answer);
  g_clear_pointer (&self->refusals, g_array_unref);
  g_clear_error (&self->error);
  g_queue_clear_full (&self->blocks, (GDestroyNotify) metrics_block_free);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  g_free (self);
}

/**
 * metrics_request_wait:
 * @self: a request that a channel has, and that has no task
 * @error: return location for a #GError
 *
 * Blocks until the request is done. No main context is iterated meanwhile: the caller's callbacks do not run
 * in the middle of its own functions.
 *
 * Returns: whether it succeeded
 */
gboolean
metrics_request_wait (MetricsRequest *self, GError **error)
{
  g_mutex_lock (&self->mutex);
  while (!self->is_finished)
    g_cond_wait (&self->changed, &self->mutex);
  g_mutex_unlock (&self->mutex);

  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

/**
 * metrics_request_wait_block:
 * @self: a request for blocks that a channel has
 *
 * Blocks until there is a block. Afterwards the channel has to be told, as it may have stopped reading.
 *
 * Returns: (transfer full) (nullable): the next block; %NULL where the request is done and there are no more
 */
MetricsBlock *
metrics_request_wait_block (MetricsRequest *self)
{
  MetricsBlock *block;

  g_mutex_lock (&self->mutex);
  while (g_queue_is_empty (&self->blocks) && !self->is_finished)
    g_cond_wait (&self->changed, &self->mutex);
  block = g_queue_pop_head (&self->blocks);
  g_mutex_unlock (&self->mutex);
  return block;
}

/**
 * metrics_request_stop:
 * @self: a request for blocks that a channel has
 *
 * Says that no more blocks are wanted. Afterwards the channel has to be told.
 */
void
metrics_request_stop (MetricsRequest *self)
{
  g_mutex_lock (&self->mutex);
  self->is_stopped = TRUE;
  g_mutex_unlock (&self->mutex);
}

static gboolean
return_task (gpointer user_data)
{
  MetricsRequest *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else
    g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

/* The task is returned and let go of where its callback runs: were its last reference the worker thread's, so
 * could be that of the client, and whatever the program has tied to that would run there. */
static void
schedule_return (MetricsRequest *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, g_task_get_priority (self->task));
  g_source_set_callback (source, return_task, metrics_request_ref (self),
                         (GDestroyNotify) metrics_request_unref);
  g_source_attach (source, g_task_get_context (self->task));
}

/**
 * metrics_request_complete:
 * @self: a request that is not done
 * @error: (transfer full) (nullable): how it failed, or %NULL where it succeeded
 *
 * Tells its maker how it went. What it holds is the maker's from here on.
 */
void
metrics_request_complete (MetricsRequest *self, GError *error)
{
  g_assert (!self->is_done);

  self->is_done = TRUE;
  self->n_accepted = self->n_answered - self->n_refused;
  if (self->cancel_source != NULL)
    {
      g_source_destroy (self->cancel_source);
      g_clear_pointer (&self->cancel_source, g_source_unref);
    }

  if (self->link != NULL)
    {
      g_autoptr (MetricsWatchLink) link = NULL;

      metrics_request_push_block (self);
      link = g_steal_pointer (&self->link);
      metrics_watch_link_end (link, error);
      return;
    }
  self->error = error;
  if (self->task != NULL)
    {
      schedule_return (self);
      return;
    }

  g_mutex_lock (&self->mutex);
  self->is_finished = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_request_add_refusal:
 * @self: a batch that is not done
 * @text: what the server said to the line whose turn it is
 */
void
metrics_request_add_refusal (MetricsRequest *self, const char *text)
{
  MetricsRefusal refusal = { self->n_answered, NULL };

  g_assert (!self->is_done);

  if (self->refusals == NULL)
    {
      self->refusals = g_array_new (FALSE, FALSE, sizeof (MetricsRefusal));
      g_array_set_clear_func (self->refusals, refusal_clear);
    }
  if (self->refusals->len < METRICS_BATCH_MAX_REFUSALS)
    {
      refusal.text = g_strdup (text);
      g_array_append_val (self->refusals, refusal);
    }
  self->n_refused++;
}

/**
 * metrics_request_push_block:
 * @self: a request for blocks that is not done
 *
 * Hands over what has come since the last time.
 */
void
metrics_request_push_block (MetricsRequest *self)
{
  MetricsBlock *block = metrics_answer_take_block (&self->answer);

  if (block == NULL)
    return;
  if (self->link != NULL)
    {
      metrics_watch_link_push (self->link, block);
      return;
    }
  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->blocks, block);
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_request_is_full:
 * @self: a request
 *
 * Returns: whether its maker has to take blocks before more of its answer is read
 */
gboolean
metrics_request_is_full (MetricsRequest *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (self->is_done || self->answer.kind != METRICS_ANSWER_BLOCK)
    return FALSE;
  locker = g_mutex_locker_new (&self->mutex);
  return self->blocks.length >= MAX_BLOCKS;
}

/**
 * metrics_request_is_stopped:
 * @self: a request
 *
 * Returns: whether its maker wants no more blocks
 */
gboolean
metrics_request_is_stopped (MetricsRequest *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (self->answer.kind != METRICS_ANSWER_BLOCK)
    return FALSE;
  locker = g_mutex_locker_new (&self->mutex);
  return self->is_stopped;
}

/**
 * metrics_request_get_deadline:
 * @self: a request
 * @last_progress: when bytes moved last on its connection, in microseconds of the monotonic clock
 *
 * Returns: when its time is over, or %G_MAXINT64 for never. While the server waits for the maker, the maker
 * does not wait for the server
 */
gint64
metrics_request_get_deadline (MetricsRequest *self, gint64 last_progress)
{
  gint64 start = self->is_long ? MAX (self->issued, last_progress) : self->issued;

  return self->timeout > 0 ? start + self->timeout : G_MAXINT64;
}
