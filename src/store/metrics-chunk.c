/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-private.h"

#include "store/metrics-memory.h"

/* Some hundred points of one series, ascending by time, each time once.
 *
 * A chunk is open or sealed. An open one belongs to one owner, who may change it; a sealed one never changes,
 * so that any number of readers may hold it, on other threads too. How the points lie in memory is known here
 * alone, and in the two files beside for open chunks and for sealed ones: readers take windows of them.
 *
 * As long as the times of an open chunk are at a regular step, only the values are there, 8 bytes a point;
 * with the first time that is not they become points of 16 bytes. What is sealed for good is coded. Copies
 * that are made for readers of an open chunk are sealed as they are: they last for a moment.
 *
 * A gap stands for chunks that are on disk alone. It has a span and a number of points, and is sealed; its
 * points are not there to be read. */

static gsize
size_of (MetricsChunkKind kind, guint32 room)
{
  switch (kind)
    {
    case METRICS_CHUNK_REGULAR:
      return sizeof (MetricsChunk) + sizeof (gint64) + room * sizeof (double);
    case METRICS_CHUNK_PLAIN:
      return sizeof (MetricsChunk) + room * sizeof (MetricsPoint);
    case METRICS_CHUNK_CODED:
      return sizeof (MetricsChunk) + room;
    case METRICS_CHUNK_GAP:
      return sizeof (MetricsChunk) + sizeof (guint64);
    }
  g_assert_not_reached ();
}

/**
 * metrics_chunk_alloc:
 * @kind: how its points lie in memory
 * @room: how many points it has room for; for a coded one, how many bytes
 *
 * Returns: (transfer full): an open chunk without points, whose times are not set
 */
MetricsChunk *
metrics_chunk_alloc (MetricsChunkKind kind, guint32 room)
{
  MetricsChunk *self = g_malloc (size_of (kind, room));

  g_atomic_ref_count_init (&self->ref_count);
  self->n_points = 0;
  self->room = room;
  self->kind = kind;
  self->sealed = self->wide = self->late = FALSE;
  self->kept = METRICS_CHUNK_NOT_KEPT;
  return self;
}

/**
 * metrics_chunk_resize:
 * @self: (inout): a chunk
 * @room: how many points it is to have room for, not less than it has; for a coded one, how many bytes
 */
void
metrics_chunk_resize (MetricsChunk **self, guint32 room)
{
  *self = g_realloc (*self, size_of ((*self)->kind, room));
  (*self)->room = room;
}

/**
 * metrics_chunk_encode:
 * @times: (array length=n): times, ascending, each once
 * @values: (array length=n): values
 * @n: how many, 1 to %METRICS_CHUNK_MAX_POINTS
 *
 * Returns: (transfer full): a sealed chunk of those points
 */
MetricsChunk *
metrics_chunk_encode (const gint64 *times, const double *values, guint n)
{
  guint8 code[METRICS_CODING_MAX_SIZE (METRICS_CHUNK_MAX_POINTS)];
  gsize size = metrics_coding_encode (code, times, values, n);
  MetricsChunk *self = metrics_chunk_alloc (METRICS_CHUNK_CODED, size);

  memcpy (self->data, code, size);
  self->n_points = n;
  self->first_time = times[0];
  self->last_time = times[n - 1];
  self->sealed = TRUE;
  return self;
}

/**
 * metrics_chunk_open_code:
 * @self: a coded chunk
 * @coded: (out caller-allocates): its block
 */
void
metrics_chunk_open_code (const MetricsChunk *self, MetricsCoded *coded)
{
  gboolean is_code = metrics_coding_open (coded, (const guint8 *) self->data, self->room);

  g_assert (is_code);
}

/**
 * metrics_chunk_new:
 * @point: its first point
 * @room: for how many points there is to be room, at least one
 *
 * Returns: (transfer full): an open chunk of one point
 */
MetricsChunk *
metrics_chunk_new (MetricsPoint point, guint room)
{
  MetricsChunk *self = metrics_chunk_alloc (METRICS_CHUNK_REGULAR, room);

  *metrics_chunk_get_step (self) = 0;
  metrics_chunk_get_values (self)[0] = point.value;
  self->n_points = 1;
  self->first_time = self->last_time = point.time;
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
  guint32 room = self->kind == METRICS_CHUNK_CODED ? self->room : self->n_points;
  MetricsChunk *copy = metrics_chunk_alloc (self->kind, room);

  memcpy (copy->data, self->data, size_of (self->kind, room) - sizeof (MetricsChunk));
  copy->n_points = self->n_points;
  copy->first_time = self->first_time;
  copy->last_time = self->last_time;
  copy->sealed = TRUE;
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
 * metrics_chunk_is_gap:
 * @self: a chunk
 *
 * Returns: whether it stands for chunks that are on disk alone: nothing but its span and its number of points
 *   can be asked for
 */
gboolean
metrics_chunk_is_gap (const MetricsChunk *self)
{
  return self->kind == METRICS_CHUNK_GAP;
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
 * Returns: whether one point more would make more than one of it; a gap takes none
 */
gboolean
metrics_chunk_is_full (const MetricsChunk *self)
{
  return self->kind == METRICS_CHUNK_GAP
         || self->n_points >= (self->wide ? METRICS_CHUNK_MAX_WIDE_POINTS : METRICS_CHUNK_MAX_POINTS);
}

/**
 * metrics_chunk_is_long:
 * @self: a chunk
 *
 * Returns: whether it has more points than are sealed together: one of one value at a regular step, or a wide
 * one
 */
gboolean
metrics_chunk_is_long (const MetricsChunk *self)
{
  return self->n_points > METRICS_CHUNK_MAX_POINTS;
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
  return metrics_memory_of (size_of (self->kind, self->room));
}

/**
 * metrics_chunk_get_min_size:
 *
 * Returns: how many bytes of memory an open chunk of one point takes
 */
gsize
metrics_chunk_get_min_size (void)
{
  return metrics_memory_of (size_of (METRICS_CHUNK_REGULAR, METRICS_CHUNK_MIN_ROOM));
}

/**
 * metrics_chunk_get_max_size:
 *
 * Returns: how many bytes of memory a chunk takes at most
 */
gsize
metrics_chunk_get_max_size (void)
{
  return metrics_memory_of (size_of (METRICS_CHUNK_PLAIN, METRICS_CHUNK_MAX_WIDE_POINTS));
}

/**
 * metrics_chunk_get_max_sealed_size:
 *
 * Returns: how many bytes of memory a sealed chunk takes at most
 */
gsize
metrics_chunk_get_max_sealed_size (void)
{
  return metrics_memory_of (size_of (METRICS_CHUNK_CODED,
                                     METRICS_CODING_MAX_SIZE (METRICS_CHUNK_MAX_POINTS)));
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
  return self->kind == METRICS_CHUNK_GAP ? (guint64) self->data[0] : self->n_points;
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
  return self->first_time;
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
  return self->last_time;
}

static guint64
find_regular (const MetricsChunk *self, gint64 time)
{
  guint64 distance = (guint64) time - (guint64) self->first_time;
  guint64 step = self->data[0];

  return distance == 0 ? 0 : distance / step + (distance % step != 0 ? 1 : 0);
}

static guint64
find_plain (const MetricsChunk *self, gint64 time)
{
  const MetricsPoint *points = metrics_chunk_get_points (self);
  guint low = 0;
  guint high = self->n_points;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (points[middle].time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
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
  MetricsCoded coded;

  if (time <= self->first_time)
    return 0;
  if (time > self->last_time)
    return self->n_points;
  switch ((MetricsChunkKind) self->kind)
    {
    case METRICS_CHUNK_REGULAR:
      return find_regular (self, time);
    case METRICS_CHUNK_PLAIN:
      return find_plain (self, time);
    case METRICS_CHUNK_CODED:
      metrics_chunk_open_code (self, &coded);
      return metrics_coding_find (&coded, time);
    case METRICS_CHUNK_GAP:
      break;
    }
  g_assert_not_reached ();
}

/**
 * metrics_chunk_has:
 * @self: a chunk
 * @point: a point
 *
 * Returns: whether it has that point, its value the same to the bit
 */
gboolean
metrics_chunk_has (const MetricsChunk *self, MetricsPoint point)
{
  guint64 index = metrics_chunk_find (self, point.time);
  gint64 time;
  double value;

  if (index == self->n_points)
    return FALSE;
  metrics_chunk_read_apart (self, index, 1, &time, &value);
  return time == point.time && memcmp (&value, &point.value, sizeof value) == 0;
}

/**
 * metrics_chunk_contains:
 * @self: a chunk
 * @time: a time
 *
 * Returns: whether it has a point at @time, and the point is in memory
 */
gboolean
metrics_chunk_contains (const MetricsChunk *self, gint64 time)
{
  guint64 index;
  gint64 found;

  if (self->kind == METRICS_CHUNK_GAP)
    return FALSE;
  index = metrics_chunk_find (self, time);
  if (index == self->n_points)
    return FALSE;
  metrics_chunk_read_apart (self, index, 1, &found, NULL);
  return found == time;
}

static void
read_coded (const MetricsChunk *self, guint64 start, guint n, gint64 *times, double *values)
{
  MetricsCoded coded;

  metrics_chunk_open_code (self, &coded);
  metrics_coding_read_times (&coded, start, n, times);
  if (values != NULL)
    metrics_coding_read_values (&coded, start, n, values);
}

/**
 * metrics_chunk_read_apart:
 * @self: a chunk
 * @start: index of the first point wanted
 * @n: how many; all of them have to exist
 * @times: (out caller-allocates) (array length=n): where their times go
 * @values: (out caller-allocates) (array length=n) (optional): where their values go
 *
 * Reads a window of its points.
 */
void
metrics_chunk_read_apart (const MetricsChunk *self, guint64 start, guint n, gint64 *times, double *values)
{
  const MetricsPoint *points;

  g_assert (start + n <= self->n_points);

  switch ((MetricsChunkKind) self->kind)
    {
    case METRICS_CHUNK_REGULAR:
      for (guint i = 0; i < n; i++)
        times[i] = (gint64) ((guint64) self->first_time + (start + i) * self->data[0]);
      if (values != NULL)
        memcpy (values, metrics_chunk_get_values (self) + start, n * sizeof *values);
      break;
    case METRICS_CHUNK_PLAIN:
      points = metrics_chunk_get_points (self) + start;
      for (guint i = 0; i < n; i++)
        times[i] = points[i].time;
      for (guint i = 0; i < n && values != NULL; i++)
        values[i] = points[i].value;
      break;
    case METRICS_CHUNK_CODED:
      read_coded (self, start, n, times, values);
      break;
    case METRICS_CHUNK_GAP:
      g_assert_not_reached ();
    }
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
  gint64 times[METRICS_CHUNK_WINDOW];
  double values[METRICS_CHUNK_WINDOW];

  g_assert (n <= METRICS_CHUNK_WINDOW);

  metrics_chunk_read_apart (self, start, n, times, values);
  for (guint i = 0; i < n; i++)
    points[i] = (MetricsPoint){ .time = times[i], .value = values[i] };
}

/* A coded chunk as it is, without making each point of it. Returns: whether it is one that can be shown so */
static gboolean
read_coded_window (const MetricsChunk *self,
                   guint64 start,
                   guint64 n,
                   guint max,
                   guint64 span,
                   MetricsWindow *window)
{
  MetricsCoded coded;

  metrics_chunk_open_code (self, &coded);
  if (coded.n > 1 && metrics_coding_is_constant (&coded))
    {
      gint64 first, step;

      window->kind = METRICS_WINDOW_CONSTANT;
      metrics_coding_is_regular (&coded, &first, &step);
      window->step = (guint64) step;
      window->first = (gint64) ((guint64) first + start * window->step);
      window->value = metrics_decimals_get_first (&coded.values);
      window->n = MIN (n, MAX (span / window->step, METRICS_WINDOW_MAX_POINTS));
      return TRUE;
    }
  window->n = MIN (n, max);
  if (!metrics_coding_read_integers (&coded, start, window->n, window->integers))
    return FALSE;
  window->kind = METRICS_WINDOW_INTEGERS;
  window->scale = coded.values.scale;
  window->exponent = coded.values.exponent;
  metrics_coding_read_times (&coded, start, window->n, window->times);
  return TRUE;
}

/**
 * metrics_chunk_read_window:
 * @self: a chunk
 * @start: index of the first point wanted
 * @n: how many; all of them have to exist
 * @max: how many at most in a window that is not constant, up to %METRICS_WINDOW_MAX_POINTS
 * @span: how much time a constant window may cover; 0 where none is wanted, nor integers
 * @window: (out caller-allocates): where they go, or as many of them as it may have
 *
 * Reads a window of its points for reducing them.
 */
void
metrics_chunk_read_window (const MetricsChunk *self,
                           guint64 start,
                           guint64 n,
                           guint max,
                           guint64 span,
                           MetricsWindow *window)
{
  if (span > 0 && self->kind == METRICS_CHUNK_CODED && read_coded_window (self, start, n, max, span, window))
    return;
  window->kind = METRICS_WINDOW_VALUES;
  window->n = MIN (n, max);
  metrics_chunk_read_apart (self, start, window->n, window->times, window->values);
}
