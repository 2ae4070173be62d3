/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-restore.h"

#include "store/metrics-store-private.h"

/* What a checkpoint writes of a series. */

static MetricsStoredChunk *
add_span (GPtrArray *stored, const MetricsChunk *chunk)
{
  MetricsStoredChunk *one = g_new0 (MetricsStoredChunk, 1);

  one->first = metrics_chunk_get_first_time (chunk);
  one->last = metrics_chunk_get_last_time (chunk);
  one->n_points = metrics_chunk_get_n_points (chunk);
  g_ptr_array_add (stored, one);
  return one;
}

/* Adds a sealed chunk. */
static void
add_pieces (GPtrArray *stored, MetricsChunk *chunk)
{
  for (guint i = 0; i < metrics_chunk_get_n_pieces (chunk); i++)
    {
      MetricsChunk *piece = metrics_chunk_get_piece (chunk, i);
      gsize size;
      const guint8 *data = metrics_chunk_get_data (piece, &size);

      add_span (stored, piece)->data = g_bytes_new (data, size);
      metrics_chunk_unref (piece);
    }
}

static void
add_chunk (GPtrArray *stored, MetricsChunk *chunk)
{
  MetricsChunk *copy;

  if (metrics_chunk_is_gap (chunk) || metrics_chunk_get_kept (chunk) == METRICS_CHUNK_KEPT)
    {
      add_span (stored, chunk);
      return;
    }
  copy = metrics_chunk_is_sealed (chunk) ? metrics_chunk_ref (chunk) : metrics_chunk_copy (chunk);
  add_pieces (stored, copy);
  metrics_chunk_unref (copy);
  metrics_chunk_set_kept (chunk, METRICS_CHUNK_PENDING);
}

/**
 * metrics_store_snapshot:
 * @self: a store that has a journal
 * @id: the number of a series
 * @from: the first time of a span
 * @to: its last time
 *
 * Copies what a series has just now: all chunks that reach into the span, as a whole, in the order of time.
 * Of those that are known to be on disk as they are, there is only the span. Nothing of the store is in what
 * is returned: another thread may have it. When it is on disk, metrics_store_confirm() has to be called.
 *
 * Returns: (transfer full) (nullable) (element-type MetricsStoredChunk): the chunks, none where there are no
 *   points; %NULL where there is no such series any more
 */
GPtrArray *
metrics_store_snapshot (MetricsStore *self, guint64 id, gint64 from, gint64 to)
{
  GPtrArray *stored;
  MetricsEntry *entry;
  MetricsSeries *series;

  g_return_val_if_fail (METRICS_IS_STORE (self), NULL);

  metrics_entry_list_index (&self->entries, &self->usage);
  entry = metrics_entry_list_find (&self->entries, id);
  if (entry == NULL)
    return NULL;

  stored = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_stored_chunk_free);
  series = &entry->series;
  if (series->n_points == 0 || from > to)
    return stored;
  if (series->sealed != NULL)
    for (GSequenceIter *iter = metrics_chunks_search (series->sealed, from); !g_sequence_iter_is_end (iter);
         iter = g_sequence_iter_next (iter))
      {
        MetricsChunk *chunk = g_sequence_get (iter);

        if (metrics_chunk_get_first_time (chunk) > to)
          return stored;
        add_chunk (stored, chunk);
      }
  if (metrics_chunk_get_first_time (series->open) <= to && metrics_chunk_get_last_time (series->open) >= from)
    add_chunk (stored, series->open);
  return stored;
}
