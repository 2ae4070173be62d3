/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk.h"

#include "store/metrics-memory.h"

#include <string.h>

/* Some hundred points of one series, ascending by time, each time once.
 *
 * A chunk is open or sealed. An open one belongs to one owner, who may change it; a sealed one never changes,
 * so that any number of readers may hold it, on other threads too. How the points lie in memory is known here
 * alone: readers take windows of them. */

#define MAX_POINTS METRICS_CHUNK_WINDOW
#define MIN_CAPACITY 2

struct _MetricsChunk
{
  gatomicrefcount ref_count;
  guint n_points;
  guint capacity; /* how many points there is room for */
  gboolean sealed;
  MetricsPoint points[]; /* (array length=n_points) */
};

static gsize
size_of (guint capacity)
{
  return sizeof (MetricsChunk) + capacity * sizeof (MetricsPoint);
}

/* A chunk without points, and with room for @capacity of them. */
static MetricsChunk *
chunk_alloc (guint capacity, gboolean sealed)
{
  MetricsChunk *self = g_malloc (size_of (capacity));

  g_atomic_ref_count_init (&self->ref_count);
  self->n_points = 0;
  self->capacity = capacity;
  self->sealed = sealed;
  return self;
}

static void
chunk_resize (MetricsChunk **self, guint capacity)
{
  *self = g_realloc (*self, size_of (capacity));
  (*self)->capacity = capacity;
}

static void
chunk_add (MetricsChunk *self, const MetricsPoint *points, guint n)
{
  g_assert (self->n_points + n <= self->capacity);

  memcpy (self->points + self->n_points, points, n * sizeof *points);
  self->n_points += n;
}

/* Index of the first point at or after @time. */
static guint
chunk_search (const MetricsChunk *self, gint64 time)
{
  guint low = 0;
  guint high = self->n_points;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (self->points[middle].time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Index of the first point after @time. */
static guint
chunk_search_after (const MetricsChunk *self, gint64 time)
{
  return time == G_MAXINT64 ? self->n_points : chunk_search (self, time + 1);
}

static gboolean
is_at (const MetricsChunk *self, guint index, gint64 time)
{
  return index < self->n_points && self->points[index].time == time;
}

/**
 * metrics_chunk_new:
 * @point: its first point
 *
 * Returns: (transfer full): an open chunk of one point
 */
MetricsChunk *
metrics_chunk_new (MetricsPoint point)
{
  MetricsChunk *self = chunk_alloc (MIN_CAPACITY, FALSE);

  chunk_add (self, &point, 1);
  return self;
}

/**
 * metrics_chunk_copy:
 * @self: a chunk
 *
 * Returns: (transfer full): a sealed chunk of the same points
 */
MetricsChunk *
metrics_chunk_copy (const MetricsChunk *self)
{
  MetricsChunk *copy = chunk_alloc (self->n_points, TRUE);

  chunk_add (copy, self->points, self->n_points);
  return copy;
}

/**
 * metrics_chunk_reopen:
 * @self: a chunk
 *
 * Returns: (transfer full): an open chunk of the same points
 */
MetricsChunk *
metrics_chunk_reopen (const MetricsChunk *self)
{
  MetricsChunk *copy = metrics_chunk_copy (self);

  copy->sealed = FALSE;
  return copy;
}

/**
 * metrics_chunk_ref:
 * @self: a sealed chunk
 *
 * Returns: (transfer full): the same chunk
 */
MetricsChunk *
metrics_chunk_ref (MetricsChunk *self)
{
  g_assert (self->sealed);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * metrics_chunk_unref:
 * @self: (transfer full): a chunk
 *
 * Returns: how many bytes of memory that gave back: none where others hold it still
 */
gsize
metrics_chunk_unref (MetricsChunk *self)
{
  gsize size = metrics_chunk_get_size (self);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return 0;
  g_free (self);
  return size;
}

/**
 * metrics_chunk_is_sealed:
 * @self: a chunk
 *
 * Returns: whether it never changes again
 */
gboolean
metrics_chunk_is_sealed (const MetricsChunk *self)
{
  return self->sealed;
}

/**
 * metrics_chunk_is_shared:
 * @self: a chunk
 *
 * Returns: whether somebody else than the caller holds it too
 */
gboolean
metrics_chunk_is_shared (const MetricsChunk *self)
{
  return !g_atomic_ref_count_compare ((gatomicrefcount *) &self->ref_count, 1);
}

/**
 * metrics_chunk_is_full:
 * @self: a chunk
 *
 * Returns: whether one point more would make two of it
 */
gboolean
metrics_chunk_is_full (const MetricsChunk *self)
{
  return self->n_points >= MAX_POINTS;
}

/**
 * metrics_chunk_get_size:
 * @self: a chunk
 *
 * Returns: how many bytes of memory it takes
 */
gsize
metrics_chunk_get_size (const MetricsChunk *self)
{
  return metrics_memory_of (size_of (self->capacity));
}

/**
 * metrics_chunk_get_min_size:
 *
 * Returns: how many bytes of memory an open chunk of one point takes
 */
gsize
metrics_chunk_get_min_size (void)
{
  return metrics_memory_of (size_of (MIN_CAPACITY));
}

/**
 * metrics_chunk_get_max_size:
 *
 * Returns: how many bytes of memory a chunk takes at most
 */
gsize
metrics_chunk_get_max_size (void)
{
  return metrics_memory_of (size_of (MAX_POINTS));
}

/**
 * metrics_chunk_get_n_points:
 * @self: a chunk
 *
 * Returns: how many points it has, at least one
 */
guint64
metrics_chunk_get_n_points (const MetricsChunk *self)
{
  return self->n_points;
}

/**
 * metrics_chunk_get_first_time:
 * @self: a chunk
 *
 * Returns: the time of its oldest point
 */
gint64
metrics_chunk_get_first_time (const MetricsChunk *self)
{
  return self->points[0].time;
}

/**
 * metrics_chunk_get_last_time:
 * @self: a chunk
 *
 * Returns: the time of its newest point
 */
gint64
metrics_chunk_get_last_time (const MetricsChunk *self)
{
  return self->points[self->n_points - 1].time;
}

/**
 * metrics_chunk_find:
 * @self: a chunk
 * @time: a time
 *
 * Returns: the index of its first point at or after @time; the number of points where there is none
 */
guint64
metrics_chunk_find (const MetricsChunk *self, gint64 time)
{
  return chunk_search (self, time);
}

/**
 * metrics_chunk_contains:
 * @self: a chunk
 * @time: a time
 *
 * Returns: whether it has a point at @time
 */
gboolean
metrics_chunk_contains (const MetricsChunk *self, gint64 time)
{
  return is_at (self, chunk_search (self, time), time);
}

/**
 * metrics_chunk_read:
 * @self: a chunk
 * @start: index of the first point wanted
 * @n: how many, at most %METRICS_CHUNK_WINDOW; all of them have to exist
 * @points: (out caller-allocates) (array length=n): where they go
 *
 * Reads a window of its points.
 */
void
metrics_chunk_read (const MetricsChunk *self, guint64 start, guint n, MetricsPoint *points)
{
  g_assert (n <= METRICS_CHUNK_WINDOW && start + n <= self->n_points);

  memcpy (points, self->points + start, n * sizeof *points);
}

/**
 * metrics_chunk_append:
 * @self: an open chunk
 * @point: a point
 *
 * Puts a point behind all others, where that takes no more than writing it.
 *
 * Returns: %FALSE where the point is not the newest one or there is no room for it; nothing is done then
 */
gboolean
metrics_chunk_append (MetricsChunk *self, MetricsPoint point)
{
  g_assert (!self->sealed);

  if (self->n_points == self->capacity || point.time <= self->points[self->n_points - 1].time)
    return FALSE;
  self->points[self->n_points++] = point;
  return TRUE;
}

/**
 * metrics_chunk_put:
 * @self: (inout): an open chunk; not a full one, unless it has a point at that time
 * @point: a point
 *
 * Puts a point where it belongs, in place of the one that has its time.
 *
 * Returns: whether there is one point more
 */
gboolean
metrics_chunk_put (MetricsChunk **self, MetricsPoint point)
{
  MetricsChunk *chunk = *self;
  guint index = chunk_search (chunk, point.time);

  g_assert (!chunk->sealed);

  if (is_at (chunk, index, point.time))
    {
      chunk->points[index].value = point.value;
      return FALSE;
    }

  g_assert (!metrics_chunk_is_full (chunk));
  if (chunk->n_points == chunk->capacity)
    {
      chunk_resize (self, MIN (chunk->capacity * 2, MAX_POINTS));
      chunk = *self;
    }
  memmove (chunk->points + index + 1, chunk->points + index,
           (chunk->n_points - index) * sizeof (MetricsPoint));
  chunk->points[index] = point;
  chunk->n_points++;
  return TRUE;
}

/**
 * metrics_chunk_remove:
 * @self: (inout): an open chunk
 * @from: the first time that goes
 * @to: the last time that goes; at least one point has to be outside
 *
 * Removes the points of a span, and gives back the room that they took.
 *
 * Returns: how many there were
 */
guint64
metrics_chunk_remove (MetricsChunk **self, gint64 from, gint64 to)
{
  MetricsChunk *chunk = *self;
  guint start = chunk_search (chunk, from);
  guint end = chunk_search_after (chunk, to);

  g_assert (!chunk->sealed && end - start < chunk->n_points);

  if (start >= end)
    return 0;
  memmove (chunk->points + start, chunk->points + end, (chunk->n_points - end) * sizeof (MetricsPoint));
  chunk->n_points -= end - start;
  chunk_resize (self, MAX (chunk->n_points, MIN_CAPACITY));
  return end - start;
}

/**
 * metrics_chunk_seal:
 * @self: (inout): an open chunk
 *
 * Makes it one that never changes again, and gives back the room that it does not need.
 */
void
metrics_chunk_seal (MetricsChunk **self)
{
  g_assert (!(*self)->sealed);

  if ((*self)->capacity > (*self)->n_points)
    chunk_resize (self, (*self)->n_points);
  (*self)->sealed = TRUE;
}

/**
 * metrics_chunk_split:
 * @self: (inout): an open chunk of at least two points
 *
 * Takes the older half of its points out.
 *
 * Returns: (transfer full): a sealed chunk of them
 */
MetricsChunk *
metrics_chunk_split (MetricsChunk **self)
{
  MetricsChunk *chunk = *self;
  guint n_older = chunk->n_points / 2;
  MetricsChunk *older = chunk_alloc (n_older, TRUE);

  g_assert (!chunk->sealed && n_older > 0);

  chunk_add (older, chunk->points, n_older);
  chunk->n_points -= n_older;
  memmove (chunk->points, chunk->points + n_older, chunk->n_points * sizeof (MetricsPoint));
  chunk_resize (self, chunk->n_points);
  return older;
}

/* A sealed chunk of the points of @self from @start to before @end, and @point before the one at @index where
 * @index is among them; that one itself is left out where @replace. */
static MetricsChunk *
merge_part (const MetricsChunk *self,
            guint start,
            guint end,
            guint index,
            gboolean replace,
            MetricsPoint point)
{
  MetricsChunk *part;

  if (index < start || index > end)
    {
      part = chunk_alloc (end - start, TRUE);
      chunk_add (part, self->points + start, end - start);
      return part;
    }
  part = chunk_alloc (end - start + (replace ? 0 : 1), TRUE);
  chunk_add (part, self->points + start, index - start);
  chunk_add (part, &point, 1);
  if (replace)
    index++;
  chunk_add (part, self->points + index, end - index);
  return part;
}

/**
 * metrics_chunk_merge:
 * @self: a sealed chunk
 * @point: a point
 * @merged: (out caller-allocates) (transfer full) (array fixed-size=2): where the new chunks go
 *
 * Puts a point where it belongs, in place of the one that has its time: into new chunks, for @self does not
 * change.
 *
 * Returns: how many sealed chunks hold the points now: one, or two where one would be too large
 */
guint
metrics_chunk_merge (const MetricsChunk *self, MetricsPoint point, MetricsChunk *merged[2])
{
  guint n = self->n_points;
  guint index = chunk_search (self, point.time);
  gboolean replace = is_at (self, index, point.time);
  guint middle = n / 2;

  if (replace || n < MAX_POINTS)
    {
      merged[0] = merge_part (self, 0, n, index, replace, point);
      return 1;
    }
  merged[0] = merge_part (self, 0, middle, index, FALSE, point);
  /* The point goes into one of them; where it stands between the two, into the first. */
  merged[1] = merge_part (self, middle, n, index == middle ? n + 1 : index, FALSE, point);
  return 2;
}

/**
 * metrics_chunk_without:
 * @self: a chunk
 * @from: the first time that goes
 * @to: the last time that goes
 *
 * Returns: (transfer full) (nullable): a sealed chunk of the points outside that span, or %NULL where there
 * are none
 */
MetricsChunk *
metrics_chunk_without (const MetricsChunk *self, gint64 from, gint64 to)
{
  guint start = chunk_search (self, from);
  guint end = chunk_search_after (self, to);
  MetricsChunk *rest;

  if (end - start == self->n_points)
    return NULL;
  rest = chunk_alloc (self->n_points - (end - start), TRUE);
  chunk_add (rest, self->points, start);
  chunk_add (rest, self->points + end, self->n_points - end);
  return rest;
}
