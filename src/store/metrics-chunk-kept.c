/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-private.h"

/* Chunks as they are kept outside of a store: coded, all of them. An open chunk is kept as it is just now, in
 * pieces of at most as many points as are sealed together. */

/**
 * metrics_chunk_new_gap:
 * @first: the first time of what is on disk alone
 * @last: its last time
 * @n_points: how many points that are, at least one
 *
 * Returns: (transfer full): a gap, sealed
 */
MetricsChunk *
metrics_chunk_new_gap (gint64 first, gint64 last, guint64 n_points)
{
  MetricsChunk *self = metrics_chunk_alloc (METRICS_CHUNK_GAP, 0);

  self->n_points = MIN (n_points, G_MAXUINT32);
  self->data[0] = (gint64) n_points;
  self->first_time = first;
  self->last_time = last;
  self->sealed = TRUE;
  return self;
}

/**
 * metrics_chunk_get_kept:
 * @self: a chunk
 *
 * Returns: what is known of it on disk
 */
MetricsChunkKept
metrics_chunk_get_kept (const MetricsChunk *self)
{
  return self->kept;
}

/**
 * metrics_chunk_set_kept:
 * @self: a chunk
 * @kept: what is known of it on disk
 */
void
metrics_chunk_set_kept (MetricsChunk *self, MetricsChunkKept kept)
{
  self->kept = kept;
}

/* What counts ages, modulo 64: one that is so old is taken for young, once. */
#define AGES 63

/**
 * metrics_chunk_set_confirmed:
 * @self: a chunk that is on disk now, as it is
 * @n_settled: how many checkpoints have ended so far
 *
 * Makes it a kept one, and notes since when.
 */
void
metrics_chunk_set_confirmed (MetricsChunk *self, guint n_settled)
{
  self->kept = METRICS_CHUNK_KEPT;
  self->age = n_settled & AGES;
}

/**
 * metrics_chunk_get_age:
 * @self: a kept chunk
 * @n_settled: how many checkpoints have ended so far
 *
 * Returns: how many have ended since the one that wrote it was being written, that one too
 */
guint
metrics_chunk_get_age (const MetricsChunk *self, guint n_settled)
{
  return (n_settled - self->age) & AGES;
}

/**
 * metrics_chunk_load:
 * @data: (array length=size): what metrics_chunk_get_data() gave once, or anything else
 * @size: how many bytes that is
 *
 * Returns: (transfer full) (nullable): a sealed chunk of the points; %NULL where that is no code of a chunk
 */
MetricsChunk *
metrics_chunk_load (const guint8 *data, gsize size)
{
  MetricsCoded coded;
  MetricsChunk *self;
  gint64 ends[2];

  if (size > METRICS_CODING_MAX_SIZE (METRICS_CHUNK_MAX_POINTS) || !metrics_coding_open (&coded, data, size)
      || !metrics_coding_check (&coded))
    return NULL;

  self = metrics_chunk_alloc (METRICS_CHUNK_CODED, size);
  memcpy (self->data, data, size);
  metrics_coding_read_times (&coded, 0, 1, &ends[0]);
  metrics_coding_read_times (&coded, coded.n - 1, 1, &ends[1]);
  self->n_points = coded.n;
  self->first_time = ends[0];
  self->last_time = ends[1];
  self->sealed = TRUE;
  return self;
}

/**
 * metrics_chunk_get_n_pieces:
 * @self: a chunk
 *
 * Returns: as how many chunks it is kept
 */
guint
metrics_chunk_get_n_pieces (const MetricsChunk *self)
{
  if (self->kind == METRICS_CHUNK_CODED)
    return 1;
  return (self->n_points + METRICS_CHUNK_MAX_POINTS - 1) / METRICS_CHUNK_MAX_POINTS;
}

/**
 * metrics_chunk_get_piece:
 * @self: a sealed chunk
 * @i: which piece
 *
 * Returns: (transfer full): a coded chunk of the points of the piece; the same chunk, where it is coded
 */
MetricsChunk *
metrics_chunk_get_piece (MetricsChunk *self, guint i)
{
  gint64 times[METRICS_CHUNK_MAX_POINTS];
  double values[METRICS_CHUNK_MAX_POINTS];
  guint start = i * METRICS_CHUNK_MAX_POINTS;
  guint n;

  if (self->kind == METRICS_CHUNK_CODED)
    return metrics_chunk_ref (self);
  n = MIN (self->n_points - start, METRICS_CHUNK_MAX_POINTS);
  metrics_chunk_read_apart (self, start, n, times, values);
  return metrics_chunk_encode (times, values, n);
}

/**
 * metrics_chunk_get_data:
 * @self: a coded chunk
 * @size: (out): how many bytes
 *
 * Returns: (transfer none) (array length=size): its code, see coding/README.md
 */
const guint8 *
metrics_chunk_get_data (const MetricsChunk *self, gsize *size)
{
  g_assert (self->kind == METRICS_CHUNK_CODED);

  *size = self->room;
  return (const guint8 *) self->data;
}
