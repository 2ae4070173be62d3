/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"
#include "store/metrics-memory.h"

G_BEGIN_DECLS

/* The sealed chunks of a series, ordered by time, their spans apart from each other: a GSequence that there
 * is only while there are chunks. Its memory is counted, and that of the chunks. */

GSequenceIter *metrics_chunks_search (GSequence *self, gint64 time);
void metrics_chunks_insert (GSequence **self, GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage);
void metrics_chunks_replace (GSequenceIter *iter, MetricsChunk *chunk, MetricsUsage *usage);
void metrics_chunks_drop (GSequence **self, GSequenceIter *iter, MetricsUsage *usage);
void metrics_chunks_move (GSequence **self,
                          GSequenceIter *begin,
                          GSequenceIter *end,
                          GSequence **target,
                          MetricsUsage *usage);
gsize metrics_chunks_get_max_growth (void);
gsize metrics_chunks_get_copy_size (guint n_chunks);

G_END_DECLS
