/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-series.h"

#include "store/metrics-chunks.h"

/* Points mostly come in the order of time: they are appended to the open chunk, which is sealed when it is
 * full. A late point goes to the chunk whose span holds its time. In a gap between two chunks it goes to that
 * neighbour which has room, so that points which come in descending order fill chunks as well as those in
 * ascending order do; only where neither has room a new chunk begins. */

/* For how many points there is room in a chunk that is begun: in the first one, and in later ones. The first
 * one of each series lies between entries: one that it soon grows out of would leave a hole that nothing else
 * fits into, so it begins with 96 bytes. */
#define ROOM_OF_FIRST 6
#define ROOM_OF_NEXT 32

static void
count_points (MetricsSeries *self, gint64 n, MetricsUsage *usage)
{
  self->n_points += n;
  usage->n_points += n;
}

static void
count_open (MetricsSeries *self, gsize size_before, MetricsUsage *usage)
{
  usage->memory += metrics_chunk_get_size (self->open) - size_before;
}

/* Puts chunks in the place of one. Returns: how many points they have */
static gint64
replace_sealed (MetricsSeries *self,
                GSequenceIter *iter,
                MetricsChunk *const *chunks,
                guint n,
                MetricsUsage *usage)
{
  gint64 n_points = 0;

  for (guint i = 0; i < n; i++)
    n_points += metrics_chunk_get_n_points (chunks[i]);
  for (guint i = 0; i < n - 1; i++)
    {
      usage->memory += metrics_chunk_get_size (chunks[i]);
      metrics_chunks_insert (&self->sealed, iter, chunks[i], usage);
    }
  metrics_chunks_replace (self->sealed, iter, chunks[n - 1], usage);
  return n_points;
}

/* Whether a chunk can be opened for a late point at @time: it is not full, or has a point there. */
static gboolean
can_open (const MetricsChunk *chunk, gint64 time)
{
  guint64 n = metrics_chunk_get_n_points (chunk);

  return n < METRICS_CHUNK_WINDOW || (n == METRICS_CHUNK_WINDOW && metrics_chunk_contains (chunk, time));
}

/* Whether a chunk has a point, bit for bit: what is sent twice costs nothing. */
static gboolean
has_point (const MetricsChunk *chunk, MetricsPoint point)
{
  MetricsPoint there;

  if (!metrics_chunk_contains (chunk, point.time))
    return FALSE;
  metrics_chunk_read (chunk, metrics_chunk_find (chunk, point.time), 1, &there);
  return memcmp (&there.value, &point.value, sizeof there.value) == 0;
}

static void
put_sealed (MetricsSeries *self, GSequenceIter *iter, MetricsPoint point, MetricsUsage *usage)
{
  MetricsChunk *chunk = g_sequence_get (iter);
  MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED];
  gint64 n_before = metrics_chunk_get_n_points (chunk);
  guint n;

  if (self->sealed->warm != iter && has_point (chunk, point))
    return;
  if (can_open (chunk, point.time))
    {
      metrics_chunks_warm (self->sealed, iter, usage);
      if (metrics_chunks_put (self->sealed, point, usage))
        count_points (self, 1, usage);
      return;
    }
  usage->work += METRICS_CODING_UNITS;
  n = metrics_chunk_merge (chunk, point, merged);
  count_points (self, replace_sealed (self, iter, merged, n, usage) - n_before, usage);
}

/* Adds the newest sealed chunk; one that continues the one before joins it. */
static void
add_sealed (MetricsSeries *self, MetricsChunk *chunk, MetricsUsage *usage)
{
  GSequenceIter *last;
  MetricsChunk *joined;

  if (self->sealed != NULL)
    {
      metrics_chunks_cool (self->sealed, usage);
      last = metrics_chunks_get_last (self->sealed);
      joined = metrics_chunk_join (g_sequence_get (last), chunk);
      if (joined != NULL)
        {
          metrics_chunks_replace (self->sealed, last, joined, usage);
          metrics_chunk_unref (chunk);
          return;
        }
    }
  usage->memory += metrics_chunk_get_size (chunk);
  metrics_chunks_insert (&self->sealed, NULL, chunk, usage);
}

static void
insert_single (MetricsSeries *self, GSequenceIter *iter, MetricsPoint point, MetricsUsage *usage)
{
  MetricsChunk *chunk = metrics_chunk_new (point, ROOM_OF_FIRST);

  usage->memory += metrics_chunk_get_size (chunk);
  iter = metrics_chunks_insert (&self->sealed, iter, chunk, usage);
  metrics_chunks_warm (self->sealed, iter, usage);
  count_points (self, 1, usage);
}

/* Puts a point into the open chunk, which has room for it or a point at its time. */
static void
put_open (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  gsize size = metrics_chunk_get_size (self->open);

  if (metrics_chunk_put (&self->open, point))
    count_points (self, 1, usage);
  count_open (self, size, usage);
}

/* Puts a point that is older than the open chunk. */
static void
put_late (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  GSequenceIter *next = self->sealed != NULL ? metrics_chunks_search (self->sealed, point.time) : NULL;
  gboolean next_is_open = next == NULL || g_sequence_iter_is_end (next);
  GSequenceIter *previous;

  if (!next_is_open && metrics_chunk_get_first_time (g_sequence_get (next)) <= point.time)
    {
      put_sealed (self, next, point, usage);
      return;
    }

  if (next != NULL && !g_sequence_iter_is_begin (next))
    {
      previous = g_sequence_iter_prev (next);
      if (!metrics_chunk_is_full (g_sequence_get (previous)))
        {
          put_sealed (self, previous, point, usage);
          return;
        }
    }
  if (next_is_open && !metrics_chunk_is_full (self->open))
    put_open (self, point, usage);
  else if (!next_is_open && !metrics_chunk_is_full (g_sequence_get (next)))
    put_sealed (self, next, point, usage);
  else
    insert_single (self, next, point, usage);
}

static void
begin_open (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  /* Where many have come, more will. */
  self->open = metrics_chunk_new (point, self->sealed != NULL ? ROOM_OF_NEXT : ROOM_OF_FIRST);
  count_open (self, 0, usage);
  count_points (self, 1, usage);
}

/* Makes room in a full open chunk for a point at @time, which it does not have; afterwards the point may be
 * older than the open chunk, or there may be none. */
static void
make_room (MetricsSeries *self, gint64 time, MetricsUsage *usage)
{
  while (self->open != NULL && metrics_chunk_is_full (self->open)
         && time >= metrics_chunk_get_first_time (self->open) && !metrics_chunk_widen (self->open, time))
    {
      gsize size = metrics_chunk_get_size (self->open);

      usage->work += METRICS_CODING_UNITS;
      if (metrics_chunk_is_wide (self->open))
        add_sealed (self, metrics_chunk_split (&self->open), usage);
      else
        {
          metrics_chunk_seal (&self->open);
          usage->memory -= size;
          add_sealed (self, g_steal_pointer (&self->open), usage);
        }
    }
}

/**
 * metrics_series_put:
 * @self: a series
 * @point: a point
 * @usage: where it is counted
 *
 * Puts a point, in place of the one that has its time.
 */
void
metrics_series_put (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  if (G_LIKELY (self->open != NULL) && metrics_chunk_append (self->open, point))
    {
      count_points (self, 1, usage);
      return;
    }

  if (self->open != NULL && metrics_chunk_is_full (self->open)
      && !metrics_chunk_contains (self->open, point.time))
    make_room (self, point.time, usage);

  if (self->open == NULL)
    begin_open (self, point, usage);
  else if (point.time >= metrics_chunk_get_first_time (self->open))
    put_open (self, point, usage);
  else
    put_late (self, point, usage);
}

/**
 * metrics_series_get_first_growth:
 *
 * Returns: how many bytes of memory the first point of a series takes
 */
gsize
metrics_series_get_first_growth (void)
{
  return metrics_chunk_get_min_size ();
}

/**
 * metrics_series_get_max_growth:
 *
 * Returns: how many bytes of memory putting one point to a series that has some can take at most
 */
gsize
metrics_series_get_max_growth (void)
{
  /* The worst is an open chunk whose times were regular, or a sealed one that a reader holds, too: the parts
   * into which it divides beside it. */
  return metrics_chunk_get_max_size () + METRICS_CHUNK_MAX_MERGED * metrics_chunk_get_min_size ()
         + metrics_chunks_get_max_growth ();
}

/**
 * metrics_series_get_growth:
 * @self: a series that has points
 * @time: the time of a point
 *
 * Returns: how many bytes of memory putting that point can take at most; 0 where it certainly takes none
 */
gsize
metrics_series_get_growth (const MetricsSeries *self, gint64 time)
{
  GSequenceIter *iter;

  if (time >= metrics_chunk_get_first_time (self->open))
    return metrics_chunk_contains (self->open, time) ? 0 : metrics_series_get_max_growth ();
  if (self->sealed == NULL)
    return metrics_series_get_max_growth ();

  /* Another value opens a sealed chunk, or divides it. */
  iter = metrics_chunks_search (self->sealed, time);
  if (g_sequence_iter_is_end (iter) || !metrics_chunk_contains (g_sequence_get (iter), time))
    return metrics_series_get_max_growth ();
  if (iter == self->sealed->warm)
    return 0;
  return metrics_chunk_get_max_sealed_size () + METRICS_CHUNK_MAX_MERGED * metrics_chunk_get_min_size ()
         + metrics_chunks_get_max_growth ();
}

/**
 * metrics_series_get_first_time:
 * @self: a series that has points
 *
 * Returns: the time of its oldest point
 */
gint64
metrics_series_get_first_time (const MetricsSeries *self)
{
  if (self->sealed == NULL)
    return metrics_chunk_get_first_time (self->open);
  return metrics_chunk_get_first_time (g_sequence_get (metrics_chunks_get_begin (self->sealed)));
}

/**
 * metrics_series_get_last_time:
 * @self: a series that has points
 *
 * Returns: the time of its newest point
 */
gint64
metrics_series_get_last_time (const MetricsSeries *self)
{
  return metrics_chunk_get_last_time (self->open);
}

/**
 * metrics_series_get_n_chunks:
 * @self: a series
 *
 * Returns: how many chunks it has
 */
guint
metrics_series_get_n_chunks (const MetricsSeries *self)
{
  return (self->sealed != NULL ? g_sequence_get_length (self->sealed->sequence) : 0)
         + (self->open != NULL ? 1 : 0);
}

static MetricsChunk *
hold_chunk (MetricsChunk *chunk, MetricsUsage *usage)
{
  MetricsChunk *copy;

  if (metrics_chunk_is_sealed (chunk))
    return metrics_chunk_ref (chunk);
  copy = metrics_chunk_copy (chunk);
  usage->memory += metrics_chunk_get_size (copy);
  return copy;
}

/**
 * metrics_series_get_max_copy:
 * @self: a series
 *
 * Returns: how many bytes of memory metrics_series_copy() can take: places of chunks, and those
 *   that are open
 */
gsize
metrics_series_get_max_copy (const MetricsSeries *self)
{
  return metrics_chunks_get_copy_size (metrics_series_get_n_chunks (self))
         + 2 * metrics_chunk_get_max_size ();
}

/**
 * metrics_series_copy:
 * @self: a series
 * @copy: (out caller-allocates): a series of the same points
 * @usage: where the memory that it takes is counted; its points are not
 *
 * Takes a copy that does not change when @self does. Sealed chunks are shared.
 */
void
metrics_series_copy (const MetricsSeries *self, MetricsSeries *copy, MetricsUsage *usage)
{
  *copy = (MetricsSeries){ .n_points = self->n_points };
  if (self->open != NULL)
    copy->open = hold_chunk (self->open, usage);
  if (self->sealed == NULL)
    return;
  for (GSequenceIter *iter = metrics_chunks_get_begin (self->sealed); !g_sequence_iter_is_end (iter);
       iter = g_sequence_iter_next (iter))
    metrics_chunks_insert (&copy->sealed, NULL, hold_chunk (g_sequence_get (iter), usage), usage);
}

/**
 * metrics_series_freeze:
 * @self: a series
 * @usage: where its memory is counted
 *
 * Seals the open chunks too: nothing may be put any more, and readers share all that there is.
 */
void
metrics_series_freeze (MetricsSeries *self, MetricsUsage *usage)
{
  gsize size;

  if (self->sealed != NULL)
    metrics_chunks_freeze (self->sealed, usage);
  if (self->open == NULL || metrics_chunk_is_sealed (self->open))
    return;
  size = metrics_chunk_get_size (self->open);
  metrics_chunk_freeze (&self->open);
  count_open (self, size, usage);
}

/**
 * metrics_series_collect:
 * @self: a series that has points
 * @from: the first time of a span
 * @to: its last time
 * @before: whether the newest point before @from is wanted as well
 * @chunks: (element-type MetricsChunk): where they go
 * @usage: where the memory of a copy is counted
 *
 * Takes hold of the chunks that have points of a span: references to sealed ones, a copy of the open one.
 */
void
metrics_series_collect (const MetricsSeries *self,
                        gint64 from,
                        gint64 to,
                        gboolean before,
                        GPtrArray *chunks,
                        MetricsUsage *usage)
{
  GSequenceIter *iter = NULL;
  MetricsChunk *chunk;

  if (self->sealed != NULL)
    {
      iter = metrics_chunks_search (self->sealed, from);
      chunk = g_sequence_iter_is_end (iter) ? self->open : g_sequence_get (iter);
      if (before && metrics_chunk_get_first_time (chunk) >= from && !g_sequence_iter_is_begin (iter))
        iter = g_sequence_iter_prev (iter);
      for (; !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
        {
          chunk = g_sequence_get (iter);
          if (metrics_chunk_get_first_time (chunk) > to)
            return;
          g_ptr_array_add (chunks, hold_chunk (chunk, usage));
        }
    }
  if (metrics_chunk_get_first_time (self->open) <= to && metrics_chunk_get_last_time (self->open) >= from)
    g_ptr_array_add (chunks, hold_chunk (self->open, usage));
}

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
 * Of the sealed chunks at most one is read, which is one of metrics_series_get_edges().
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

  n -= replace_sealed (self, iter, rest, n_rest, usage);
  count_points (self, -(gint64) n, usage);
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
  count_points (self, -(gint64) n_whole, usage);
  return n + n_whole;
}

/* Makes the newest sealed chunk the open one. */
static void
reopen (MetricsSeries *self, MetricsUsage *usage)
{
  GSequenceIter *last = metrics_chunks_get_last (self->sealed);
  MetricsChunk *rest;

  self->open = metrics_chunk_reopen (g_sequence_get (last), &rest);
  count_open (self, 0, usage);
  if (rest != NULL)
    metrics_chunks_replace (self->sealed, last, rest, usage);
  else
    metrics_chunks_drop (&self->sealed, last, usage);
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
  else
    {
      n = metrics_chunk_remove (&self->open, from, to);
      count_open (self, size, usage);
    }
  count_points (self, -(gint64) n, usage);
  return n;
}

/**
 * metrics_series_remove:
 * @self: a series that has points
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
    reopen (self, usage);
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
