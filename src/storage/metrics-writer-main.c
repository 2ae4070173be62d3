/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-writer-private.h"

#include "store/metrics-restore.h"

/* What the main thread does with a writer. */

/* A batch that has more is closed; the next one is another row. */
#define MAX_BATCH (1 << 20)

/**
 * metrics_writer_has_pending:
 * @self: a writer, whose mutex is held
 *
 * Returns: whether there are changes to be written
 */
gboolean
metrics_writer_has_pending (MetricsWriter *self)
{
  return self->open != NULL || self->closed.length > 0;
}

/**
 * metrics_writer_get_due_of_press:
 * @self: a writer, whose mutex is held
 *
 * Where there are many series with few new points each, a checkpoint writes far more than these. So that does
 * not happen as often as memory is short, but when the log has a part of what the last one has written; if
 * little comes, after a while.
 *
 * Returns: when a checkpoint begins that memory is short for; %G_MAXINT64 where nobody has asked for one, or
 *   one is being made
 */
gint64
metrics_writer_get_due_of_press (MetricsWriter *self)
{
  if (!self->pressed || self->checkpoint != NULL)
    return G_MAXINT64;
  return self->log_bytes + self->pending >= self->press_bytes ? 0 : self->press_at;
}

/**
 * metrics_writer_get_due:
 * @self: a writer, whose mutex is held
 *
 * Returns: when the changes that are pending are to be written
 */
gint64
metrics_writer_get_due (MetricsWriter *self)
{
  gint64 due;

  if (!metrics_writer_has_pending (self))
    return G_MAXINT64;
  if (self->durability == METRICS_DURABILITY_ALWAYS || self->stopping || self->closed.length > 0)
    return 0;
  due = self->oldest
        + (self->durability == METRICS_DURABILITY_NONE ? METRICS_WRITER_INTERVAL_OF_NONE
                                                       : METRICS_WRITER_INTERVAL);
  return MIN (due, metrics_writer_get_due_of_press (self));
}

/**
 * metrics_writer_close_batch:
 * @self: a writer, whose mutex is held
 *
 * What comes next is another row.
 */
void
metrics_writer_close_batch (MetricsWriter *self)
{
  if (self->open != NULL)
    g_queue_push_tail (&self->closed, g_steal_pointer (&self->open));
}

/**
 * metrics_writer_begin_change:
 * @self: a writer
 *
 * Returns: (transfer none): the batch to append one change to; metrics_writer_end_change() has to follow at
 *   once
 */
MetricsLogBatch *
metrics_writer_begin_change (MetricsWriter *self)
{
  g_mutex_lock (&self->mutex);
  if (!metrics_writer_has_pending (self))
    self->oldest = g_get_monotonic_time ();
  if (self->open == NULL)
    self->open = metrics_log_batch_new ();
  self->pending -= self->open->bytes->len;
  return self->open;
}

/**
 * metrics_writer_end_change:
 * @self: a writer
 * @position: the position of the change
 *
 * Hands the change over.
 *
 * Returns: how many bytes of changes wait to be written
 */
guint64
metrics_writer_end_change (MetricsWriter *self, guint64 position)
{
  guint64 pending;

  self->newest = position;
  self->open->position = position;
  self->pending += self->open->bytes->len;
  if (self->open->bytes->len >= MAX_BATCH)
    metrics_writer_close_batch (self);
  /* Waking costs a system call, so it is done once for a commit and not for each change. */
  if (self->wake_at > self->retry_at && MAX (metrics_writer_get_due (self), self->retry_at) < self->wake_at)
    {
      self->wake_at = 0;
      g_cond_signal (&self->wake);
    }
  pending = self->pending;
  g_mutex_unlock (&self->mutex);
  return pending;
}

/**
 * metrics_writer_take_news:
 * @self: a writer
 * @news: (out caller-allocates): what became of changes since the last time
 *
 * Tells the main thread.
 */
void
metrics_writer_take_news (MetricsWriter *self, MetricsWriterNews *news)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *news = self->news;
  news->pending = self->pending;
  self->news.reason = NULL;
  self->news.removals = NULL;
  self->news.failed = 0;
}

/**
 * metrics_writer_get_figures:
 * @self: a writer
 * @figures: (out caller-allocates): what it has done
 *
 * Tells what it has done.
 */
void
metrics_writer_get_figures (MetricsWriter *self, MetricsStorageFigures *figures)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *figures = self->figures;
  figures->pending = self->pending;
}

/**
 * metrics_writer_answer:
 * @self: a writer
 * @store: the store, whose thread this is
 * @deadline: until when to go on, by the monotonic clock
 *
 * Answers what a checkpoint asks, where one does, and metrics_writer_pass_on() has told all.
 *
 * Returns: whether all is answered
 */
gboolean
metrics_writer_answer (MetricsWriter *self, MetricsStore *store, gint64 deadline)
{
  MetricsCheckpoint *asking;
  gboolean has_more;

  g_mutex_lock (&self->mutex);
  asking = self->asking;
  has_more = self->confirmed->len > 0;
  g_mutex_unlock (&self->mutex);

  /* The thread leaves it alone until it is answered. */
  if (asking == NULL)
    return TRUE;
  /* The store would take what it says now for what was written before. */
  if (has_more || !metrics_checkpoint_answer (asking, store, deadline))
    return FALSE;

  g_mutex_lock (&self->mutex);
  self->asking = NULL;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

/**
 * metrics_writer_press:
 * @self: a writer
 *
 * Has it make a checkpoint as soon as can be, with all changes so far. Where there is nothing to be written,
 * the store is told that too.
 */
void
metrics_writer_press (MetricsWriter *self)
{
  g_mutex_lock (&self->mutex);
  if (!self->pressed)
    {
      self->pressed = TRUE;
      self->pressed_at = self->newest;
      g_cond_signal (&self->wake);
    }
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_writer_flush:
 * @self: a writer
 *
 * Has it commit all changes so far at once.
 */
void
metrics_writer_flush (MetricsWriter *self)
{
  g_mutex_lock (&self->mutex);
  /* What is closed is due. */
  metrics_writer_close_batch (self);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_writer_set_durability:
 * @self: a writer
 * @durability: when changes are to be written from now on
 *
 * What is being written now is not concerned.
 */
void
metrics_writer_set_durability (MetricsWriter *self, MetricsDurability durability)
{
  g_mutex_lock (&self->mutex);
  self->durability = durability;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_writer_touch:
 * @self: a writer
 * @id: the number of a series
 * @from: the first time of a span
 * @to: its last time
 *
 * Has the next checkpoint write a span that was not changed.
 */
void
metrics_writer_touch (MetricsWriter *self, guint64 id, gint64 from, gint64 to)
{
  g_mutex_lock (&self->mutex);
  metrics_touched_add_span (self->touches, id, from, to);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_writer_refuse:
 * @self: a writer
 *
 * Has it write nothing any more, since the file is damaged.
 */
void
metrics_writer_refuse (MetricsWriter *self)
{
  metrics_database_set_damaged (self->database);
}

/**
 * metrics_writer_pass_on:
 * @self: a writer
 * @store: the store, whose thread this is
 * @has_settled: (out) (optional): set to %TRUE where a checkpoint has ended
 *
 * Tells the store what checkpoints have written.
 *
 * Returns: whether there was something to tell
 */
gboolean
metrics_writer_pass_on (MetricsWriter *self, MetricsStore *store, gboolean *has_settled)
{
  g_autoptr (GArray) confirmed = NULL;
  gboolean settled;
  guint64 position;

  g_mutex_lock (&self->mutex);
  settled = self->settled;
  position = self->settled_at;
  self->settled = FALSE;
  if (self->confirmed->len > 0)
    {
      confirmed = self->confirmed;
      self->confirmed = g_array_new (FALSE, FALSE, sizeof (MetricsConfirmed));
    }
  g_mutex_unlock (&self->mutex);

  for (guint i = 0; confirmed != NULL && i < confirmed->len; i++)
    {
      const MetricsConfirmed *span = &g_array_index (confirmed, MetricsConfirmed, i);

      metrics_store_confirm (store, span->id, span->first, span->last);
    }
  if (settled)
    metrics_store_settle (store, position);
  if (settled && has_settled != NULL)
    *has_settled = TRUE;
  return settled || confirmed != NULL;
}

/**
 * metrics_writer_stop:
 * @self: a writer; nothing may be appended to it any more
 * @store: what it may still ask
 * @error: return location for a #GError
 *
 * Has it write all changes and a checkpoint, and end.
 *
 * Returns: %FALSE where there are changes that could not be written
 */
gboolean
metrics_writer_stop (MetricsWriter *self, MetricsStore *store, GError **error)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->wake);
  while (!self->stopped)
    if (self->asking != NULL)
      {
        g_mutex_unlock (&self->mutex);
        metrics_writer_pass_on (self, store, NULL);
        metrics_writer_answer (self, store, G_MAXINT64);
        g_mutex_lock (&self->mutex);
      }
    else
      g_cond_wait (&self->told, &self->mutex);
  g_mutex_unlock (&self->mutex);
  g_thread_join (g_steal_pointer (&self->thread));

  if (!metrics_writer_has_pending (self))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       self->news.reason != NULL ? self->news.reason : "unknown error");
  return FALSE;
}
