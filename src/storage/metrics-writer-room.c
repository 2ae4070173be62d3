/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-writer-private.h"

/* The writer while the disk is full: see metrics-room.c. */

/* How much log there may be before a checkpoint. Where there is little space it is less, a part of that: a
 * checkpoint needs room for chunks, twice, before the log's is free. */
#define MAX_LOG (8 << 20)
#define MIN_LOG (256 << 10)
#define PART_OF_FREE 4

/* How a checkpoint keeps away from the one before it that has written so many bytes, where memory is short:
 * so that what is written is not much more than so many times the log, or so many bytes a second. But
 * somebody may wait for it. */
#define TIMES_THE_LOG 8
#define BYTES_PER_SECOND (256 << 10)
#define LONGEST_PAUSE (5 * G_TIME_SPAN_SECOND)

/* Where there is less, what is removed is taken out of the chunks at once. */
#define LITTLE_SPACE (16 << 20)

static void
take_rest (MetricsWriter *self, GQueue *batches)
{
  g_mutex_lock (&self->mutex);
  while (self->closed.length > 0)
    g_queue_push_tail (batches, g_queue_pop_head (&self->closed));
  g_mutex_unlock (&self->mutex);
}

static MetricsCheckpoint *
make_clearing (const MetricsLogBatch *removals)
{
  g_autoptr (GHashTable) touched = metrics_touched_new ();

  metrics_touched_add (touched, removals->bytes->data, removals->bytes->len);
  /* Of the log it deletes nothing. */
  return metrics_checkpoint_new (touched, 0);
}

/**
 * metrics_writer_save_removals:
 * @self: a writer
 * @batches: (element-type MetricsLogBatch): what there was no space for; all that waits is added
 *
 * For its thread, without the lock: writes the removals among them.
 *
 * Returns: (transfer full) (nullable) (element-type MetricsPositions): those that are kept now;
 *   metrics_writer_begin_room() has to follow where there are any
 */
GArray *
metrics_writer_save_removals (MetricsWriter *self, GQueue *batches)
{
  g_autoptr (GArray) positions = g_array_new (FALSE, FALSE, sizeof (MetricsPositions));
  g_autoptr (MetricsLogBatch) removals = NULL;
  guint64 n_bytes;

  take_rest (self, batches);
  removals = metrics_room_take_removals (self->room, batches, positions);
  if (removals == NULL
      || !metrics_room_save (self->room, self->database, self->last_log + 1, removals, &n_bytes))
    return NULL;

  self->last_log++;
  self->log_bytes += n_bytes;
  metrics_touched_add (self->touched, removals->bytes->data, removals->bytes->len);
  self->clearing = make_clearing (removals);
  return g_steal_pointer (&positions);
}

/**
 * metrics_writer_look_for_space:
 * @self: a writer
 * @batches: (element-type MetricsLogBatch): what has just been written
 *
 * For its thread, without the lock: holds space again, and sees how much there is. Where that is little,
 * what was removed is taken out of the chunks at once and not with the next checkpoint.
 *
 * Returns: whether metrics_writer_begin_room() has to follow
 */
gboolean
metrics_writer_look_for_space (MetricsWriter *self, GQueue *batches)
{
  g_autoptr (GArray) positions = g_array_new (FALSE, FALSE, sizeof (MetricsPositions));
  g_autoptr (MetricsLogBatch) removals = NULL;
  guint64 n_free;

  metrics_room_end (self->room);
  n_free = metrics_database_get_free (self->database);
  self->max_log = CLAMP (n_free / PART_OF_FREE, MIN_LOG, MAX_LOG);
  if (n_free > LITTLE_SPACE)
    return FALSE;
  removals = metrics_room_take_removals (self->room, batches, positions);
  if (removals == NULL)
    return FALSE;
  metrics_room_begin (self->room);
  self->clearing = make_clearing (removals);
  return TRUE;
}

/**
 * metrics_writer_begin_room:
 * @self: a writer
 * @removals: (nullable): what metrics_writer_save_removals() has returned
 *
 * For its thread, with the lock: from now on it makes room, metrics_writer_step_room(), and does nothing
 * else.
 */
void
metrics_writer_begin_room (MetricsWriter *self, GArray *removals)
{
  if (removals != NULL && self->news.removals == NULL)
    self->news.removals = g_array_ref (removals);
  else if (removals != NULL)
    g_array_append_vals (self->news.removals, removals->data, removals->len);
  self->making_room = TRUE;
  /* What the store has answered is asked for again: it is from before the removals. */
  self->prepared = FALSE;
}

/**
 * metrics_writer_begin_checkpoint:
 * @self: a writer
 *
 * For its thread, with the lock, which it leaves: there can be a million series to be sorted, and the main
 * thread would wait. Sees to it that there is a checkpoint.
 */
void
metrics_writer_begin_checkpoint (MetricsWriter *self)
{
  GHashTable *touches;
  MetricsCheckpoint *checkpoint;

  if (self->checkpoint != NULL)
    return;
  touches = g_steal_pointer (&self->touches);
  self->touches = metrics_touched_new ();
  g_mutex_unlock (&self->mutex);
  metrics_touched_move (touches, self->touched);
  g_hash_table_unref (touches);
  checkpoint = metrics_checkpoint_new (self->touched, self->last_log);
  g_mutex_lock (&self->mutex);
  self->checkpoint = checkpoint;
  self->checkpoint_bytes = self->log_bytes;
  self->bytes_before = metrics_database_get_bytes_written (self->database);
  /* Removals that are kept out of turn are behind that: the next one settles them. */
  self->checkpoint_position = self->news.kept;
}

static void
keep_away (MetricsWriter *self)
{
  guint64 written = metrics_database_get_bytes_written (self->database) - self->bytes_before;

  self->press_bytes = written / TIMES_THE_LOG;
  self->press_at
      = g_get_monotonic_time () + MIN ((gint64) (written * G_USEC_PER_SEC / BYTES_PER_SECOND), LONGEST_PAUSE);
}

/**
 * metrics_writer_end_checkpoint:
 * @self: a writer whose checkpoint is at its end
 *
 * For its thread, with the lock, which it leaves at its end: freeing a million series takes a while. The rows
 * that it has taken are gone. The store is told.
 */
void
metrics_writer_end_checkpoint (MetricsWriter *self)
{
  MetricsCheckpoint *ended = g_steal_pointer (&self->checkpoint);

  self->log_bytes -= self->checkpoint_bytes;
  keep_away (self);
  self->log_since = g_get_monotonic_time ();
  self->settled = TRUE;
  self->settled_at = self->checkpoint_position;
  self->pressed = self->pressed && self->pressed_at > self->checkpoint_position;
  self->shrink_at = 0;
  metrics_writer_tell_main (self);
  g_mutex_unlock (&self->mutex);
  metrics_checkpoint_free (ended);
  g_mutex_lock (&self->mutex);
}

/* What the clearing checkpoint has written is confirmed like what others have: it is on disk as the store has
 * it. But it does not settle anything, for it does not know all changes up to any position. */
static void
take_step (MetricsWriter *self, MetricsRoomState state, gboolean is_clearing, const GArray *confirmed)
{
  g_array_append_vals (self->confirmed, confirmed->data, confirmed->len);
  if (confirmed->len > 0)
    metrics_writer_tell_main (self);
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
  self->news.wal_size = metrics_database_get_wal_size (self->database);
  if (state == METRICS_ROOM_ASKING)
    return;
  if (is_clearing)
    g_clear_pointer (&self->clearing, metrics_checkpoint_free);
  else if (state == METRICS_ROOM_DONE)
    metrics_writer_end_checkpoint (self);
}

static void
end_room (MetricsWriter *self)
{
  self->making_room = FALSE;
  /* Now there may be space for the others. */
  if (self->retry_at != 0)
    self->retry_at = g_get_monotonic_time ();
}

/**
 * metrics_writer_step_room:
 * @self: a writer that is making room, and not asking
 *
 * For its thread, with the lock: takes on the checkpoint of the removals, and then that of the log, until the
 * store has to be asked or all is done that can be.
 */
void
metrics_writer_step_room (MetricsWriter *self)
{
  g_autoptr (GArray) confirmed = g_array_new (FALSE, FALSE, sizeof (MetricsConfirmed));
  gboolean is_clearing = self->clearing != NULL;
  MetricsCheckpoint *checkpoint;
  MetricsRoomState state;

  if (!is_clearing)
    metrics_writer_begin_checkpoint (self);
  checkpoint = is_clearing ? self->clearing : self->checkpoint;
  g_mutex_unlock (&self->mutex);
  state = metrics_room_advance (self->room, checkpoint, self->database, confirmed);
  if (state != METRICS_ROOM_ASKING && !is_clearing)
    metrics_room_end (self->room);
  g_mutex_lock (&self->mutex);

  take_step (self, state, is_clearing, confirmed);
  if (state == METRICS_ROOM_ASKING)
    {
      self->asking = checkpoint;
      metrics_writer_tell_main (self);
    }
  else if (!is_clearing)
    end_room (self);
}
