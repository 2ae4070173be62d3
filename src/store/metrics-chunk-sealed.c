/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-private.h"

/* Sealed chunks: what would change one gives others in its place.
 *
 * Those that hold one value at a regular step are as long as they like. What divides one of them decodes only
 * the points around. */

/* How many points stay together where a long chunk is divided: half of what is sealed together. */
#define N_AROUND (METRICS_CHUNK_MAX_POINTS / 2)

static MetricsChunk *
encode_constant (gint64 first, guint64 step, double value, guint32 n)
{
  guint8 code[METRICS_CODING_MAX_SIZE (1)];
  gsize size = metrics_coding_encode_constant (code, first, (gint64) step, value, n);
  MetricsChunk *self = metrics_chunk_alloc (METRICS_CHUNK_CODED, size);

  memcpy (self->data, code, size);
  self->n_points = n;
  self->first_time = first;
  self->last_time = (gint64) ((guint64) first + (n - 1) * step);
  self->sealed = TRUE;
  return self;
}

/* The points of a sealed chunk from @start to before @end, as a chunk of its own; one of a long constant
 * chunk is constant as well. */
static MetricsChunk *
take_part (const MetricsChunk *self, guint64 start, guint64 end)
{
  gint64 times[METRICS_CHUNK_MAX_POINTS];
  double values[METRICS_CHUNK_MAX_POINTS];
  guint64 n = end - start;

  metrics_chunk_read_apart (self, start, MIN (n, METRICS_CHUNK_MAX_POINTS), times, values);
  if (n > METRICS_CHUNK_MAX_POINTS)
    return encode_constant (times[0], (guint64) times[1] - (guint64) times[0], values[0], n);
  return metrics_chunk_encode (times, values, n);
}

/**
 * metrics_chunk_join:
 * @self: a sealed chunk
 * @next: the sealed chunk behind it
 *
 * Returns: (transfer full) (nullable): a sealed chunk of the points of both, where they are one value at a
 * regular step, so that it takes no more room than one of them; else %NULL
 */
MetricsChunk *
metrics_chunk_join (const MetricsChunk *self, const MetricsChunk *next)
{
  const MetricsChunk *chunks[2] = { self, next };
  guint64 step = (guint64) next->first_time - (guint64) self->last_time;
  double values[2];

  if (self->kind != METRICS_CHUNK_CODED || next->kind != METRICS_CHUNK_CODED
      || self->n_points > METRICS_CODING_MAX_CONSTANT - next->n_points)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      MetricsCoded coded;

      metrics_chunk_open_code (chunks[i], &coded);
      if (!metrics_coding_is_constant (&coded)
          || (coded.n > 1 && metrics_integers_get_step (&coded.times) != step))
        return NULL;
      values[i] = metrics_decimals_get_first (&coded.values);
    }
  /* To the bit: zeros have signs. */
  if (memcmp (&values[0], &values[1], sizeof values[0]) != 0)
    return NULL;
  return encode_constant (self->first_time, step, values[0], self->n_points + next->n_points);
}

/* Puts a point among at most METRICS_CHUNK_MAX_POINTS others. Returns: of how many chunks they are then */
static guint
merge_block (const MetricsChunk *self,
             guint64 start,
             guint64 end,
             guint64 index,
             gboolean replace,
             MetricsPoint point,
             MetricsChunk **merged)
{
  gint64 times[METRICS_CHUNK_MAX_POINTS + 1];
  double values[METRICS_CHUNK_MAX_POINTS + 1];
  guint n = end - start;
  guint at = index - start;

  metrics_chunk_read_apart (self, start, n, times, values);
  if (!replace)
    {
      memmove (times + at + 1, times + at, (n - at) * sizeof *times);
      memmove (values + at + 1, values + at, (n - at) * sizeof *values);
      n++;
    }
  times[at] = point.time;
  values[at] = point.value;

  if (n <= METRICS_CHUNK_MAX_POINTS)
    {
      merged[0] = metrics_chunk_encode (times, values, n);
      return 1;
    }
  merged[0] = metrics_chunk_encode (times, values, n / 2);
  merged[1] = metrics_chunk_encode (times + n / 2, values + n / 2, n - n / 2);
  return 2;
}

/**
 * metrics_chunk_merge:
 * @self: a chunk that is not wide
 * @point: a point
 * @merged: (out caller-allocates) (transfer full) (array fixed-size=3): where the new chunks go
 *
 * Puts a point where it belongs, in place of the one that has its time: into new chunks, for @self does not
 * change.
 *
 * Returns: how many sealed chunks hold the points now
 */
guint
metrics_chunk_merge (const MetricsChunk *self,
                     MetricsPoint point,
                     MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED])
{
  guint64 index = metrics_chunk_find (self, point.time);
  gboolean replace = metrics_chunk_contains (self, point.time);
  guint64 start = 0, end = self->n_points;
  guint n = 0;

  if (self->n_points > METRICS_CHUNK_MAX_POINTS)
    {
      start = index > N_AROUND / 2 ? index - N_AROUND / 2 : 0;
      end = MIN (start + N_AROUND, self->n_points);
      if (start > 0)
        merged[n++] = take_part (self, 0, start);
    }
  n += merge_block (self, start, end, index, replace, point, merged + n);
  if (end < self->n_points)
    merged[n++] = take_part (self, end, self->n_points);
  return n;
}

/**
 * metrics_chunk_without:
 * @self: a chunk that is not wide
 * @from: the first time that goes
 * @to: the last time that goes
 * @rest: (out caller-allocates) (transfer full) (array fixed-size=2): where the new chunks go
 *
 * Returns: how many sealed chunks hold the points outside that span: 0 where there are none
 */
guint
metrics_chunk_without (const MetricsChunk *self, gint64 from, gint64 to, MetricsChunk *rest[2])
{
  guint64 start = metrics_chunk_find (self, from);
  guint64 end = to == G_MAXINT64 ? self->n_points : metrics_chunk_find (self, to + 1);
  guint n_after = self->n_points - end;
  guint n = 0;

  g_assert (self->kind != METRICS_CHUNK_GAP);

  if (start + n_after == 0)
    return 0;
  if (self->n_points <= METRICS_CHUNK_MAX_POINTS)
    {
      gint64 times[METRICS_CHUNK_MAX_POINTS];
      double values[METRICS_CHUNK_MAX_POINTS];

      metrics_chunk_read_apart (self, 0, start, times, values);
      metrics_chunk_read_apart (self, end, n_after, times + start, values + start);
      rest[0] = metrics_chunk_encode (times, values, start + n_after);
      return 1;
    }
  if (start > 0)
    rest[n++] = take_part (self, 0, start);
  if (n_after > 0)
    rest[n++] = take_part (self, end, self->n_points);
  return n;
}

/**
 * metrics_chunk_reopen:
 * @self: a sealed chunk
 * @rest: (out) (transfer full) (nullable): a sealed chunk of the older points, where they are too many
 *
 * Returns: (transfer full): an open chunk of the newest points
 */
MetricsChunk *
metrics_chunk_reopen (const MetricsChunk *self, MetricsChunk **rest)
{
  guint64 start = self->n_points > METRICS_CHUNK_MAX_POINTS ? self->n_points - N_AROUND : 0;
  MetricsChunk *chunk;
  MetricsPoint points[METRICS_CHUNK_MAX_POINTS];
  guint n = self->n_points - start;

  *rest = start > 0 ? take_part (self, 0, start) : NULL;
  metrics_chunk_read (self, start, n, points);
  chunk = metrics_chunk_new (points[0], n);
  for (guint i = 1; i < n; i++)
    if (!metrics_chunk_append (chunk, points[i]))
      metrics_chunk_put (&chunk, points[i]);
  return chunk;
}
