/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-window.h"

G_BEGIN_DECLS

/* How many points one read gives at most: what a reader's window has room for. */
#define METRICS_CHUNK_WINDOW METRICS_WINDOW_MAX_POINTS

/* For how many points there is room in the first chunk of a series when it begins. It lies between entries:
 * one that it soon grows out of would leave a hole that nothing else fits into, so it begins with 96 bytes.
 */
#define METRICS_CHUNK_MIN_ROOM 6

/* Into how many chunks a point can divide one. */
#define METRICS_CHUNK_MAX_MERGED 3

typedef struct _MetricsChunk MetricsChunk;

/**
 * MetricsChunkKept:
 * @METRICS_CHUNK_NOT_KEPT: what is on disk in its span may be something else
 * @METRICS_CHUNK_PENDING: it was handed out as it is, to be written
 * @METRICS_CHUNK_KEPT: the rows in its span are its points, and none of them reaches beyond it
 * @METRICS_CHUNK_LOADED: it is no store's: a reader has loaded it, or has had it, where it is a gap again
 *
 * What is known of a chunk on disk. Whatever changes a chunk makes it one that is not kept, and so
 * is each that is new.
 */
typedef enum
{
  METRICS_CHUNK_NOT_KEPT,
  METRICS_CHUNK_PENDING,
  METRICS_CHUNK_KEPT,
  METRICS_CHUNK_LOADED,
} MetricsChunkKept;

/* What it costs to let go of a chunk, in units of work (see metrics_query_next()), where
 * metrics_chunk_unref() said that it freed so many bytes: measured, freeing takes longer than to let go of
 * one that others hold. */
static inline gint
metrics_chunk_get_drop_units (gsize freed)
{
  return freed > 0 ? 8 : 1;
}

MetricsChunk *metrics_chunk_new (MetricsPoint point, guint room);
MetricsChunk *metrics_chunk_copy (const MetricsChunk *self);
MetricsChunk *metrics_chunk_ref (MetricsChunk *self);
gsize metrics_chunk_unref (MetricsChunk *self);

gboolean metrics_chunk_is_sealed (const MetricsChunk *self);
gboolean metrics_chunk_is_gap (const MetricsChunk *self);
gboolean metrics_chunk_is_shared (const MetricsChunk *self);
gboolean metrics_chunk_is_full (const MetricsChunk *self);
gboolean metrics_chunk_is_long (const MetricsChunk *self);
gsize metrics_chunk_get_size (const MetricsChunk *self);
gsize metrics_chunk_get_min_size (void);
gsize metrics_chunk_get_max_size (void);
gsize metrics_chunk_get_max_sealed_size (void);
guint64 metrics_chunk_get_n_points (const MetricsChunk *self);
gint64 metrics_chunk_get_first_time (const MetricsChunk *self);
gint64 metrics_chunk_get_last_time (const MetricsChunk *self);

guint64 metrics_chunk_find (const MetricsChunk *self, gint64 time);
gboolean metrics_chunk_has (const MetricsChunk *self, MetricsPoint point);
gboolean metrics_chunk_contains (const MetricsChunk *self, gint64 time);
void metrics_chunk_read (const MetricsChunk *self, guint64 start, guint n, MetricsPoint *points);
void metrics_chunk_read_window (const MetricsChunk *self,
                                guint64 start,
                                guint64 n,
                                guint max,
                                guint64 span,
                                MetricsWindow *window);

/* As they are kept outside of a store. */
MetricsChunk *metrics_chunk_new_gap (gint64 first, gint64 last, guint64 n_points);
MetricsChunkKept metrics_chunk_get_kept (const MetricsChunk *self);
void metrics_chunk_set_kept (MetricsChunk *self, MetricsChunkKept kept);
void metrics_chunk_set_confirmed (MetricsChunk *self, guint n_settled);
guint metrics_chunk_get_age (const MetricsChunk *self, guint n_settled);
MetricsChunk *metrics_chunk_load (const guint8 *data, gsize size);
guint metrics_chunk_get_n_pieces (const MetricsChunk *self);
MetricsChunk *metrics_chunk_get_piece (MetricsChunk *self, guint i);
const guint8 *metrics_chunk_get_data (const MetricsChunk *self, gsize *size);

/* Open ones. */
gboolean metrics_chunk_append (MetricsChunk *self, MetricsPoint point);
gboolean metrics_chunk_put (MetricsChunk **self, MetricsPoint point);
guint64 metrics_chunk_remove (MetricsChunk **self, gint64 from, gint64 to);
gboolean metrics_chunk_widen (MetricsChunk *self, gint64 time);
gboolean metrics_chunk_is_wide (const MetricsChunk *self);
MetricsChunk *metrics_chunk_split (MetricsChunk **self);
void metrics_chunk_freeze (MetricsChunk **self);
void metrics_chunk_seal (MetricsChunk **self);

/* Sealed ones, and open ones whose points are to go into sealed ones. */
MetricsChunk *metrics_chunk_join (const MetricsChunk *self, const MetricsChunk *next);
guint metrics_chunk_merge (const MetricsChunk *self,
                           MetricsPoint point,
                           MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED]);
guint metrics_chunk_without (const MetricsChunk *self, gint64 from, gint64 to, MetricsChunk *rest[2]);
MetricsChunk *metrics_chunk_reopen (const MetricsChunk *self, MetricsChunk **rest);

G_END_DECLS
