/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"
#include "store/metrics-memory.h"

G_BEGIN_DECLS

/**
 * MetricsChunks:
 * @sequence: (owned) (element-type MetricsChunk): the chunks, at least one
 * @warm: (nullable): the place of one that is open
 *
 * The chunks of a series but the newest, ordered by time, their spans apart from each other: they exist only
 * while there are some. Their memory is counted, and that of their places.
 *
 * They are sealed, but one may be open, into which a late point came: others will come near it, and so it is
 * coded only when the next one goes elsewhere.
 */
typedef struct
{
  GSequence *sequence;
  GSequenceIter *warm;
} MetricsChunks;

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
void metrics_chunks_drop (MetricsChunks **self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_move (MetricsChunks **self,
                          GSequenceIter *begin,
                          GSequenceIter *end,
                          MetricsChunks **target,
                          MetricsUsage *usage);

void metrics_chunks_warm (MetricsChunks *self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_cool (MetricsChunks *self, MetricsUsage *usage);
void metrics_chunks_freeze (MetricsChunks *self, MetricsUsage *usage);
gboolean metrics_chunks_put (MetricsChunks *self, MetricsPoint point, MetricsUsage *usage);

gsize metrics_chunks_get_max_growth (void);
gsize metrics_chunks_get_copy_size (guint n_chunks);

G_END_DECLS
