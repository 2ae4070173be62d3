/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-room.h"

#include "storage/metrics-reserve.h"

/* What can be done where the disk is full: removals are written, and make room.
 *
 * Changes are written in order, and on a full disk those before a removal may be too many. So removals are
 * written a first time on their own, into space that is held for them; their clients are told that they are
 * kept. They stay where they are among the changes that wait, and are written again with these: what was put
 * before them is gone after that as well.
 *
 * Then a checkpoint takes the removed spans out of the chunks, and another one moves the log into the chunks,
 * for what was removed may be in the log alone. Both may ask the store for changes that wait to be written.
 * That is no harm: these may be kept or not, and what was kept before them is in the log or in the chunks. */

struct _MetricsRoom
{
  MetricsReserve *reserve; /* (owned) */
  guint64 seen;            /* the position up to which there are no removals that are not saved */
  guint64 taken;           /* that of what was taken last */
  gboolean prepared;       /* whether the checkpoint's group is made up */
};

/**
 * metrics_room_new:
 * @folder: where the files are
 *
 * Returns: (transfer full): it; space is held from now on
 */
MetricsRoom *
metrics_room_new (const char *folder)
{
  MetricsRoom *self = g_new0 (MetricsRoom, 1);

  self->reserve = metrics_reserve_new (folder);
  return self;
}

/**
 * metrics_room_free:
 * @self: (transfer full): it
 */
void
metrics_room_free (MetricsRoom *self)
{
  metrics_reserve_free (self->reserve);
  g_free (self);
}

/**
 * metrics_room_flush:
 * @database: a database that there was no space for
 *
 * Has the write-ahead log begin anew: where the file has free pages, nothing has to grow then.
 *
 * Returns: whether it is worth trying again
 */
gboolean
metrics_room_flush (MetricsDatabase *database)
{
  return !metrics_database_is_flushed (database) && metrics_database_flush (database, TRUE, NULL)
         && metrics_database_is_flushed (database);
}

static void
add_position (GArray *positions, guint64 position)
{
  MetricsPositions *last
      = positions->len > 0 ? &g_array_index (positions, MetricsPositions, positions->len - 1) : NULL;
  MetricsPositions one = { position, position };

  if (last != NULL && last->last + 1 == position)
    last->last = position;
  else
    g_array_append_val (positions, one);
}

static void
take_from (const MetricsLogBatch *batch, MetricsLogBatch *removals, GArray *positions)
{
  MetricsLogReader reader;
  MetricsLogChange change;
  guint64 position = batch->position;

  metrics_log_reader_init (&reader, batch->bytes->data, batch->bytes->len);
  while (metrics_log_reader_next (&reader, &change))
    position--;
  metrics_log_reader_init (&reader, batch->bytes->data, batch->bytes->len);
  while (metrics_log_reader_next (&reader, &change))
    {
      position++;
      if (change.kind != METRICS_LOG_REMOVE)
        continue;
      metrics_log_batch_remove (removals, change.id, change.from, change.to);
      add_position (positions, position);
    }
}

/**
 * metrics_room_take_removals:
 * @self: it
 * @batches: (element-type MetricsLogBatch): what cannot be written, in order
 * @positions: (element-type MetricsPositions): where the positions of the removals are added
 *
 * Collects the removals that were not saved before.
 *
 * Returns: (transfer full) (nullable): them
 */
MetricsLogBatch *
metrics_room_take_removals (MetricsRoom *self, GQueue *batches, GArray *positions)
{
  g_autoptr (MetricsLogBatch) removals = metrics_log_batch_new ();

  for (GList *link = batches->head; link != NULL; link = link->next)
    {
      const MetricsLogBatch *batch = link->data;

      if (batch->position > self->seen)
        take_from (batch, removals, positions);
      self->taken = batch->position;
    }
  if (removals->bytes->len > 0)
    return g_steal_pointer (&removals);
  self->seen = self->taken;
  return NULL;
}

static gboolean
write_removals (MetricsDatabase *database, guint64 log_id, GBytes *packed)
{
  if (metrics_database_begin (database, NULL) && metrics_database_insert_log (database, log_id, packed, NULL)
      && metrics_database_commit (database, NULL))
    return TRUE;
  metrics_database_rollback (database);
  return FALSE;
}

/**
 * metrics_room_begin:
 * @self: it
 *
 * Gives the space up that is held, until metrics_room_end().
 */
void
metrics_room_begin (MetricsRoom *self)
{
  metrics_reserve_give_up (self->reserve);
  self->prepared = FALSE;
}

/**
 * metrics_room_save:
 * @self: it
 * @database: where to write
 * @log_id: the number of the row
 * @removals: what metrics_room_take_removals() has returned
 * @n_bytes: (out): how many bytes the row has
 *
 * Writes removals into the space that is held; where that works, the space stays given up until
 * metrics_room_end().
 *
 * Returns: whether they are kept
 */
gboolean
metrics_room_save (MetricsRoom *self,
                   MetricsDatabase *database,
                   guint64 log_id,
                   const MetricsLogBatch *removals,
                   guint64 *n_bytes)
{
  g_autoptr (GBytes) packed = metrics_log_pack (removals->bytes->data, removals->bytes->len);

  metrics_room_begin (self);
  *n_bytes = g_bytes_get_size (packed);
  if (!write_removals (database, log_id, packed)
      && !(metrics_room_flush (database) && write_removals (database, log_id, packed)))
    {
      metrics_reserve_hold (self->reserve);
      return FALSE;
    }
  metrics_database_flush (database, TRUE, NULL);
  self->seen = self->taken;
  return TRUE;
}

static gboolean
write_group (MetricsCheckpoint *checkpoint, MetricsDatabase *database)
{
  if (metrics_database_check_space (database, metrics_checkpoint_get_size (checkpoint), NULL)
      && metrics_database_begin (database, NULL) && metrics_checkpoint_write (checkpoint, database, NULL)
      && metrics_database_commit (database, NULL))
    return TRUE;
  metrics_database_rollback (database);
  return FALSE;
}

/**
 * metrics_room_advance:
 * @self: it
 * @checkpoint: a checkpoint that is not asking, the same one until it is done or has failed
 * @database: where it is written
 * @confirmed: (element-type MetricsConfirmed): what was written is added to it
 *
 * Takes a checkpoint on, alone. The write-ahead log is moved into the file after each group, so that the next
 * one takes the same space.
 *
 * Returns: how far it came
 */
MetricsRoomState
metrics_room_advance (MetricsRoom *self,
                      MetricsCheckpoint *checkpoint,
                      MetricsDatabase *database,
                      GArray *confirmed)
{
  for (;;)
    {
      if (!self->prepared)
        {
          if (!metrics_checkpoint_prepare (checkpoint, database, NULL))
            return METRICS_ROOM_FAILED;
          self->prepared = TRUE;
          if (metrics_checkpoint_is_asking (checkpoint))
            return METRICS_ROOM_ASKING;
        }
      self->prepared = FALSE;
      if (!write_group (checkpoint, database))
        return METRICS_ROOM_FAILED;
      metrics_database_flush (database, TRUE, NULL);
      if (metrics_checkpoint_advance (checkpoint, confirmed))
        return METRICS_ROOM_DONE;
    }
}

/**
 * metrics_room_end:
 * @self: it
 *
 * Holds space again.
 */
void
metrics_room_end (MetricsRoom *self)
{
  metrics_reserve_hold (self->reserve);
}
