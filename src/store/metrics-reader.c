/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-reader.h"

/**
 * metrics_reader_init:
 * @self: a reader
 * @usage: where what it holds is counted
 */
void
metrics_reader_init (MetricsReader *self, MetricsUsage *usage)
{
  *self = (MetricsReader){ .usage = usage, .chunks = g_ptr_array_new () };
}

/**
 * metrics_reader_clear:
 * @self: a closed reader
 *
 * Frees what belongs to it.
 */
void
metrics_reader_clear (MetricsReader *self)
{
  g_assert (self->chunks->len == 0);

  g_clear_pointer (&self->chunks, g_ptr_array_unref);
}

/**
 * metrics_reader_open:
 * @self: a closed reader
 * @series: a series
 * @from: the first time of a span
 * @to: its last time
 * @before: whether the newest point before @from is to be read as well
 *
 * Takes hold of the points of a span. The reader stands before the first one.
 */
void
metrics_reader_open (MetricsReader *self,
                     const MetricsSeries *series,
                     gint64 from,
                     gint64 to,
                     gboolean before)
{
  g_assert (self->chunks->len == 0);

  self->from = from;
  self->to = to;
  self->before = before;
  self->mark = (MetricsReaderMark){ .is_begin = TRUE };
  self->n_folded = self->refilled_begin = self->refilled_end = 0;
  metrics_series_collect (series, from, to, before, self->chunks, self->usage);
  self->usage->memory += self->chunks->len * sizeof (gpointer);
}

/**
 * metrics_reader_close:
 * @self: a reader
 * @budget: (inout): how many units of work may be done; what was done is taken off
 *
 * Lets go of the points.
 *
 * Returns: whether the reader is closed; else call again, and do nothing else with it
 */
gboolean
metrics_reader_close (MetricsReader *self, gint *budget)
{
  metrics_reader_release (self, (MetricsReaderMark){ .chunk = self->chunks->len }, budget);
  if (self->n_released < self->chunks->len)
    return FALSE;
  self->usage->memory -= self->chunks->len * sizeof (gpointer);
  g_ptr_array_set_size (self->chunks, 0);
  self->n_released = 0;
  metrics_held_clear (&self->held);
  return TRUE;
}

/**
 * metrics_reader_steal_chunks:
 * @self: a reader
 *
 * Closes the reader at once, and leaves to the caller to let go of its chunks.
 *
 * Returns: (transfer full) (element-type MetricsChunk): the chunks that it holds still, each a reference;
 *   their places in the array are counted
 */
GPtrArray *
metrics_reader_steal_chunks (MetricsReader *self)
{
  GPtrArray *chunks = g_steal_pointer (&self->chunks);

  g_ptr_array_remove_range (chunks, 0, self->n_released);
  self->usage->memory -= self->n_released * sizeof (gpointer);
  self->n_released = 0;
  self->chunks = g_ptr_array_new ();
  /* A request is answered under it still. */
  if (!self->is_waiting)
    metrics_held_clear (&self->held);
  return chunks;
}

/**
 * metrics_reader_release:
 * @self: a reader
 * @mark: a place before which it will not be set again
 * @budget: (inout): how many units of work may be done; what was done is taken off
 *
 * Lets go of the chunks before a place, as far as the budget reaches: what was deleted meanwhile is freed
 * then.
 */
void
metrics_reader_release (MetricsReader *self, MetricsReaderMark mark, gint *budget)
{
  for (; self->n_released<mark.chunk && * budget> 0; self->n_released++)
    {
      MetricsChunk *chunk = g_ptr_array_index (self->chunks, self->n_released);
      gsize freed = metrics_chunk_unref (chunk);

      self->usage->memory -= freed;
      *budget -= metrics_chunk_get_drop_units (freed);
      g_ptr_array_index (self->chunks, self->n_released) = NULL;
    }
}

/**
 * metrics_reader_get_n_chunks:
 * @self: a reader
 *
 * Returns: how many chunks it has taken hold of
 */
guint
metrics_reader_get_n_chunks (const MetricsReader *self)
{
  return self->chunks->len;
}

/**
 * metrics_reader_get_chunk:
 * @self: a reader
 *
 * Returns: (transfer none) (nullable): the chunk that is read next, which can be a gap, or %NULL at the end
 */
MetricsChunk *
metrics_reader_get_chunk (const MetricsReader *self)
{
  if (self->mark.chunk >= self->chunks->len)
    return NULL;
  return g_ptr_array_index (self->chunks, self->mark.chunk);
}

static guint64
find_begin (const MetricsReader *self, const MetricsChunk *chunk)
{
  guint64 at = metrics_chunk_find (chunk, self->from);

  return self->before && at > 0 ? at - 1 : at;
}

static guint64
find_end (const MetricsReader *self, const MetricsChunk *chunk)
{
  if (metrics_chunk_get_last_time (chunk) <= self->to)
    return metrics_chunk_get_n_points (chunk);
  return metrics_chunk_find (chunk, self->to + 1);
}

/* Finds the points of the chunk that are still to be read. Returns: how many */
static guint64
find_window (MetricsReader *self, const MetricsChunk *chunk)
{
  guint64 end = find_end (self, chunk);
  guint64 at = self->mark.is_begin ? find_begin (self, chunk) : self->mark.at;

  self->window = (MetricsReaderMark){ .chunk = self->mark.chunk, .at = at };
  return at < end ? end - at : 0;
}

/* Goes behind @n points of the window, behind which there are @n_left. */
static void
pass_window (MetricsReader *self, guint64 n, guint64 n_left)
{
  if (n_left > 0)
    self->mark = (MetricsReaderMark){ .chunk = self->window.chunk, .at = self->window.at + n };
  else
    self->mark = (MetricsReaderMark){ .chunk = self->window.chunk + 1 };
}

/**
 * metrics_reader_read:
 * @self: a reader that is not at its end, nor at a gap
 * @n: how many points at most, up to %METRICS_CHUNK_WINDOW
 * @points: (out caller-allocates) (array length=n): where they go, ascending
 *
 * Reads points, all of one chunk.
 *
 * Returns: how many; it can be none before the end is reached
 */
guint
metrics_reader_read (MetricsReader *self, guint n, MetricsPoint *points)
{
  const MetricsChunk *chunk = metrics_reader_get_chunk (self);
  guint64 n_there = find_window (self, chunk);

  n = MIN (n, n_there);
  metrics_chunk_read (chunk, self->window.at, n, points);
  pass_window (self, n, n_there - n);
  return n;
}

/**
 * metrics_reader_read_window:
 * @self: a reader that is not at its end, nor at a gap
 * @n: how many points at most, but of one constant value
 * @span: how much time points of one constant value may cover; 0 where they are like others
 * @window: (out caller-allocates): where they go, ascending; it can be empty before the end is reached
 *
 * Reads points, all of one chunk, for reducing them.
 */
void
metrics_reader_read_window (MetricsReader *self, guint n, guint64 span, MetricsWindow *window)
{
  const MetricsChunk *chunk = metrics_reader_get_chunk (self);
  guint64 n_there = find_window (self, chunk);

  window->n = 0;
  if (n_there > 0)
    metrics_chunk_read_window (chunk, self->window.at, n_there, n, span, window);
  pass_window (self, window->n, n_there - window->n);
}

/**
 * metrics_reader_get_window:
 * @self: a reader that has read
 *
 * Returns: where the points that were read last begin; those behind have the indexes that follow
 */
MetricsReaderMark
metrics_reader_get_window (const MetricsReader *self)
{
  return self->window;
}

/**
 * metrics_reader_get_mark:
 * @self: a reader
 *
 * Returns: where it stands
 */
MetricsReaderMark
metrics_reader_get_mark (const MetricsReader *self)
{
  return self->mark;
}

/**
 * metrics_reader_seek:
 * @self: a reader
 * @mark: a place in what it reads
 *
 * Goes there.
 */
void
metrics_reader_seek (MetricsReader *self, MetricsReaderMark mark)
{
  self->mark = mark;
}
