/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-private.h"

/* Open chunks: points are put into them and taken out. */

/* For how many points there is room next: half as many more, so that little is wasted, in steps of two, for
 * memory comes in steps of sixteen bytes. */
static guint32
get_next_room (guint32 room, guint32 max)
{
  return MIN ((room + MAX (room / 2, 2)) & ~1U, max);
}

static void
grow (MetricsChunk **self)
{
  guint32 max = (*self)->wide ? METRICS_CHUNK_MAX_WIDE_POINTS : METRICS_CHUNK_MAX_POINTS;

  if ((*self)->n_points == (*self)->room)
    metrics_chunk_resize (self, get_next_room ((*self)->room, max));
}

/**
 * metrics_chunk_append:
 * @self: a chunk
 * @point: a point
 *
 * Puts a point behind all others, where that takes no more than writing it.
 *
 * Returns: %FALSE where the point is not the newest one, there is no room for it, or the chunk is sealed;
 * nothing is done then
 */
gboolean
metrics_chunk_append (MetricsChunk *self, MetricsPoint point)
{
  if (self->n_points == self->room || self->sealed || point.time <= self->last_time)
    return FALSE;
  if (self->kind == METRICS_CHUNK_PLAIN)
    metrics_chunk_get_points (self)[self->n_points] = point;
  else
    {
      guint64 distance = (guint64) point.time - (guint64) self->last_time;

      if (G_UNLIKELY (distance != *metrics_chunk_get_step (self)))
        {
          if (self->n_points > 1)
            return FALSE;
          *metrics_chunk_get_step (self) = distance;
        }
      metrics_chunk_get_values (self)[self->n_points] = point.value;
    }
  self->n_points++;
  self->last_time = point.time;
  self->kept = METRICS_CHUNK_NOT_KEPT;
  return TRUE;
}

/* Sets the value of the point at @index. */
static void
set_value (MetricsChunk *self, guint index, double value)
{
  if (self->kind == METRICS_CHUNK_REGULAR)
    metrics_chunk_get_values (self)[index] = value;
  else
    metrics_chunk_get_points (self)[index].value = value;
}

/* Whether the point at @index, if there is one, is at @time. */
static gboolean
is_at (MetricsChunk *self, guint index, gint64 time)
{
  if (index == self->n_points)
    return FALSE;
  if (self->kind == METRICS_CHUNK_PLAIN)
    return metrics_chunk_get_points (self)[index].time == time;
  return (guint64) self->first_time + index * *metrics_chunk_get_step (self) == (guint64) time;
}

/* Whether the step stays regular with a point more, at one end. */
static gboolean
keeps_step (MetricsChunk *self, gint64 time)
{
  guint64 distance = time > self->last_time ? (guint64) time - (guint64) self->last_time
                                            : (guint64) self->first_time - (guint64) time;

  if (time > self->first_time && time < self->last_time)
    return FALSE;
  if (self->n_points == 1)
    *metrics_chunk_get_step (self) = distance;
  return distance == *metrics_chunk_get_step (self);
}

/* From a regular step to plain points. */
static void
make_plain (MetricsChunk **self)
{
  MetricsChunk *old = *self;
  MetricsChunk *chunk = metrics_chunk_alloc (METRICS_CHUNK_PLAIN, old->room);
  MetricsPoint *points = metrics_chunk_get_points (chunk);
  const double *values = metrics_chunk_get_values (old);
  guint64 time = (guint64) old->first_time;

  for (guint i = 0; i < old->n_points; i++, time += *metrics_chunk_get_step (old))
    points[i] = (MetricsPoint){ .time = (gint64) time, .value = values[i] };
  chunk->n_points = old->n_points;
  chunk->first_time = old->first_time;
  chunk->last_time = old->last_time;
  chunk->wide = old->wide;
  chunk->late = old->late;
  g_free (old);
  *self = chunk;
}

static void
insert (MetricsChunk *self, guint index, MetricsPoint point)
{
  guint n_after = self->n_points - index;

  if (self->kind == METRICS_CHUNK_REGULAR)
    {
      double *values = metrics_chunk_get_values (self) + index;

      memmove (values + 1, values, n_after * sizeof *values);
      *values = point.value;
    }
  else
    {
      MetricsPoint *points = metrics_chunk_get_points (self) + index;

      memmove (points + 1, points, n_after * sizeof *points);
      *points = point;
    }
  self->n_points++;
  self->first_time = MIN (self->first_time, point.time);
  self->last_time = MAX (self->last_time, point.time);
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
  guint index = metrics_chunk_find (*self, point.time);

  g_assert (!(*self)->sealed);

  (*self)->kept = METRICS_CHUNK_NOT_KEPT;
  if (is_at (*self, index, point.time))
    {
      set_value (*self, index, point.value);
      return FALSE;
    }

  g_assert (!metrics_chunk_is_full (*self));
  if ((*self)->kind == METRICS_CHUNK_REGULAR && !keeps_step (*self, point.time))
    make_plain (self);
  grow (self);
  insert (*self, index, point);
  if (index < (*self)->n_points - 1)
    (*self)->late = TRUE;
  return TRUE;
}

/* Removes points at an end, so that the others stay at a regular step. */
static void
remove_end (MetricsChunk *self, guint start, guint end)
{
  double *values = metrics_chunk_get_values (self);
  guint64 step = *metrics_chunk_get_step (self);

  if (start == 0)
    {
      memmove (values, values + end, (self->n_points - end) * sizeof *values);
      self->first_time = (gint64) ((guint64) self->first_time + end * step);
    }
  self->n_points -= end - start;
  self->last_time = (gint64) ((guint64) self->first_time + (self->n_points - 1) * step);
}

/* Sets the times at the ends anew. */
static void
find_ends (MetricsChunk *self)
{
  gint64 time;

  metrics_chunk_read_apart (self, self->n_points - 1, 1, &time, NULL);
  self->last_time = time;
  metrics_chunk_read_apart (self, 0, 1, &time, NULL);
  self->first_time = time;
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
  guint start = metrics_chunk_find (*self, from);
  guint end = to == G_MAXINT64 ? (*self)->n_points : metrics_chunk_find (*self, to + 1);
  MetricsPoint *points;

  g_assert (!(*self)->sealed && end - start < (*self)->n_points);

  if (start >= end)
    return 0;
  (*self)->kept = METRICS_CHUNK_NOT_KEPT;
  if ((*self)->kind == METRICS_CHUNK_REGULAR && start > 0 && end < (*self)->n_points)
    make_plain (self);
  if ((*self)->kind == METRICS_CHUNK_REGULAR)
    remove_end (*self, start, end);
  else
    {
      points = metrics_chunk_get_points (*self);
      memmove (points + start, points + end, ((*self)->n_points - end) * sizeof *points);
      (*self)->n_points -= end - start;
      find_ends (*self);
    }
  metrics_chunk_resize (self, MAX ((*self)->n_points, METRICS_CHUNK_MIN_ROOM));
  return end - start;
}

/**
 * metrics_chunk_is_wide:
 * @self: an open chunk
 *
 * Returns: whether it takes more points than are sealed together: when it is full, it has to be split
 */
gboolean
metrics_chunk_is_wide (const MetricsChunk *self)
{
  return self->wide;
}

/**
 * metrics_chunk_widen:
 * @self: an open chunk that is full
 * @time: of a point that it does not have
 *
 * Lets it take more points than are sealed together, where late points come: so that the next ones find their
 * place open, and nothing that was coded has to be coded again.
 *
 * Returns: whether it does, and is not full any more
 */
gboolean
metrics_chunk_widen (MetricsChunk *self, gint64 time)
{
  if (self->wide || (time > self->last_time && !self->late))
    return FALSE;
  self->wide = TRUE;
  return TRUE;
}

/**
 * metrics_chunk_split:
 * @self: (inout): an open chunk that is wide and full
 *
 * Takes the older half of its points out. It stays wide if late points came since it was split the last time.
 *
 * Returns: (transfer full): a sealed chunk of them
 */
MetricsChunk *
metrics_chunk_split (MetricsChunk **self)
{
  const guint n = METRICS_CHUNK_MAX_POINTS;
  gint64 times[METRICS_CHUNK_MAX_POINTS];
  double values[METRICS_CHUNK_MAX_POINTS];
  MetricsChunk *chunk = *self;

  g_assert (!chunk->sealed && chunk->n_points > n);

  metrics_chunk_read_apart (chunk, 0, n, times, values);
  if (chunk->kind == METRICS_CHUNK_REGULAR)
    {
      double *rest = metrics_chunk_get_values (chunk);

      memmove (rest, rest + n, (chunk->n_points - n) * sizeof *rest);
      chunk->first_time = (gint64) ((guint64) times[0] + n * *metrics_chunk_get_step (chunk));
    }
  else
    {
      MetricsPoint *rest = metrics_chunk_get_points (chunk);

      memmove (rest, rest + n, (chunk->n_points - n) * sizeof *rest);
      chunk->first_time = rest[0].time;
    }
  chunk->n_points -= n;
  chunk->kept = METRICS_CHUNK_NOT_KEPT;
  chunk->wide = chunk->late;
  chunk->late = FALSE;
  /* Only as many are appended as there is room for. */
  if (!chunk->wide && chunk->room > METRICS_CHUNK_MAX_POINTS)
    metrics_chunk_resize (self, METRICS_CHUNK_MAX_POINTS);
  return metrics_chunk_encode (times, values, n);
}

/**
 * metrics_chunk_freeze:
 * @self: (inout): an open chunk
 *
 * Makes it one that never changes again, for a moment: it is not coded.
 */
void
metrics_chunk_freeze (MetricsChunk **self)
{
  g_assert (!(*self)->sealed);

  if ((*self)->room > (*self)->n_points)
    metrics_chunk_resize (self, (*self)->n_points);
  (*self)->sealed = TRUE;
}

/**
 * metrics_chunk_seal:
 * @self: (inout): an open chunk that is not wide
 *
 * Makes it one that never changes again, in as few bytes as its points need. What is on disk of it stays so.
 */
void
metrics_chunk_seal (MetricsChunk **self)
{
  gint64 times[METRICS_CHUNK_MAX_POINTS];
  double values[METRICS_CHUNK_MAX_POINTS];
  MetricsChunk *chunk = *self;

  g_assert (!chunk->sealed && chunk->n_points <= METRICS_CHUNK_MAX_POINTS);

  metrics_chunk_read_apart (chunk, 0, chunk->n_points, times, values);
  *self = metrics_chunk_encode (times, values, chunk->n_points);
  (*self)->kept = chunk->kept;
  g_free (chunk);
}
