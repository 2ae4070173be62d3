/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-gap.h"
#include "store/metrics-series-private.h"

#include <string.h>

/* Points mostly come in the order of time: they are appended to the open chunk, which is sealed when it is
 * full. A late point goes to the chunk whose span holds its time. In a gap between two chunks it goes to that
 * neighbour which has room, so that points which come in descending order fill chunks as well as those in
 * ascending order do; only where neither has room a new chunk begins. A gap has no room. */

/* For how many points there is room in a chunk that is begun, but the first. */
#define ROOM_OF_NEXT 32

/* Whether the newest of the sealed chunks is one that has left memory. */
static gboolean
is_behind_gap (const MetricsSeries *self)
{
  return self->sealed != NULL
         && metrics_chunk_is_gap (g_sequence_get (metrics_chunks_get_last (self->sealed)));
}

/**
 * metrics_series_replace_sealed:
 * @self: a series
 * @iter: the place of a chunk, which is dropped
 * @chunks: (transfer full) (array length=n): those that come in its place
 * @n: how many, at least one
 * @usage: where their memory is counted
 *
 * Returns: how many points they have
 */
gint64
metrics_series_replace_sealed (MetricsSeries *self,
                               GSequenceIter *iter,
                               MetricsChunk *const *chunks,
                               guint n,
                               MetricsUsage *usage)
{
  gint64 n_points = 0;

  g_assert (n > 0);

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

static void
merge_sealed (MetricsSeries *self, GSequenceIter *iter, MetricsPoint point, MetricsUsage *usage)
{
  MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED];
  MetricsChunk *chunk = g_sequence_get (iter);
  gint64 n_before = metrics_chunk_get_n_points (chunk);
  guint n = metrics_chunk_merge (chunk, point, merged);

  usage->work += METRICS_CODING_UNITS;
  metrics_series_count_points (self, metrics_series_replace_sealed (self, iter, merged, n, usage) - n_before,
                               usage);
}

/* Puts a point into one of the older chunks. It is opened for it, unless memory is short, or there is no
 * room. What is sent again costs nothing. */
static void
put_sealed (MetricsSeries *self, GSequenceIter *iter, MetricsPoint point, MetricsUsage *usage)
{
  const MetricsChunk *chunk = g_sequence_get (iter);
  gboolean is_warm = self->sealed->warm == iter;

  if (!is_warm && metrics_chunk_has (chunk, point))
    return;
  if ((usage->is_tight && !is_warm) || metrics_chunk_is_long (chunk)
      || (metrics_chunk_is_full (chunk) && !metrics_chunk_contains (chunk, point.time)))
    {
      merge_sealed (self, iter, point, usage);
      return;
    }
  metrics_chunks_warm (self->sealed, iter, usage);
  if (metrics_chunks_put (self->sealed, point, usage))
    metrics_series_count_points (self, 1, usage);
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
  MetricsChunk *chunk = metrics_chunk_new (point, METRICS_CHUNK_MIN_ROOM);

  usage->memory += metrics_chunk_get_size (chunk);
  iter = metrics_chunks_insert (&self->sealed, iter, chunk, usage);
  metrics_chunks_warm (self->sealed, iter, usage);
  metrics_series_count_points (self, 1, usage);
}

/* Puts a point into the open chunk, which has room for it or a point at its time. */
static void
put_open (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  gsize size = metrics_chunk_get_size (self->open);

  if (metrics_chunk_put (&self->open, point))
    metrics_series_count_points (self, 1, usage);
  metrics_series_count_open (self, size, usage);
}

/* Puts a point that is older than the open chunk. Returns: whether it does not lie in a gap */
static gboolean
put_late (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  GSequenceIter *next = self->sealed != NULL ? metrics_chunks_search (self->sealed, point.time) : NULL;
  gboolean next_is_open = next == NULL || g_sequence_iter_is_end (next);
  GSequenceIter *previous;

  if (!next_is_open && metrics_chunk_get_first_time (g_sequence_get (next)) <= point.time)
    {
      if (metrics_chunk_is_gap (g_sequence_get (next)))
        return FALSE;
      put_sealed (self, next, point, usage);
      return TRUE;
    }

  if (next != NULL && !g_sequence_iter_is_begin (next))
    {
      previous = g_sequence_iter_prev (next);
      if (!metrics_chunk_is_full (g_sequence_get (previous)))
        {
          put_sealed (self, previous, point, usage);
          return TRUE;
        }
    }
  if (next_is_open && !metrics_chunk_is_full (self->open))
    put_open (self, point, usage);
  else if (!next_is_open && !metrics_chunk_is_full (g_sequence_get (next)))
    put_sealed (self, next, point, usage);
  else
    insert_single (self, next, point, usage);
  return TRUE;
}

/* Returns: TRUE, as metrics_series_put() does */
G_GNUC_NO_INLINE static gboolean
begin_open (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  gboolean has_room = self->sealed != NULL && !is_behind_gap (self);

  /* Where many have come, more will; but behind a gap memory is short. */
  self->open = metrics_chunk_new (point, has_room ? ROOM_OF_NEXT : METRICS_CHUNK_MIN_ROOM);
  metrics_series_count_open (self, 0, usage);
  metrics_series_count_points (self, 1, usage);
  return TRUE;
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
        {
          MetricsChunk *older = metrics_chunk_split (&self->open);

          metrics_series_count_open (self, size, usage);
          add_sealed (self, older, usage);
        }
      else
        {
          metrics_chunk_seal (&self->open);
          usage->memory -= size;
          add_sealed (self, g_steal_pointer (&self->open), usage);
        }
    }
}

/* Makes the newest chunk, which is sealed, one that can be put into: where all newer ones were deleted, it is
 * opened. Behind a gap, another one has to begin. */
static void
open_newest (MetricsSeries *self, gint64 time, MetricsUsage *usage)
{
  MetricsChunk *chunk = self->open;
  MetricsChunk *rest;

  if (metrics_chunk_is_gap (chunk))
    {
      if (time > metrics_chunk_get_last_time (chunk))
        metrics_chunks_insert (&self->sealed, NULL, g_steal_pointer (&self->open), usage);
      return;
    }
  usage->work += METRICS_CODING_UNITS;
  self->open = metrics_chunk_reopen (chunk, &rest);
  metrics_series_count_open (self, 0, usage);
  usage->memory -= metrics_chunk_unref (chunk);
  if (rest != NULL)
    {
      usage->memory += metrics_chunk_get_size (rest);
      metrics_chunks_insert (&self->sealed, NULL, rest, usage);
    }
}

/* Puts a point that cannot be appended. It is apart since what it needs would cost those that can. */
G_GNUC_NO_INLINE static gboolean
put_elsewhere (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  if (self->open != NULL && metrics_chunk_is_sealed (self->open))
    {
      if (metrics_series_find_gap (self, point.time) != NULL)
        return FALSE;
      open_newest (self, point.time, usage);
    }
  if (self->open != NULL && metrics_chunk_is_full (self->open)
      && !metrics_chunk_contains (self->open, point.time))
    make_room (self, point.time, usage);

  if (self->open == NULL)
    return begin_open (self, point, usage);
  if (point.time >= metrics_chunk_get_first_time (self->open))
    put_open (self, point, usage);
  else
    return put_late (self, point, usage);
  return TRUE;
}

/**
 * metrics_series_put:
 * @self: a series
 * @point: a point
 * @usage: where it is counted
 *
 * Puts a point, in place of the one that has its time.
 *
 * Returns: whether it was put; %FALSE where its time lies in a gap, see metrics_series_find_gap(), and
 * nothing was changed
 */
gboolean
metrics_series_put (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  if (G_UNLIKELY (self->open == NULL))
    return begin_open (self, point, usage);
  if (!metrics_chunk_append (self->open, point))
    return put_elsewhere (self, point, usage);
  metrics_series_count_points (self, 1, usage);
  return TRUE;
}

/**
 * metrics_series_add_chunk:
 * @self: a series to which no point was put
 * @chunk: (transfer full): a sealed chunk of nobody else; stays with the caller where it is not taken
 * @usage: where it is counted
 *
 * Adds a chunk, which becomes the newest one, if it is behind all others.
 *
 * Returns: whether it is
 */
gboolean
metrics_series_add_chunk (MetricsSeries *self, MetricsChunk *chunk, MetricsUsage *usage)
{
  if (self->open != NULL)
    {
      if (!metrics_chunk_is_sealed (self->open)
          || metrics_chunk_get_first_time (chunk) <= metrics_chunk_get_last_time (self->open))
        return FALSE;
      metrics_chunks_insert (&self->sealed, NULL, self->open, usage);
    }
  self->open = chunk;
  metrics_series_count_open (self, 0, usage);
  metrics_series_count_points (self, metrics_chunk_get_n_points (chunk), usage);
  return TRUE;
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

/* How many bytes it takes to put a point into one of the older chunks in place of another. */
static gsize
get_merge_growth (const MetricsChunk *chunk, MetricsPoint point)
{
  MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED];
  guint n = metrics_chunk_merge (chunk, point, merged);
  gsize before = metrics_chunk_is_shared (chunk) ? 0 : metrics_chunk_get_size (chunk);
  gsize after = n > 1 ? metrics_chunks_get_max_growth () : 0;

  for (guint i = 0; i < n; i++)
    after += metrics_chunk_unref (merged[i]);
  return after > before ? after - before : 0;
}

/**
 * metrics_series_get_growth:
 * @self: a series that has points
 * @point: a point
 * @usage: where it would be counted; it has to be tight
 *
 * Returns: how many bytes of memory putting that point can take at most; 0 where it certainly takes none
 */
gsize
metrics_series_get_growth (const MetricsSeries *self, MetricsPoint point, MetricsUsage *usage)
{
  GSequenceIter *iter;
  MetricsChunk *chunk;

  if (point.time >= metrics_chunk_get_first_time (self->open))
    {
      if (metrics_chunk_is_sealed (self->open) || !metrics_chunk_contains (self->open, point.time))
        return metrics_series_get_max_growth ();
      return 0;
    }
  if (self->sealed == NULL || metrics_chunk_is_sealed (self->open))
    return metrics_series_get_max_growth ();

  iter = metrics_chunks_search (self->sealed, point.time);
  if (g_sequence_iter_is_end (iter))
    return metrics_series_get_max_growth ();
  chunk = g_sequence_get (iter);
  if (!metrics_chunk_contains (chunk, point.time))
    return metrics_series_get_max_growth ();
  if (iter == self->sealed->warm || metrics_chunk_has (chunk, point))
    return 0;
  usage->work += METRICS_CODING_UNITS;
  return get_merge_growth (chunk, point);
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
  metrics_series_count_open (self, size, usage);
}

/**
 * metrics_series_find:
 * @self: a series
 * @time: a time
 * @point: (out): its point
 *
 * Returns: whether there is one, and not in a gap
 */
gboolean
metrics_series_find (const MetricsSeries *self, gint64 time, MetricsPoint *point)
{
  const MetricsChunk *chunk = self->open;

  if (self->n_points == 0)
    return FALSE;
  if (self->sealed != NULL && metrics_chunk_get_first_time (chunk) > time)
    {
      GSequenceIter *iter = metrics_chunks_search (self->sealed, time);

      if (g_sequence_iter_is_end (iter))
        return FALSE;
      chunk = g_sequence_get (iter);
    }
  if (metrics_chunk_is_gap (chunk) || metrics_chunk_get_first_time (chunk) > time
      || metrics_chunk_get_last_time (chunk) < time)
    return FALSE;
  metrics_chunk_read (chunk, metrics_chunk_find (chunk, time), 1, point);
  return point->time == time;
}

/**
 * metrics_series_find_before:
 * @self: a series
 * @time: a time that lies in no gap, but as its first one
 * @before: (out): that of the last point before it
 *
 * Returns: whether there is one
 */
gboolean
metrics_series_find_before (const MetricsSeries *self, gint64 time, gint64 *before)
{
  const MetricsChunk *chunk = self->open;
  MetricsPoint point;

  if (self->n_points == 0 || metrics_series_get_first_time (self) >= time)
    return FALSE;
  if (metrics_chunk_get_first_time (chunk) >= time)
    {
      GSequenceIter *iter = metrics_chunks_search (self->sealed, time);

      if (g_sequence_iter_is_end (iter) || metrics_chunk_get_first_time (g_sequence_get (iter)) >= time)
        iter = g_sequence_iter_prev (iter);
      chunk = g_sequence_get (iter);
    }
  *before = metrics_chunk_get_last_time (chunk);
  if (*before < time)
    return TRUE;
  metrics_chunk_read (chunk, metrics_chunk_find (chunk, time) - 1, 1, &point);
  *before = point.time;
  return TRUE;
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
