/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-gap.h"

#include "store/metrics-series-private.h"

/* Gaps of a series, which stand for chunks that are on disk alone. In the span of a gap the disk has exactly
 * the points that are stored, and nothing else.
 *
 * Nothing is ever changed within a gap. Before a point is put whose time lies within its span, or a deletion
 * begins or ends there, the gap is split at that time: into a gap, the chunk that holds the time, loaded, if
 * there is one, and another gap. */

/* So many chunks are looked at to find out whether one of them is a gap. */
#define MAX_LOOKED_AT 64

/**
 * metrics_series_find_gap:
 * @self: a series
 * @time: a time
 *
 * Returns: (transfer none) (nullable): the gap in whose span the time lies
 */
MetricsChunk *
metrics_series_find_gap (const MetricsSeries *self, gint64 time)
{
  MetricsChunk *chunk = self->open;

  if (chunk == NULL)
    return NULL;
  if (self->sealed != NULL && time < metrics_chunk_get_first_time (chunk))
    {
      GSequenceIter *iter = metrics_chunks_search (self->sealed, time);

      if (!g_sequence_iter_is_end (iter))
        chunk = g_sequence_get (iter);
    }
  return metrics_chunk_is_gap (chunk) && metrics_chunk_get_first_time (chunk) <= time
                 && metrics_chunk_get_last_time (chunk) >= time
             ? chunk
             : NULL;
}

/**
 * metrics_series_find_cut:
 * @self: a series
 * @from: the first time of a span
 * @to: its last time
 * @at: (out): where the gap has to be split
 *
 * Finds a gap that lies in the span in part.
 *
 * Returns: (transfer none) (nullable): the gap; %NULL where nothing has to be split any more
 */
MetricsChunk *
metrics_series_find_cut (const MetricsSeries *self, gint64 from, gint64 to, gint64 *at)
{
  MetricsChunk *gap;

  if (from > to)
    return NULL;
  gap = metrics_series_find_gap (self, from);
  *at = from;
  if (gap != NULL && metrics_chunk_get_first_time (gap) < from)
    return gap;
  gap = metrics_series_find_gap (self, to);
  *at = to;
  return gap != NULL && metrics_chunk_get_last_time (gap) > to ? gap : NULL;
}

/**
 * metrics_series_may_have_gaps:
 * @self: a series
 *
 * Returns: whether it has gaps; of many chunks not all are looked at, and %TRUE is the answer then
 */
gboolean
metrics_series_may_have_gaps (const MetricsSeries *self)
{
  guint n = 0;

  if (self->open != NULL && metrics_chunk_is_gap (self->open))
    return TRUE;
  if (self->sealed == NULL)
    return FALSE;
  for (GSequenceIter *iter = metrics_chunks_get_begin (self->sealed); !g_sequence_iter_is_end (iter);
       iter = g_sequence_iter_next (iter))
    {
      if (metrics_chunk_is_gap (g_sequence_get (iter)) || ++n > MAX_LOOKED_AT)
        return TRUE;
    }
  return FALSE;
}

/**
 * metrics_gap_ask:
 * @gap: a gap
 * @id: the number of its series
 * @at: a time in its span
 * @request: (out caller-allocates): what has to be asked for to split it there
 */
void
metrics_gap_ask (const MetricsChunk *gap, guint64 id, gint64 at, MetricsChunkRequest *request)
{
  *request = (MetricsChunkRequest){ .id = id,
                                    .first = metrics_chunk_get_first_time (gap),
                                    .last = metrics_chunk_get_last_time (gap),
                                    .from = at,
                                    .to = at,
                                    .max_chunks = 1,
                                    .count = TRUE };
}

/* What comes in the place of a gap. What a source says is from a disk: it need not be right, and so the
 * parts are kept apart from each other, and from @at, whatever it is. */
static guint
make_parts (const MetricsChunk *gap, gint64 at, const MetricsChunkAnswer *answer, MetricsChunk *parts[3])
{
  gint64 first = metrics_chunk_get_first_time (gap);
  gint64 last = metrics_chunk_get_last_time (gap);
  MetricsChunk *loaded = NULL;
  guint64 n_gone = answer->n_left + answer->n_damaged;
  gint64 begin = at, end = at;
  guint n = 0;

  if (answer->chunks != NULL && answer->chunks->len > 0)
    loaded = g_ptr_array_index (answer->chunks, 0);
  if (loaded != NULL
      && (metrics_chunk_get_first_time (loaded) < first || metrics_chunk_get_last_time (loaded) > last))
    loaded = NULL;
  if (loaded != NULL)
    {
      begin = MIN (begin, metrics_chunk_get_first_time (loaded));
      end = MAX (end, metrics_chunk_get_last_time (loaded));
      n_gone += metrics_chunk_get_n_points (loaded);
    }

  if (answer->n_left > 0 && begin > first)
    parts[n++] = metrics_chunk_new_gap (first, CLAMP (answer->last_left, first, begin - 1), answer->n_left);
  if (loaded != NULL)
    {
      parts[n++] = metrics_chunk_ref (loaded);
      metrics_chunk_set_kept (loaded, METRICS_CHUNK_KEPT);
    }
  if (answer->has_next && end < last)
    {
      guint64 n_all = metrics_chunk_get_n_points (gap);

      parts[n++] = metrics_chunk_new_gap (CLAMP (answer->next_first, end + 1, last), last,
                                          n_all > n_gone ? n_all - n_gone : 1);
    }
  return n;
}

/* Puts chunks in the place of the newest one. */
static void
replace_open (MetricsSeries *self, MetricsChunk *const *parts, guint n, MetricsUsage *usage)
{
  usage->memory -= metrics_chunk_unref (g_steal_pointer (&self->open));
  for (guint i = 0; i < n; i++)
    {
      usage->memory += metrics_chunk_get_size (parts[i]);
      if (i < n - 1)
        metrics_chunks_insert (&self->sealed, NULL, parts[i], usage);
      else
        self->open = parts[i];
    }
  if (n == 0 && self->sealed != NULL)
    self->open = metrics_chunks_take (&self->sealed, metrics_chunks_get_last (self->sealed), usage);
}

/**
 * metrics_series_split:
 * @self: a series
 * @gap: one of its gaps
 * @at: a time in its span
 * @answer: what was answered to metrics_gap_ask()
 * @usage: where it is counted
 *
 * Splits a gap: afterwards no gap has @at in its span. Points that are damaged are there no more; where there
 * were no others, the series has none.
 *
 * Returns: (transfer none) (nullable): the chunk that was loaded
 */
MetricsChunk *
metrics_series_split (MetricsSeries *self,
                      MetricsChunk *gap,
                      gint64 at,
                      const MetricsChunkAnswer *answer,
                      MetricsUsage *usage)
{
  MetricsChunk *parts[3];
  MetricsChunk *loaded = NULL;
  guint n = make_parts (gap, at, answer, parts);
  gint64 change = -(gint64) metrics_chunk_get_n_points (gap);

  for (guint i = 0; i < n; i++)
    {
      change += (gint64) metrics_chunk_get_n_points (parts[i]);
      if (!metrics_chunk_is_gap (parts[i]))
        loaded = parts[i];
    }
  if (gap == self->open)
    replace_open (self, parts, n, usage);
  else
    {
      GSequenceIter *iter = metrics_chunks_search (self->sealed, at);

      g_assert (g_sequence_get (iter) == gap);

      for (guint i = 0; i < n; i++)
        {
          usage->memory += metrics_chunk_get_size (parts[i]);
          metrics_chunks_insert (&self->sealed, iter, parts[i], usage);
        }
      metrics_chunks_drop (&self->sealed, iter, usage);
    }
  metrics_series_count_points (self, change, usage);
  return loaded;
}
