/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"

#include "coding/metrics-coding.h"

G_BEGIN_DECLS

/* When an open chunk is full: more points than that are sealed together only where they are one value at a
 * regular step. */
#define METRICS_CHUNK_MAX_POINTS METRICS_CODING_MAX_POINTS

/* When one is full into which late points came: those that come later still find their place open, too. */
#define METRICS_CHUNK_MAX_WIDE_POINTS (2 * METRICS_CHUNK_MAX_POINTS)

/* How the points lie in memory. */
typedef enum
{
  METRICS_CHUNK_REGULAR, /* a step, and the values */
  METRICS_CHUNK_PLAIN,   /* MetricsPoint */
  METRICS_CHUNK_CODED,   /* a block of MetricsCoded */
  METRICS_CHUNK_GAP,     /* how many there are: they are on disk alone */
} MetricsChunkKind;

struct _MetricsChunk
{
  gatomicrefcount ref_count;
  guint32 n_points;
  guint32 room; /* for how many points; of a coded one, how many bytes */
  guint8 kind;  /* a MetricsChunkKind */
  guint8 sealed;
  guint8 kept;     /* a MetricsChunkKept: of one that a store has, and its thread's alone */
  guint8 wide : 1; /* whether it takes METRICS_CHUNK_MAX_WIDE_POINTS */
  guint8 late : 1; /* whether a late point came since it was split */
  guint8 age : 6;  /* of one that is kept: see metrics_chunk_set_confirmed() */
  gint64 first_time;
  gint64 last_time;
  guint64 data[]; /* the points, see below */
};

/* From one time to the next; 0 where there is one point. */
static inline guint64 *
metrics_chunk_get_step (MetricsChunk *self)
{
  return self->data;
}

static inline double *
metrics_chunk_get_values (const MetricsChunk *self)
{
  return (double *) (self->data + 1);
}

static inline MetricsPoint *
metrics_chunk_get_points (const MetricsChunk *self)
{
  return (MetricsPoint *) self->data;
}

MetricsChunk *metrics_chunk_alloc (MetricsChunkKind kind, guint32 room);
void metrics_chunk_resize (MetricsChunk **self, guint32 room);
MetricsChunk *metrics_chunk_encode (const gint64 *times, const double *values, guint n);
void metrics_chunk_open_code (const MetricsChunk *self, MetricsCoded *coded);
void metrics_chunk_read_apart (const MetricsChunk *self,
                               guint64 start,
                               guint n,
                               gint64 *times,
                               double *values);

G_END_DECLS
