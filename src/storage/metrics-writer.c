/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-writer-private.h"

/* The thread that writes.
 *
 * The main thread appends each change to the open batch and goes on; the thread takes all batches that there
 * are and commits them, so that all changes that come during a commit share the next one. A commit that fails
 * puts its batches back in front: they stay in memory until one succeeds.
 *
 * Checkpoints go on between commits, a group of series in each: nobody who waits for a commit waits for a
 * checkpoint as a whole. A group is committed together with all changes that came before the store was asked
 * for it, so chunks never know of changes that the log does not have.
 *
 * What the main thread calls is in metrics-writer-main.c. */

/* When to try again what failed; where clients wait for what becomes of it, sooner. */
#define RETRY_INTERVAL (1 * G_TIME_SPAN_SECOND)
#define RETRY_INTERVAL_OF_ALWAYS (100 * G_TIME_SPAN_MILLISECOND)

/* How long a stop tries. */
#define STOP_PATIENCE (3 * G_TIME_SPAN_SECOND)

/* How old the log may be before a checkpoint. That writes a page or two of the index for each series, so that
 * little wear means few of them. */
#define MAX_LOG_AGE (1 * G_TIME_SPAN_HOUR)

/* The pause after each step of giving room back to the file system: nobody waits for it. */
#define SHRINK_INTERVAL (20 * G_TIME_SPAN_MILLISECOND)

/**
 * metrics_writer_tell_main:
 * @self: a writer
 *
 * For its thread: there is something for the main thread.
 */
void
metrics_writer_tell_main (MetricsWriter *self)
{
  g_source_set_ready_time (self->notice, 0);
  g_cond_signal (&self->told);
}

static gint64
get_due_of_checkpoint (MetricsWriter *self)
{
  if (self->asking != NULL)
    return G_MAXINT64;
  if (self->checkpoint != NULL)
    return self->stopping ? 0 : self->checkpoint_retry_at;
  if (self->log_bytes == 0)
    return g_hash_table_size (self->touches) > 0 || !metrics_writer_has_pending (self)
               ? metrics_writer_get_due_of_press (self)
               : G_MAXINT64;
  if (self->log_bytes > self->max_log || self->stopping)
    return 0;
  return MIN (self->log_since + MAX_LOG_AGE, metrics_writer_get_due_of_press (self));
}

static gint64
get_due (MetricsWriter *self)
{
  gint64 due;

  if (self->making_room)
    return self->asking != NULL ? G_MAXINT64 : 0;
  due = MIN (metrics_writer_get_due (self), get_due_of_checkpoint (self));
  if (!self->stopping)
    due = MIN (due, self->shrink_at);
  return MAX (due, self->retry_at);
}

/* Sleeps until there is something to do. Returns: whether there is more to do before the end. */
static gboolean
sleep_until_due (MetricsWriter *self)
{
  for (;;)
    {
      gint64 due = get_due (self);

      if (self->stopping && self->give_up_at == 0)
        self->give_up_at = g_get_monotonic_time () + STOP_PATIENCE;
      if (self->stopping && due == G_MAXINT64 && self->asking == NULL)
        return FALSE;
      if (due <= g_get_monotonic_time ())
        return TRUE;
      self->wake_at = due;
      if (due == G_MAXINT64)
        g_cond_wait (&self->wake, &self->mutex);
      else
        g_cond_wait_until (&self->wake, &self->mutex, due);
      self->wake_at = 0;
    }
}

static gboolean
insert_batches (MetricsWriter *self, GQueue *batches, guint64 *n_bytes, GError **error)
{
  guint64 id = self->last_log;

  for (GList *link = batches->head; link != NULL; link = link->next)
    {
      MetricsLogBatch *batch = link->data;
      g_autoptr (GBytes) packed = metrics_log_pack (batch->bytes->data, batch->bytes->len);

      if (!metrics_database_insert_log (self->database, ++id, packed, error))
        return FALSE;
      *n_bytes += g_bytes_get_size (packed);
    }
  return TRUE;
}

static gboolean
write_all (MetricsWriter *self, GQueue *batches, gboolean with_checkpoint, GError **error)
{
  guint64 n_bytes = 0;

  if (!metrics_database_set_synchronous (self->database, self->is_synchronous, error)
      || (with_checkpoint
          && !metrics_database_check_space (self->database, metrics_checkpoint_get_size (self->checkpoint),
                                            error))
      || !metrics_database_begin (self->database, error) || !insert_batches (self, batches, &n_bytes, error)
      || (with_checkpoint && !metrics_checkpoint_write (self->checkpoint, self->database, error))
      || !metrics_database_commit (self->database, error))
    {
      metrics_database_rollback (self->database);
      /* What it has widened in vain is asked for again. */
      if (with_checkpoint)
        self->prepared = FALSE;
      return FALSE;
    }

  for (GList *link = batches->head; link != NULL; link = link->next)
    {
      MetricsLogBatch *batch = link->data;

      metrics_touched_add (self->touched, batch->bytes->data, batch->bytes->len);
    }
  self->last_log += batches->length;
  if (self->log_bytes == 0)
    self->log_since = g_get_monotonic_time ();
  self->log_bytes += n_bytes;
  return TRUE;
}

static gboolean
write_changes (MetricsWriter *self, GQueue *batches, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (metrics_database_is_stuck (self->database) && !metrics_database_flush (self->database, TRUE, error))
    return FALSE;
  if (write_all (self, batches, FALSE, &local_error))
    return TRUE;
  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) && metrics_room_flush (self->database))
    return write_all (self, batches, FALSE, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* With the mutex: the group is where it lasts. */
static void
advance_checkpoint (MetricsWriter *self)
{
  self->prepared = FALSE;
  self->checkpoint_retry_at = 0;
  if (metrics_checkpoint_advance (self->checkpoint, self->confirmed))
    metrics_writer_end_checkpoint (self);
  else if (self->confirmed->len > 0)
    metrics_writer_tell_main (self);
}

static void
take_success (MetricsWriter *self, GQueue *batches, gint64 started)
{
  MetricsLogBatch *last = g_queue_peek_tail (batches);
  gboolean has_news = last != NULL || self->news.failing;

  self->retry_at = 0;
  self->news.failing = self->checkpoint_retry_at != 0;
  self->figures.commit_usec += g_get_monotonic_time () - started;
  self->figures.commits++;
  if (last != NULL)
    self->news.kept = last->position;
  for (GList *link = batches->head; link != NULL; link = link->next)
    self->pending -= ((MetricsLogBatch *) link->data)->bytes->len;
  g_queue_clear_full (batches, (GDestroyNotify) metrics_log_batch_free);
  if (has_news)
    metrics_writer_tell_main (self);
}

static void
set_failing (MetricsWriter *self, const GError *error)
{
  self->figures.errors++;
  g_free (self->news.reason);
  self->news.reason = g_strdup (error->message);
  self->news.failing = TRUE;
  self->news.damaged = metrics_database_is_damaged (self->database);
}

/* No change waits for a checkpoint, so that nobody is told but the log. */
static void
take_checkpoint_failure (MetricsWriter *self, const GError *error)
{
  self->checkpoint_retry_at = g_get_monotonic_time () + RETRY_INTERVAL;
  set_failing (self, error);
  metrics_writer_tell_main (self);
}

static void
take_failure (MetricsWriter *self, GQueue *batches, const GError *error)
{
  MetricsLogBatch *last;

  self->retry_at
      = g_get_monotonic_time ()
        + (self->durability == METRICS_DURABILITY_ALWAYS || self->stopping ? RETRY_INTERVAL_OF_ALWAYS
                                                                           : RETRY_INTERVAL);
  set_failing (self, error);
  while (batches->length > 0)
    g_queue_push_head (&self->closed, g_queue_pop_tail (batches));
  /* Those that an attempt was too small for have failed with it. */
  last = g_queue_peek_tail (&self->closed);
  if (last != NULL)
    self->news.failed = last->position;
  metrics_writer_tell_main (self);
}

/* All that there are; while nothing can be written, the oldest: there may be much, and to pack all of it for
 * each attempt would be work for nothing. */
static void
take_batches (MetricsWriter *self, GQueue *batches)
{
  g_queue_init (batches);
  if (self->retry_at != 0 && self->closed.length > 0)
    {
      g_queue_push_tail (batches, g_queue_pop_head (&self->closed));
      return;
    }
  *batches = self->closed;
  g_queue_init (&self->closed);
}

/* Writes what there is. Returns: whether that went well. */
static gboolean
write_step (MetricsWriter *self, gboolean has_answer)
{
  GQueue batches;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) checkpoint_error = NULL;
  g_autoptr (GArray) removals = NULL;
  gint64 started = g_get_monotonic_time ();
  gboolean makes_room = FALSE;
  gboolean advanced;
  gboolean moved;
  gboolean good;

  metrics_writer_close_batch (self);
  /* A checkpoint may not know of changes that are not written with it. */
  has_answer = has_answer && self->retry_at == 0;
  take_batches (self, &batches);
  self->is_synchronous = self->durability != METRICS_DURABILITY_NONE;
  g_mutex_unlock (&self->mutex);

  /* A checkpoint takes far more room than the changes, which must not fail with it. */
  advanced = has_answer && write_all (self, &batches, TRUE, &checkpoint_error);
  good = advanced || write_changes (self, &batches, &error);
  if (good)
    makes_room = metrics_writer_look_for_space (self, &batches);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    removals = metrics_writer_save_removals (self, &batches);

  g_mutex_lock (&self->mutex);
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
  if (advanced)
    advance_checkpoint (self);
  if (checkpoint_error != NULL)
    take_checkpoint_failure (self, checkpoint_error);
  if (good)
    take_success (self, &batches, started);
  else
    take_failure (self, &batches, error);
  if (makes_room || removals != NULL)
    metrics_writer_begin_room (self, removals);
  g_mutex_unlock (&self->mutex);

  /* Nobody who waits for the commit waits for this. */
  moved = !good || metrics_database_flush (self->database, FALSE, NULL);

  g_mutex_lock (&self->mutex);
  self->figures.errors += !moved;
  self->news.wal_size = metrics_database_get_wal_size (self->database);
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
  return good && checkpoint_error == NULL;
}

/* Takes the checkpoint on until it asks, or can be written. Returns: whether that went well. */
static gboolean
prepare_step (MetricsWriter *self)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  metrics_writer_begin_checkpoint (self);
  g_mutex_unlock (&self->mutex);
  good = metrics_checkpoint_prepare (self->checkpoint, self->database, &error);
  g_mutex_lock (&self->mutex);

  self->prepared = good;
  if (!good)
    take_checkpoint_failure (self, error);
  else if (metrics_checkpoint_is_asking (self->checkpoint))
    {
      self->asking = self->checkpoint;
      metrics_writer_tell_main (self);
    }
  return good;
}

/* Gives some of what is free in the file back. Returns: whether that went well. */
static gboolean
shrink_step (MetricsWriter *self)
{
  gboolean is_done = TRUE;
  gboolean good;

  g_mutex_unlock (&self->mutex);
  good = metrics_database_shrink (self->database, &is_done, NULL)
         && metrics_database_flush (self->database, FALSE, NULL);
  g_mutex_lock (&self->mutex);
  self->figures.errors += !good;
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
  self->shrink_at = is_done || !good ? G_MAXINT64 : g_get_monotonic_time () + SHRINK_INTERVAL;
  return good;
}

/* Does what is due. Returns: whether that went well. */
static gboolean
do_step (MetricsWriter *self)
{
  gint64 now = g_get_monotonic_time ();
  gboolean has_answer;

  if (self->making_room)
    {
      metrics_writer_step_room (self);
      return TRUE;
    }
  has_answer = self->checkpoint != NULL && self->prepared && self->asking == NULL;

  if ((has_answer || metrics_writer_get_due (self) <= now) && !write_step (self, has_answer))
    return FALSE;
  /* Even where changes come all the time: else the log would grow without end. */
  if (!self->prepared && get_due_of_checkpoint (self) <= now)
    return prepare_step (self);
  return self->shrink_at > now || self->stopping || shrink_step (self);
}

/* Somebody waits for the end. A checkpoint that fails is left for the next start, for the log is whole;
 * changes are tried again for a while. Returns: whether to go on. */
static gboolean
is_worth_waiting (MetricsWriter *self)
{
  return metrics_writer_has_pending (self) && !metrics_database_is_damaged (self->database)
         && g_get_monotonic_time () < self->give_up_at;
}

/* What closing the database would do as well: here it is counted. */
static void
flush_all (MetricsWriter *self)
{
  g_mutex_unlock (&self->mutex);
  metrics_database_flush (self->database, TRUE, NULL);
  g_mutex_lock (&self->mutex);
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
}

static gpointer
write_until_stopped (gpointer user_data)
{
  MetricsWriter *self = user_data;

  g_mutex_lock (&self->mutex);
  while (sleep_until_due (self))
    if (!do_step (self) && self->stopping && !is_worth_waiting (self))
      break;
  flush_all (self);
  self->stopped = TRUE;
  g_cond_signal (&self->told);
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/**
 * metrics_writer_new:
 * @start: what it begins with; what is owned there goes over to it
 * @notice: is made ready when metrics_writer_take_news() or metrics_writer_answer() has something to do; it
 *   has to live longer
 *
 * Begins to write.
 *
 * Returns: (transfer full): a writer
 */
MetricsWriter *
metrics_writer_new (const MetricsWriterStart *start, GSource *notice)
{
  MetricsWriter *self = g_new0 (MetricsWriter, 1);

  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
  g_cond_init (&self->told);
  g_queue_init (&self->closed);
  self->notice = notice;
  self->durability = start->durability;
  self->is_synchronous = start->durability != METRICS_DURABILITY_NONE;
  self->database = start->database;
  self->touched = start->touched;
  self->last_log = start->last_log;
  self->log_bytes = start->log_bytes;
  self->log_since = g_get_monotonic_time ();
  self->max_log = G_MAXUINT64;
  self->room = metrics_room_new (start->folder);
  self->touches = metrics_touched_new ();
  self->confirmed = g_array_new (FALSE, FALSE, sizeof (MetricsConfirmed));
  self->thread = g_thread_new ("storage", write_until_stopped, self);
  return self;
}

/**
 * metrics_writer_free:
 * @self: (transfer full): a writer that was stopped
 *
 * Closes its database.
 */
void
metrics_writer_free (MetricsWriter *self)
{
  g_assert (self->thread == NULL);

  g_clear_pointer (&self->open, metrics_log_batch_free);
  g_queue_clear_full (&self->closed, (GDestroyNotify) metrics_log_batch_free);
  g_clear_pointer (&self->checkpoint, metrics_checkpoint_free);
  g_clear_pointer (&self->clearing, metrics_checkpoint_free);
  g_clear_pointer (&self->news.removals, g_array_unref);
  metrics_room_free (self->room);
  g_hash_table_unref (self->touched);
  g_hash_table_unref (self->touches);
  g_array_unref (self->confirmed);
  metrics_database_close (self->database);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->told);
  g_free (self->news.reason);
  g_free (self);
}
