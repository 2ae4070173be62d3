/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunks.h"
#include "store/metrics-store-private.h"

/* How memory is kept below its limit: chunks that are on disk as they are become gaps.
 *
 * A hand goes round all entries, so that each series gives something. In a first round it is the older half
 * of the chunks of each that it has in memory, since what is newer is asked for more often; where that is not
 * enough, a second round takes all. Chunks that are not kept on disk will be after the next checkpoint, if
 * they were changed; those that were not, since they were parted or joined with others, are touched in the
 * second round, so that it writes them, too. One that somebody else holds stays: its memory would not come
 * back.
 *
 * An open chunk with few points stays while its series is put to: the next point would begin another chunk, a
 * row on disk for each few points, and a gap beside a chunk takes more memory than the chunk alone. It leaves
 * when a checkpoint has found nothing new in it. */

/* What it costs to make a gap of a chunk. */
#define UNITS_A_GAP 8

/* How many points an open chunk is to have before it leaves memory while its series is put to. */
#define MANY_POINTS 16

/* How many checkpoints have ended since a chunk was written when its series has been silent for one. */
#define OLD 2

typedef struct
{
  MetricsStore *store;
  guint64 target;
  gint *budget;
} Eviction;

static gboolean
is_enough (const Eviction *self)
{
  return self->store->usage.memory <= self->target;
}

static MetricsChunk *
make_gap (const MetricsChunk *from, const MetricsChunk *to, guint64 n)
{
  return metrics_chunk_new_gap (metrics_chunk_get_first_time (from), metrics_chunk_get_last_time (to), n);
}

/* Whether a chunk can become part of a gap that begins with another one. */
static gboolean
can_join (const Eviction *self, const MetricsEntry *entry, const MetricsChunk *gap, const MetricsChunk *chunk)
{
  return metrics_chunk_is_gap (gap)
         && !metrics_cold_is_stale (&self->store->cold, entry->id, metrics_chunk_get_first_time (gap),
                                    metrics_chunk_get_last_time (chunk));
}

static gboolean
can_evict (const MetricsChunk *chunk)
{
  return metrics_chunk_get_kept (chunk) == METRICS_CHUNK_KEPT && !metrics_chunk_is_gap (chunk)
         && !metrics_chunk_is_shared (chunk);
}

/* Asks for a chunk to be written that no change will bring to disk. */
static void
touch (const Eviction *self, const MetricsEntry *entry, const MetricsChunk *chunk)
{
  MetricsStore *store = self->store;

  if (store->journal == NULL || metrics_chunk_is_gap (chunk) || !metrics_chunk_is_sealed (chunk)
      || metrics_chunk_get_kept (chunk) != METRICS_CHUNK_NOT_KEPT)
    return;
  metrics_journal_touch (store->journal, entry->id, metrics_chunk_get_first_time (chunk),
                         metrics_chunk_get_last_time (chunk));
  store->cold.has_touched = TRUE;
}

/* Makes a gap of one of the older chunks, if that can be; joins it with the gap before. */
static void
evict_sealed (const Eviction *self, MetricsEntry *entry, GSequenceIter *iter)
{
  MetricsChunks **chunks = &entry->series.sealed;
  MetricsUsage *usage = &self->store->usage;
  MetricsChunk *chunk = g_sequence_get (iter);
  GSequenceIter *previous = g_sequence_iter_is_begin (iter) ? NULL : g_sequence_iter_prev (iter);
  guint64 n = metrics_chunk_get_n_points (chunk);
  const MetricsChunk *begin = chunk;

  if (self->store->cold.round == 1 && iter == (*chunks)->warm)
    return;
  if (!metrics_chunk_is_gap (chunk) && !can_evict (chunk))
    {
      if (self->store->cold.round > 1)
        touch (self, entry, chunk);
      return;
    }
  if (previous != NULL && can_join (self, entry, g_sequence_get (previous), chunk))
    begin = g_sequence_get (previous);
  if (begin != chunk)
    n += metrics_chunk_get_n_points (begin);
  else if (metrics_chunk_is_gap (chunk))
    return;

  *self->budget -= UNITS_A_GAP;
  metrics_chunks_replace (*chunks, iter, make_gap (begin, chunk, n), usage);
  if (begin != chunk)
    metrics_chunks_drop (chunks, previous, usage);
}

static gboolean
is_young (const Eviction *self, const MetricsChunk *chunk)
{
  return !metrics_chunk_is_sealed (chunk) && metrics_chunk_get_n_points (chunk) < MANY_POINTS
         && metrics_chunk_get_age (chunk, self->store->cold.n_settled) < OLD;
}

/* The same with the newest chunk. */
static void
evict_newest (const Eviction *self, MetricsEntry *entry)
{
  MetricsSeries *series = &entry->series;
  MetricsUsage *usage = &self->store->usage;
  MetricsChunk *chunk = series->open;
  MetricsChunk *gap;
  GSequenceIter *last = series->sealed != NULL ? metrics_chunks_get_last (series->sealed) : NULL;

  if (!metrics_chunk_is_gap (chunk) && !can_evict (chunk))
    {
      touch (self, entry, chunk);
      return;
    }
  if (is_young (self, chunk))
    {
      self->store->cold.has_young = TRUE;
      return;
    }
  if (last != NULL && can_join (self, entry, g_sequence_get (last), chunk))
    gap = make_gap (g_sequence_get (last), chunk,
                    metrics_chunk_get_n_points (g_sequence_get (last)) + metrics_chunk_get_n_points (chunk));
  else if (!metrics_chunk_is_gap (chunk))
    {
      gap = make_gap (chunk, chunk, metrics_chunk_get_n_points (chunk));
      last = NULL;
    }
  else
    return;

  *self->budget -= UNITS_A_GAP;
  usage->memory += metrics_chunk_get_size (gap);
  usage->memory -= metrics_chunk_unref (chunk);
  series->open = gap;
  if (last != NULL)
    metrics_chunks_drop (&series->sealed, last, usage);
}

/* How far it goes in a series. */
static gint64
get_until (const Eviction *self, const MetricsSeries *series)
{
  guint n;

  if (series->sealed == NULL)
    return G_MININT64;
  if (self->store->cold.round > 1)
    return G_MAXINT64;
  n = g_sequence_get_length (series->sealed->sequence);
  return metrics_chunk_get_last_time (g_sequence_get (g_sequence_get_iter_at_pos (series->sealed->sequence,
                                                                                  (n - 1) / 2)));
}

/* Goes on in a series. Returns: whether it is done with it */
static gboolean
evict_from (const Eviction *self, MetricsEntry *entry)
{
  MetricsCold *cold = &self->store->cold;
  MetricsSeries *series = &entry->series;
  GSequenceIter *iter, *next;

  if (series->n_points == 0)
    return TRUE;
  if (series->sealed != NULL)
    for (iter = metrics_chunks_search (series->sealed, cold->hand_time); !g_sequence_iter_is_end (iter);
         iter = next)
      {
        gint64 first = metrics_chunk_get_first_time (g_sequence_get (iter));

        if (first > cold->hand_until)
          break;
        if (is_enough (self) || *self->budget <= 0)
          {
            cold->hand_time = first;
            return FALSE;
          }
        (*self->budget)--;
        next = g_sequence_iter_next (iter);
        evict_sealed (self, entry, iter);
      }
  if (cold->round > 1 && !is_enough (self))
    evict_newest (self, entry);
  return TRUE;
}

/* Goes to the next entry, or on with the one where it stands. */
static void
advance (const Eviction *self)
{
  MetricsStore *store = self->store;
  MetricsCold *cold = &store->cold;
  MetricsEntry *entry = store->entries.hand;

  if (entry == NULL)
    entry = store->entries.first;
  if (entry == NULL)
    {
      cold->n_left = 0;
      return;
    }
  store->entries.hand = entry;
  if (cold->hand_id != entry->id)
    {
      /* The one where it stood may be gone. */
      cold->hand_id = 0;
      if (cold->n_left == 0)
        return;
      (*self->budget)--;
      cold->n_left--;
      cold->hand_id = entry->id;
      cold->hand_time = G_MININT64;
      cold->hand_until = get_until (self, &entry->series);
    }
  if (!evict_from (self, entry))
    return;
  cold->hand_id = 0;
  store->entries.hand = entry->next;
}

/* Returns: whether there is one */
static gboolean
begin_round (MetricsStore *self)
{
  MetricsCold *cold = &self->cold;

  if (cold->round == 2)
    {
      cold->round = 0;
      cold->is_exhausted = TRUE;
      return FALSE;
    }
  cold->round++;
  cold->n_left = g_hash_table_size (self->table);
  return TRUE;
}

/**
 * metrics_store_evict:
 * @self: a store with a chunk source
 * @target: how many bytes of memory it may take
 * @budget: (inout): how many units of work may be done, see metrics_query_next(); what was done is taken off
 *
 * Makes gaps of chunks that are on disk, until no more memory is taken than @target. It goes on where it
 * ended the last time.
 *
 * Returns: whether that is so now; where it is not and there is budget left, nothing more can be done before
 *   the next checkpoint
 */
gboolean
metrics_store_evict (MetricsStore *self, guint64 target, gint *budget)
{
  Eviction eviction = { .store = self, .target = target, .budget = budget };
  MetricsCold *cold;

  g_return_val_if_fail (METRICS_IS_STORE (self), TRUE);
  g_return_val_if_fail (self->chunk_source != NULL, FALSE);

  cold = &self->cold;
  while (!is_enough (&eviction))
    {
      if (*budget <= 0)
        return FALSE;
      if ((cold->round == 0 || (cold->n_left == 0 && cold->hand_id == 0)) && !begin_round (self))
        return FALSE;
      if (cold->n_left > 0 || cold->hand_id != 0)
        advance (&eviction);
    }
  /* The next time it begins with a first round, where it stands. */
  cold->round = 0;
  cold->n_left = 0;
  return TRUE;
}
