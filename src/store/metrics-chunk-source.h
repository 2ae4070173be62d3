/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"
#include "store/metrics-query.h"

G_BEGIN_DECLS

/* How many of the chunks that a query asked for last stay at hand for it: a deletion reads so many at once.
 */
#define METRICS_CHUNK_SOURCE_AT_HAND 3

#define METRICS_TYPE_CHUNK_SOURCE (metrics_chunk_source_get_type ())
G_DECLARE_INTERFACE (MetricsChunkSource, metrics_chunk_source, METRICS, CHUNK_SOURCE, GObject)

/**
 * MetricsChunkSourceInterface:
 * @request: see metrics_chunk_source_request()
 * @cancel: see metrics_chunk_source_cancel()
 *
 * Brings chunks whose points are not in memory. A store without a source has all of them there.
 */
struct _MetricsChunkSourceInterface
{
  GTypeInterface parent_iface;

  gboolean (*request) (MetricsChunkSource *self, MetricsChunk *chunk, MetricsQuery *query);
  void (*cancel) (MetricsChunkSource *self, MetricsQuery *query);
};

gboolean metrics_chunk_source_request (MetricsChunkSource *self, MetricsChunk *chunk, MetricsQuery *query);
void metrics_chunk_source_cancel (MetricsChunkSource *self, MetricsQuery *query);

G_END_DECLS
