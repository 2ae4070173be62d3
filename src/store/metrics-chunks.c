/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunks.h"

/* What GLib takes for a sequence, with the node at its end, and for each other node: measured. */
#define SEQUENCE_SIZE 112
#define NODE_SIZE 48

/* Orders a chunk against a time so that a search ends at the first chunk which ends at or after it. */
static gint
compare_to_time (gconstpointer chunk, gconstpointer time, gpointer user_data)
{
  return metrics_chunk_get_last_time (chunk) < *(const gint64 *) time ? -1 : 1;
}

static void
free_if_empty (GSequence **self, MetricsUsage *usage)
{
  if (!g_sequence_is_empty (*self))
    return;
  g_clear_pointer (self, g_sequence_free);
  usage->memory -= SEQUENCE_SIZE;
}

/**
 * metrics_chunks_search:
 * @self: chunks
 * @time: a time
 *
 * Returns: the first chunk that ends at or after @time, or the end
 */
GSequenceIter *
metrics_chunks_search (GSequence *self, gint64 time)
{
  return g_sequence_search (self, &time, compare_to_time, NULL);
}

/**
 * metrics_chunks_insert:
 * @self: (inout) (nullable): chunks
 * @iter: (nullable): before which one; at the end where it is %NULL
 * @chunk: (transfer full): a sealed chunk; one that is not shared is counted by the caller
 * @usage: where the memory of its place is counted
 */
void
metrics_chunks_insert (GSequence **self, GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage)
{
  if (*self == NULL)
    {
      *self = g_sequence_new (NULL);
      usage->memory += SEQUENCE_SIZE;
    }
  if (iter == NULL)
    iter = g_sequence_get_end_iter (*self);
  g_sequence_insert_before (iter, chunk);
  usage->memory += NODE_SIZE;
}

/**
 * metrics_chunks_replace:
 * @iter: the place of a chunk, which is dropped
 * @chunk: (transfer full): a sealed chunk to be there, of nobody else
 * @usage: where the memory of both is counted
 */
void
metrics_chunks_replace (GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage)
{
  MetricsChunk *old = g_sequence_get (iter);

  g_sequence_set (iter, chunk);
  usage->memory += metrics_chunk_get_size (chunk);
  usage->memory -= metrics_chunk_unref (old);
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
metrics_chunks_drop (GSequence **self, GSequenceIter *iter, MetricsUsage *usage)
{
  MetricsChunk *chunk = g_sequence_get (iter);

  g_sequence_remove (iter);
  usage->memory -= NODE_SIZE;
  usage->memory -= metrics_chunk_unref (chunk);
  free_if_empty (self, usage);
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
metrics_chunks_move (GSequence **self,
                     GSequenceIter *begin,
                     GSequenceIter *end,
                     GSequence **target,
                     MetricsUsage *usage)
{
  *target = NULL;
  if (begin == end)
    return;
  *target = g_sequence_new (NULL);
  usage->memory += SEQUENCE_SIZE;
  g_sequence_move_range (g_sequence_get_begin_iter (*target), begin, end);
  free_if_empty (self, usage);
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
