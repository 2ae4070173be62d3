/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"
#include "store/metrics-memory.h"

G_BEGIN_DECLS

/**
 * MetricsChunks:
 * @sequence: (owned) (element-type MetricsChunk): the chunks, at least one
 * @warm: (nullable): the place of one that is open
 * @newer_warm: (unowned) (nullable): where @warm is set, those of another series that were warmed next
 * @older_warm: (unowned) (nullable): and those that were warmed before
 *
 * The chunks of a series but the newest, ordered by time, their spans apart from each other: they exist only
 * while there are some. Their memory is counted, and that of their places.
 *
 * They are sealed, but one may be open, into which a late point came: others will come near it, and so it is
 * coded only when the next one goes elsewhere, when the newest chunk of the series is sealed, or when memory
 * is needed or too many series have one.
 */
struct _MetricsChunks
{
  GSequence *sequence;
  GSequenceIter *warm;
  MetricsChunks *newer_warm;
  MetricsChunks *older_warm;
};

/* How many series may have an open chunk among their older ones: some megabytes at most. */
#define METRICS_CHUNKS_MAX_WARM 4096

GSequenceIter *metrics_chunks_get_begin (const MetricsChunks *self);
GSequenceIter *metrics_chunks_get_last (const MetricsChunks *self);
GSequenceIter *metrics_chunks_search (const MetricsChunks *self, gint64 time);
GSequenceIter *metrics_chunks_insert (MetricsChunks **self,
                                      GSequenceIter *iter,
                                      MetricsChunk *chunk,
                                      MetricsUsage *usage);
void metrics_chunks_replace (MetricsChunks *self,
                             GSequenceIter *iter,
                             MetricsChunk *chunk,
                             MetricsUsage *usage);
MetricsChunk *metrics_chunks_take (MetricsChunks **self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_drop (MetricsChunks **self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_move (MetricsChunks **self,
                          GSequenceIter *begin,
                          GSequenceIter *end,
                          MetricsChunks **target,
                          MetricsUsage *usage);

void metrics_chunks_warm (MetricsChunks *self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_cool (MetricsChunks *self, MetricsUsage *usage);
gboolean metrics_chunks_cool_oldest (MetricsUsage *usage);
void metrics_chunks_freeze (MetricsChunks *self, MetricsUsage *usage);
gboolean metrics_chunks_put (MetricsChunks *self, MetricsPoint point, MetricsUsage *usage);

gsize metrics_chunks_get_max_growth (void);
gsize metrics_chunks_get_copy_size (guint n_chunks);

G_END_DECLS
