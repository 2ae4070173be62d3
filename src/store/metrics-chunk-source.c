/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-source.h"

G_DEFINE_INTERFACE (MetricsChunkSource, metrics_chunk_source, G_TYPE_OBJECT)

static void
metrics_chunk_source_default_init (MetricsChunkSourceInterface *iface)
{
}

/**
 * metrics_chunk_source_request:
 * @self: a source
 * @chunk: a sealed chunk; the query holds a reference, or deletes from it
 * @query: who asks
 *
 * Asks for the points of a chunk. Where they are not at hand, the source fetches them and calls
 * metrics_query_wake() later, never from within this call; the query asks again then. The chunks that a query
 * has asked for last, %METRICS_CHUNK_SOURCE_AT_HAND of them, stay at hand for it.
 *
 * Returns: whether they are at hand
 */
gboolean
metrics_chunk_source_request (MetricsChunkSource *self, MetricsChunk *chunk, MetricsQuery *query)
{
  g_return_val_if_fail (METRICS_IS_CHUNK_SOURCE (self), TRUE);

  return METRICS_CHUNK_SOURCE_GET_IFACE (self)->request (self, chunk, query);
}

/**
 * metrics_chunk_source_cancel:
 * @self: a source
 * @query: a query that waits, and that will be no more after this call
 *
 * Takes the last request of a query back: it must not be woken.
 */
void
metrics_chunk_source_cancel (MetricsChunkSource *self, MetricsQuery *query)
{
  g_return_if_fail (METRICS_IS_CHUNK_SOURCE (self));

  METRICS_CHUNK_SOURCE_GET_IFACE (self)->cancel (self, query);
}
