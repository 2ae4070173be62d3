/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-series-private.h"

/* What is deleted of a series: parts of chunks are coded anew without it, whole ones are taken out together.
 */

/* Whether a chunk has points of the span. */
static gboolean
reaches_into (const MetricsChunk *chunk, gint64 from, gint64 to)
{
  guint64 index;
  MetricsPoint point;

  if (metrics_chunk_get_first_time (chunk) > to || metrics_chunk_get_last_time (chunk) < from)
    return FALSE;
  if (metrics_chunk_get_first_time (chunk) >= from || metrics_chunk_get_last_time (chunk) <= to)
    return TRUE;
  index = metrics_chunk_find (chunk, from);
  metrics_chunk_read (chunk, index, 1, &point);
  return point.time <= to;
}

/**
 * metrics_series_has_points:
 * @self: a series that has points
 * @from: the first time of a span
 * @to: its last time
 *
 * Of the sealed chunks at most one is read, which is one of metrics_series_get_edges(). No gap may lie in the
 * span in part, see metrics_series_find_cut().
 *
 * Returns: whether a point lies in the span
 */
gboolean
metrics_series_has_points (const MetricsSeries *self, gint64 from, gint64 to)
{
  GSequenceIter *iter = self->sealed != NULL ? metrics_chunks_search (self->sealed, from) : NULL;

  if (iter != NULL && !g_sequence_iter_is_end (iter))
    return reaches_into (g_sequence_get (iter), from, to);
  return reaches_into (self->open, from, to);
}

/* Whether a chunk, of those that do not end before @from, has points of the span and others. */
static gboolean
is_in_part (const MetricsChunk *chunk, gint64 from, gint64 to)
{
  return metrics_chunk_get_first_time (chunk) <= to
         && (metrics_chunk_get_first_time (chunk) < from || metrics_chunk_get_last_time (chunk) > to);
}

/**
 * metrics_series_get_edges:
 * @self: a series that has points
 * @from: the first time of a span
 * @to: its last time
 * @edges: (out caller-allocates) (transfer none) (array): where they go, with %NULL for none
 *
 * Finds the sealed chunks whose points metrics_series_remove() has to read: those that lie in the span in
 * part, and the one that becomes the open chunk.
 */
void
metrics_series_get_edges (const MetricsSeries *self,
                          gint64 from,
                          gint64 to,
                          MetricsChunk *edges[METRICS_SERIES_EDGES])
{
  GSequenceIter *iter, *last;
  gint64 ends[2] = { from, to };

  edges[0] = edges[1] = edges[2] = NULL;
  if (self->sealed == NULL)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      iter = metrics_chunks_search (self->sealed, ends[i]);
      if (!g_sequence_iter_is_end (iter) && is_in_part (g_sequence_get (iter), from, to))
        edges[i] = g_sequence_get (iter);
    }

  if (from > metrics_chunk_get_first_time (self->open) || to < metrics_series_get_last_time (self))
    return;
  /* The whole open chunk goes: the last one that stays takes its place. */
  last = metrics_chunks_search (self->sealed, from);
  if (g_sequence_iter_is_end (last) || metrics_chunk_get_first_time (g_sequence_get (last)) >= from)
    last = g_sequence_iter_is_begin (last) ? NULL : g_sequence_iter_prev (last);
  edges[2] = last != NULL ? g_sequence_get (last) : NULL;
}

/* Removes the part of the chunk at @iter that lies in the span; the chunk lies in it in part only. */
static guint64
trim_sealed (MetricsSeries *self, GSequenceIter *iter, gint64 from, gint64 to, MetricsUsage *usage)
{
  MetricsChunk *rest[2];
  MetricsChunk *chunk = g_sequence_get (iter);
  guint64 n = metrics_chunk_get_n_points (chunk);
  guint n_rest = metrics_chunk_without (chunk, from, to, rest);

  g_assert (n_rest > 0);

  n -= metrics_series_replace_sealed (self, iter, rest, n_rest, usage);
  metrics_series_count_points (self, -(gint64) n, usage);
  return n;
}

/* Removes what lies in the span from the sealed chunks; whole ones go to @removed. */
static guint64
remove_from_sealed (MetricsSeries *self, gint64 from, gint64 to, MetricsSeries *removed, MetricsUsage *usage)
{
  GSequenceIter *begin = metrics_chunks_search (self->sealed, from);
  GSequenceIter *end;
  guint64 n_whole = 0;
  guint64 n = 0;

  if (!g_sequence_iter_is_end (begin) && metrics_chunk_get_first_time (g_sequence_get (begin)) < from)
    {
      n += trim_sealed (self, begin, from, to, usage);
      begin = g_sequence_iter_next (begin);
    }
  for (end = begin; !g_sequence_iter_is_end (end); end = g_sequence_iter_next (end))
    {
      MetricsChunk *chunk = g_sequence_get (end);

      if (metrics_chunk_get_last_time (chunk) > to)
        {
          if (metrics_chunk_get_first_time (chunk) <= to)
            n += trim_sealed (self, end, from, to, usage);
          break;
        }
      n_whole += metrics_chunk_get_n_points (chunk);
    }
  metrics_chunks_move (&self->sealed, begin, end, &removed->sealed, usage);
  removed->n_points += n_whole;
  metrics_series_count_points (self, -(gint64) n_whole, usage);
  return n + n_whole;
}

/* Makes the last of the older chunks the newest. It is opened when a point comes: a deletion takes no memory.
 */
static void
take_newest (MetricsSeries *self, MetricsUsage *usage)
{
  GSequenceIter *last = metrics_chunks_get_last (self->sealed);

  self->open = metrics_chunks_take (&self->sealed, last, usage);
}

static guint64
count_span (const MetricsChunk *chunk, gint64 from, gint64 to)
{
  guint64 end = to == G_MAXINT64 ? metrics_chunk_get_n_points (chunk) : metrics_chunk_find (chunk, to + 1);

  return end - metrics_chunk_find (chunk, from);
}

/* Whether a span begins and ends within a chunk. */
static gboolean
has_inside (const MetricsChunk *chunk, gint64 from, gint64 to)
{
  return from > metrics_chunk_get_first_time (chunk) && to < metrics_chunk_get_last_time (chunk);
}

/* Removes a part of the newest chunk, which is sealed afterwards. */
static void
trim_newest (MetricsSeries *self, gint64 from, gint64 to, MetricsUsage *usage)
{
  MetricsChunk *rest[2];
  guint n = metrics_chunk_without (self->open, from, to, rest);

  usage->memory -= metrics_chunk_unref (self->open);
  self->open = rest[n - 1];
  metrics_series_count_open (self, 0, usage);
  if (n > 1)
    {
      usage->memory += metrics_chunk_get_size (rest[0]);
      metrics_chunks_insert (&self->sealed, NULL, rest[0], usage);
    }
}

static guint64
remove_from_open (MetricsSeries *self, gint64 from, gint64 to, MetricsSeries *removed, MetricsUsage *usage)
{
  gsize size = metrics_chunk_get_size (self->open);
  guint64 n;

  if (from <= metrics_chunk_get_first_time (self->open) && to >= metrics_chunk_get_last_time (self->open))
    {
      n = metrics_chunk_get_n_points (self->open);
      removed->open = g_steal_pointer (&self->open);
      removed->n_points += n;
    }
  else if (metrics_chunk_is_sealed (self->open)
           || (has_inside (self->open, from, to) && !metrics_chunk_is_long (self->open)))
    {
      /* A hole would double what times at a regular step take: it is coded, and takes less. */
      n = count_span (self->open, from, to);
      if (n > 0)
        trim_newest (self, from, to, usage);
    }
  else
    {
      n = metrics_chunk_remove (&self->open, from, to);
      metrics_series_count_open (self, size, usage);
    }
  metrics_series_count_points (self, -(gint64) n, usage);
  return n;
}

/**
 * metrics_series_remove:
 * @self: a series that has points, of which no gap lies in the span in part
 * @from: the first time that goes
 * @to: the last time that goes
 * @removed: (inout): an empty series, which takes over the chunks that go as a whole; to be dropped
 * @usage: where it is counted
 *
 * Removes the points of a span. It is done at once, but takes only a moment: freeing many chunks is left to
 * metrics_series_drop().
 *
 * Returns: how many points there were
 */
guint64
metrics_series_remove (MetricsSeries *self,
                       gint64 from,
                       gint64 to,
                       MetricsSeries *removed,
                       MetricsUsage *usage)
{
  guint64 n = 0;

  if (from > to)
    return 0;
  if (from <= metrics_series_get_first_time (self) && to >= metrics_series_get_last_time (self))
    {
      n = self->n_points;
      *removed = *self;
      *self = (MetricsSeries){ 0 };
      usage->n_points -= n;
      return n;
    }

  if (self->sealed != NULL)
    n += remove_from_sealed (self, from, to, removed, usage);
  n += remove_from_open (self, from, to, removed, usage);
  if (self->open == NULL)
    take_newest (self, usage);
  return n;
}

/**
 * metrics_series_drop:
 * @self: a series that was removed from its store: its points are counted no more
 * @n_chunks: how many chunks to drop at most
 * @usage: where the memory is counted
 *
 * Lets go of some chunks.
 *
 * Returns: whether nothing is left
 */
gboolean
metrics_series_drop (MetricsSeries *self, guint n_chunks, MetricsUsage *usage)
{
  for (; n_chunks > 0 && self->sealed != NULL; n_chunks--)
    metrics_chunks_drop (&self->sealed, metrics_chunks_get_begin (self->sealed), usage);
  if (n_chunks > 0 && self->open != NULL)
    usage->memory -= metrics_chunk_unref (g_steal_pointer (&self->open));
  return self->sealed == NULL && self->open == NULL;
}
