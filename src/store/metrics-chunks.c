/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunks.h"

/* What a sequence takes, with the node at its end and what is around it, and each other node: measured. */
#define SEQUENCE_SIZE (112 + 48)
#define NODE_SIZE 48

/* Orders a chunk against a time so that a search ends at the first chunk which ends at or after it. */
static gint
compare_to_time (gconstpointer chunk, gconstpointer time, gpointer user_data)
{
  return metrics_chunk_get_last_time (chunk) < *(const gint64 *) time ? -1 : 1;
}

/* Says which chunk is open, or none. */
static void
set_warm (MetricsChunks *self, GSequenceIter *iter, MetricsUsage *usage)
{
  if (self->warm != NULL)
    {
      *(self->newer_warm != NULL ? &self->newer_warm->older_warm : &usage->newest_warm) = self->older_warm;
      *(self->older_warm != NULL ? &self->older_warm->newer_warm : &usage->oldest_warm) = self->newer_warm;
      self->newer_warm = self->older_warm = NULL;
      usage->n_warm--;
    }
  self->warm = iter;
  if (iter != NULL)
    {
      self->older_warm = usage->newest_warm;
      *(self->older_warm != NULL ? &self->older_warm->newer_warm : &usage->oldest_warm) = self;
      usage->newest_warm = self;
      usage->n_warm++;
    }
}

static void
change_memory (MetricsUsage *usage, gsize after, gsize before)
{
  usage->memory += after;
  usage->memory -= before;
}

static MetricsChunks *
chunks_new (MetricsUsage *usage)
{
  MetricsChunks *self = g_new0 (MetricsChunks, 1);

  self->sequence = g_sequence_new (NULL);
  usage->memory += SEQUENCE_SIZE;
  return self;
}

static void
free_if_empty (MetricsChunks **self, MetricsUsage *usage)
{
  if (!g_sequence_is_empty ((*self)->sequence))
    return;
  g_sequence_free ((*self)->sequence);
  g_clear_pointer (self, g_free);
  usage->memory -= SEQUENCE_SIZE;
}

/**
 * metrics_chunks_get_begin:
 * @self: chunks
 *
 * Returns: the first one
 */
GSequenceIter *
metrics_chunks_get_begin (const MetricsChunks *self)
{
  return g_sequence_get_begin_iter (self->sequence);
}

/**
 * metrics_chunks_get_last:
 * @self: chunks
 *
 * Returns: the last one
 */
GSequenceIter *
metrics_chunks_get_last (const MetricsChunks *self)
{
  return g_sequence_iter_prev (g_sequence_get_end_iter (self->sequence));
}

/**
 * metrics_chunks_search:
 * @self: chunks
 * @time: a time
 *
 * Returns: the first chunk that ends at or after @time, or the end
 */
GSequenceIter *
metrics_chunks_search (const MetricsChunks *self, gint64 time)
{
  return g_sequence_search (self->sequence, &time, compare_to_time, NULL);
}

/**
 * metrics_chunks_insert:
 * @self: (inout) (nullable): chunks
 * @iter: (nullable): before which one; at the end where it is %NULL
 * @chunk: (transfer full): a chunk; one that is not shared is counted by the caller
 * @usage: where the memory of its place is counted
 *
 * Returns: its place
 */
GSequenceIter *
metrics_chunks_insert (MetricsChunks **self, GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage)
{
  if (*self == NULL)
    *self = chunks_new (usage);
  if (iter == NULL)
    iter = g_sequence_get_end_iter ((*self)->sequence);
  usage->memory += NODE_SIZE;
  return g_sequence_insert_before (iter, chunk);
}

/**
 * metrics_chunks_replace:
 * @self: chunks
 * @iter: the place of a chunk, which is dropped
 * @chunk: (transfer full): a chunk to be there, of nobody else
 * @usage: where the memory of both is counted
 */
void
metrics_chunks_replace (MetricsChunks *self, GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage)
{
  MetricsChunk *old = g_sequence_get (iter);

  if (self->warm == iter)
    set_warm (self, NULL, usage);
  g_sequence_set (iter, chunk);
  usage->memory += metrics_chunk_get_size (chunk);
  usage->memory -= metrics_chunk_unref (old);
}

/**
 * metrics_chunks_take:
 * @self: (inout): chunks
 * @iter: the place of a chunk
 * @usage: where the memory of its place is counted
 *
 * Takes a chunk out.
 *
 * Returns: (transfer full): the chunk, whose memory stays counted
 */
MetricsChunk *
metrics_chunks_take (MetricsChunks **self, GSequenceIter *iter, MetricsUsage *usage)
{
  MetricsChunk *chunk = g_sequence_get (iter);

  if ((*self)->warm == iter)
    set_warm (*self, NULL, usage);
  g_sequence_remove (iter);
  usage->memory -= NODE_SIZE;
  free_if_empty (self, usage);
  return chunk;
}

/**
 * metrics_chunks_drop:
 * @self: (inout): chunks
 * @iter: the place of a chunk
 * @usage: where the memory is counted
 *
 * Takes a chunk out and lets go of it.
 */
void
metrics_chunks_drop (MetricsChunks **self, GSequenceIter *iter, MetricsUsage *usage)
{
  usage->memory -= metrics_chunk_unref (metrics_chunks_take (self, iter, usage));
}

/**
 * metrics_chunks_move:
 * @self: (inout): chunks
 * @begin: the first one to be moved
 * @end: the first one behind that stays, or the end
 * @target: (out): where they go
 * @usage: where the memory is counted
 *
 * Takes a part of the chunks out, in a time that does not depend on how many they are.
 */
void
metrics_chunks_move (MetricsChunks **self,
                     GSequenceIter *begin,
                     GSequenceIter *end,
                     MetricsChunks **target,
                     MetricsUsage *usage)
{
  *target = NULL;
  if (begin == end)
    return;
  *target = chunks_new (usage);
  g_sequence_move_range (g_sequence_get_begin_iter ((*target)->sequence), begin, end);
  if ((*self)->warm != NULL && g_sequence_iter_get_sequence ((*self)->warm) == (*target)->sequence)
    {
      set_warm (*target, (*self)->warm, usage);
      set_warm (*self, NULL, usage);
    }
  free_if_empty (self, usage);
}

/* Puts another form of the same points in the place of a chunk. */
static void
set_chunk (GSequenceIter *iter, MetricsChunk *chunk, gsize size_before, MetricsUsage *usage)
{
  g_sequence_set (iter, chunk);
  change_memory (usage, metrics_chunk_get_size (chunk), size_before);
}

/**
 * metrics_chunks_warm:
 * @self: chunks
 * @iter: the place of one that is not full, nor too long to be opened
 * @usage: where the memory is counted
 *
 * Opens a chunk, if it is not open; another one that was is coded.
 */
void
metrics_chunks_warm (MetricsChunks *self, GSequenceIter *iter, MetricsUsage *usage)
{
  MetricsChunk *chunk = g_sequence_get (iter);
  MetricsChunk *rest = NULL;

  if (self->warm == iter)
    return;
  metrics_chunks_cool (self, usage);
  if (metrics_chunk_is_sealed (chunk))
    {
      usage->work += METRICS_CODING_UNITS;
      metrics_chunks_replace (self, iter, metrics_chunk_reopen (chunk, &rest), usage);
      g_assert (rest == NULL);
    }
  set_warm (self, iter, usage);
  if (usage->n_warm > METRICS_CHUNKS_MAX_WARM)
    metrics_chunks_cool (usage->oldest_warm, usage);
}

/**
 * metrics_chunks_cool:
 * @self: chunks
 * @usage: where the memory is counted
 *
 * Codes the chunk that is open.
 */
void
metrics_chunks_cool (MetricsChunks *self, MetricsUsage *usage)
{
  GSequenceIter *iter = self->warm;
  MetricsChunk *chunk;
  gsize size;

  if (iter == NULL)
    return;
  set_warm (self, NULL, usage);
  chunk = g_sequence_get (iter);
  size = metrics_chunk_get_size (chunk);
  usage->work += METRICS_CODING_UNITS;
  metrics_chunk_seal (&chunk);
  set_chunk (iter, chunk, size, usage);
}

/**
 * metrics_chunks_cool_oldest:
 * @usage: where the memory is counted
 *
 * Codes the chunk that has been open for longest, of all series.
 *
 * Returns: whether there was one
 */
gboolean
metrics_chunks_cool_oldest (MetricsUsage *usage)
{
  if (usage->oldest_warm == NULL)
    return FALSE;
  metrics_chunks_cool (usage->oldest_warm, usage);
  return TRUE;
}

/**
 * metrics_chunks_freeze:
 * @self: chunks
 * @usage: where the memory is counted
 *
 * Seals the chunk that is open as it is: they are kept for a moment.
 */
void
metrics_chunks_freeze (MetricsChunks *self, MetricsUsage *usage)
{
  GSequenceIter *iter = self->warm;
  MetricsChunk *chunk;
  gsize size;

  if (iter == NULL)
    return;
  set_warm (self, NULL, usage);
  chunk = g_sequence_get (iter);
  size = metrics_chunk_get_size (chunk);
  metrics_chunk_freeze (&chunk);
  set_chunk (iter, chunk, size, usage);
}

/**
 * metrics_chunks_put:
 * @self: chunks of which one is open, and not full unless it has a point at that time
 * @point: a point that belongs into it
 * @usage: where the memory is counted
 *
 * Returns: whether there is one point more
 */
gboolean
metrics_chunks_put (MetricsChunks *self, MetricsPoint point, MetricsUsage *usage)
{
  MetricsChunk *chunk = g_sequence_get (self->warm);
  gsize size = metrics_chunk_get_size (chunk);
  gboolean is_new = metrics_chunk_put (&chunk, point);

  set_chunk (self->warm, chunk, size, usage);
  return is_new;
}

/**
 * metrics_chunks_get_max_growth:
 *
 * Returns: how many bytes of memory two more places can take
 */
gsize
metrics_chunks_get_max_growth (void)
{
  return SEQUENCE_SIZE + 2 * NODE_SIZE;
}

/**
 * metrics_chunks_get_copy_size:
 * @n_chunks: how many chunks
 *
 * Returns: how many bytes of memory places for them take, the chunks themselves left out
 */
gsize
metrics_chunks_get_copy_size (guint n_chunks)
{
  return SEQUENCE_SIZE + (gsize) n_chunks * NODE_SIZE;
}
