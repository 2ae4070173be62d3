/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-cold.h"

#include "store/metrics-gap.h"
#include "store/metrics-store-private.h"

/* What a store knows of the disk.
 *
 * After a deletion points lie on disk still, until a checkpoint has taken them away. No gap may have them in
 * its span, so for each series the span in which there may be such stale points is kept until then: chunks
 * beside it do not become one gap across it. One span a series is enough, for it does not last. */

/* A span where there may be points on disk that were deleted. */
typedef struct
{
  guint64 id; /* of the series */
  gint64 from;
  gint64 to;
  guint64 position; /* of the journal: a checkpoint that has all changes up to there takes them away */
} MetricsStale;

/* What one takes, with its place in the table. */
#define STALE_SIZE (metrics_memory_of (sizeof (MetricsStale)) + 32)

/**
 * metrics_cold_clear:
 * @self: what a store knows
 * @usage: where the memory is counted
 *
 * Frees what it holds.
 */
void
metrics_cold_clear (MetricsCold *self, MetricsUsage *usage)
{
  metrics_cold_settle (self, G_MAXUINT64, usage);
  g_clear_pointer (&self->stale, g_hash_table_unref);
}

/**
 * metrics_cold_forget:
 * @self: what a store knows
 * @id: the number of a series that is no more
 * @usage: where the memory is counted
 */
void
metrics_cold_forget (MetricsCold *self, guint64 id, MetricsUsage *usage)
{
  if (self->stale != NULL && g_hash_table_remove (self->stale, &id))
    usage->memory -= STALE_SIZE;
}

/**
 * metrics_cold_add_stale:
 * @self: what a store knows
 * @id: the number of a series
 * @from: the first time of a span in which points were deleted
 * @to: its last time
 * @position: of the journal, behind the deletion
 * @usage: where the memory is counted
 */
void
metrics_cold_add_stale (MetricsCold *self,
                        guint64 id,
                        gint64 from,
                        gint64 to,
                        guint64 position,
                        MetricsUsage *usage)
{
  MetricsStale *stale;

  if (self->stale == NULL)
    self->stale = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  stale = g_hash_table_lookup (self->stale, &id);
  if (stale == NULL)
    {
      stale = g_new (MetricsStale, 1);
      *stale = (MetricsStale){ .id = id, .from = from, .to = to };
      g_hash_table_insert (self->stale, &stale->id, stale);
      usage->memory += STALE_SIZE;
    }
  stale->from = MIN (stale->from, from);
  stale->to = MAX (stale->to, to);
  stale->position = position;
}

/**
 * metrics_cold_is_stale:
 * @self: what a store knows
 * @id: the number of a series
 * @from: the first time of a span
 * @to: its last time
 *
 * Returns: whether there may be points on disk in that span that were deleted
 */
gboolean
metrics_cold_is_stale (const MetricsCold *self, guint64 id, gint64 from, gint64 to)
{
  const MetricsStale *stale = self->stale != NULL ? g_hash_table_lookup (self->stale, &id) : NULL;

  return stale != NULL && stale->from <= to && stale->to >= from;
}

static gboolean
is_settled (gpointer key, gpointer value, gpointer position)
{
  return ((const MetricsStale *) value)->position <= *(const guint64 *) position;
}

/**
 * metrics_cold_settle:
 * @self: what a store knows
 * @position: the disk has all changes of the journal up to here
 * @usage: where the memory is counted
 */
void
metrics_cold_settle (MetricsCold *self, guint64 position, MetricsUsage *usage)
{
  self->settled = position;
  if (self->stale != NULL)
    usage->memory -= STALE_SIZE * g_hash_table_foreach_remove (self->stale, is_settled, &position);
}

/**
 * metrics_store_is_cold:
 * @self: a store
 *
 * Returns: whether chunks can leave its memory
 */
gboolean
metrics_store_is_cold (const MetricsStore *self)
{
  return self->chunk_source != NULL && self->journal != NULL;
}

/**
 * metrics_store_get_low_water:
 * @self: a store
 *
 * Returns: how much memory is to be taken at most after an eviction
 */
guint64
metrics_store_get_low_water (const MetricsStore *self)
{
  return self->memory_limit - self->memory_limit / 4;
}

/**
 * metrics_store_note_stale:
 * @self: a store
 * @id: the number of a series
 * @from: the first time of a span of which points on disk are no more
 * @to: its last time
 */
void
metrics_store_note_stale (MetricsStore *self, guint64 id, gint64 from, gint64 to)
{
  if (metrics_store_is_cold (self))
    metrics_cold_add_stale (&self->cold, id, from, to, metrics_journal_get_position (self->journal),
                            &self->usage);
}

/**
 * metrics_store_split:
 * @self: a store
 * @entry: one of its entries; it can be dead
 * @gap: a gap that it had
 * @at: a time in its span
 * @answer: what the source answered to metrics_gap_ask()
 *
 * Splits a gap, see metrics_series_split(), if the series has it still. The series is gone afterwards where
 * the gap was all it had and cannot be read.
 *
 * Returns: (transfer none) (nullable): the chunk that was loaded
 */
MetricsChunk *
metrics_store_split (MetricsStore *self,
                     MetricsEntry *entry,
                     MetricsChunk *gap,
                     gint64 at,
                     const MetricsChunkAnswer *answer)
{
  MetricsChunk *loaded;

  if (metrics_series_find_gap (&entry->series, at) != gap)
    return NULL;
  loaded = metrics_series_split (&entry->series, gap, at, answer, &self->usage);
  if (answer->n_damaged == 0)
    return loaded;

  /* What is damaged goes with the next checkpoint. */
  if (self->journal != NULL && entry->series.n_points == 0)
    {
      metrics_journal_remove (self->journal, entry->id, G_MININT64, G_MAXINT64);
      metrics_store_forget (self, entry);
      return NULL;
    }
  if (self->journal != NULL)
    {
      metrics_journal_touch (self->journal, entry->id, at, at);
      metrics_cold_add_stale (&self->cold, entry->id, at, at,
                              metrics_journal_get_position (self->journal) + 1, &self->usage);
    }
  return loaded;
}

/**
 * metrics_store_confirm:
 * @self: a store
 * @id: the number of a series
 * @from: what metrics_store_snapshot() was asked for
 * @to: and this
 *
 * Says that what a snapshot gave is on disk now, and that no rows reach beyond it: chunks that were not
 * changed since are kept. Between a snapshot and this there must not be another one of the same series.
 */
void
metrics_store_confirm (MetricsStore *self, guint64 id, gint64 from, gint64 to)
{
  MetricsEntry *entry;
  MetricsSeries *series;

  g_return_if_fail (METRICS_IS_STORE (self));

  metrics_entry_list_index (&self->entries, &self->usage);
  entry = metrics_entry_list_find (&self->entries, id);
  if (entry == NULL || entry->series.n_points == 0)
    return;
  series = &entry->series;
  self->cold.is_exhausted = FALSE;
  if (series->sealed != NULL)
    for (GSequenceIter *iter = metrics_chunks_search (series->sealed, from); !g_sequence_iter_is_end (iter);
         iter = g_sequence_iter_next (iter))
      {
        MetricsChunk *chunk = g_sequence_get (iter);

        if (metrics_chunk_get_first_time (chunk) > to)
          return;
        if (metrics_chunk_get_kept (chunk) == METRICS_CHUNK_PENDING)
          metrics_chunk_set_confirmed (chunk, self->cold.n_settled);
      }
  if (metrics_chunk_get_kept (series->open) == METRICS_CHUNK_PENDING
      && metrics_chunk_get_first_time (series->open) <= to
      && metrics_chunk_get_last_time (series->open) >= from)
    metrics_chunk_set_confirmed (series->open, self->cold.n_settled);
}

/* Each of those that wait now is called once; it may wait again. */
static void
wake_waiting (MetricsStore *self, gboolean is_refused)
{
  g_autoptr (MetricsStore) store = g_object_ref (self);

  for (guint n = store->cold.waiting.length; n > 0 && store->cold.waiting.length > 0; n--)
    {
      MetricsWaiter *waiter = g_queue_peek_head (&store->cold.waiting);

      metrics_store_stop_waiting (store, waiter);
      waiter->is_refused = is_refused;
      waiter->func (waiter->data);
    }
}

/**
 * metrics_store_settle:
 * @self: a store
 * @position: of the journal
 *
 * Says that a checkpoint is complete: the chunks on disk know all changes up to @position, and are all
 * confirmed. Puts that wait for room are tried again.
 */
void
metrics_store_settle (MetricsStore *self, guint64 position)
{
  g_return_if_fail (METRICS_IS_STORE (self));

  metrics_cold_settle (&self->cold, position, &self->usage);
  self->cold.is_exhausted = FALSE;
  self->cold.has_touched = FALSE;
  self->cold.has_young = FALSE;
  self->cold.n_settled++;
  wake_waiting (self, FALSE);
}

/**
 * metrics_store_refuse_waiting:
 * @self: a store
 *
 * Says that a checkpoint failed: puts that wait for room are refused.
 */
void
metrics_store_refuse_waiting (MetricsStore *self)
{
  g_return_if_fail (METRICS_IS_STORE (self));

  wake_waiting (self, TRUE);
}

/**
 * metrics_store_has_room:
 * @self: a store
 *
 * Returns: whether any put to a series finds room
 */
gboolean
metrics_store_has_room (const MetricsStore *self)
{
  return self->usage.memory <= self->memory_safe;
}

/**
 * metrics_store_can_get_room:
 * @self: a store in which there is none
 *
 * Returns: whether there can be some later, without anything being deleted
 */
gboolean
metrics_store_can_get_room (MetricsStore *self)
{
  return metrics_store_is_cold (self)
         && (!self->cold.is_exhausted || self->cold.has_touched || self->cold.has_young
             || metrics_journal_get_position (self->journal) > self->cold.settled);
}

/**
 * metrics_store_wait:
 * @self: a store with a journal
 * @waiter: who waits, its function set; it has to stay where it is until that is called, or
 *   metrics_store_stop_waiting()
 *
 * Waits for a checkpoint, which is asked for.
 */
void
metrics_store_wait (MetricsStore *self, MetricsWaiter *waiter)
{
  waiter->link.data = waiter;
  waiter->is_waiting = TRUE;
  waiter->is_refused = FALSE;
  g_queue_push_tail_link (&self->cold.waiting, &waiter->link);
  metrics_journal_press (self->journal);
}

/**
 * metrics_store_stop_waiting:
 * @self: a store
 * @waiter: who waits
 */
void
metrics_store_stop_waiting (MetricsStore *self, MetricsWaiter *waiter)
{
  g_queue_unlink (&self->cold.waiting, &waiter->link);
  waiter->is_waiting = FALSE;
}
