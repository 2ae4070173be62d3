/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsHttpChunksState:
 * @METRICS_HTTP_CHUNKS_MORE: the body goes on
 * @METRICS_HTTP_CHUNKS_END: it has ended
 * @METRICS_HTTP_CHUNKS_LARGE: it is larger than it may be
 * @METRICS_HTTP_CHUNKS_BAD: these are not chunks
 */
typedef enum
{
  METRICS_HTTP_CHUNKS_MORE,
  METRICS_HTTP_CHUNKS_END,
  METRICS_HTTP_CHUNKS_LARGE,
  METRICS_HTTP_CHUNKS_BAD,
} MetricsHttpChunksState;

/**
 * MetricsHttpChunks:
 *
 * A body in chunks, as far as it has been read. Zero where nothing has been.
 */
typedef struct
{
  guint step;
  guint n_digits;
  guint n_extra; /* bytes of the line, or of the trailer, that mean nothing */
  guint64 left;  /* of the chunk */
} MetricsHttpChunks;

MetricsHttpChunksState metrics_http_chunks_read (MetricsHttpChunks *self,
                                                 const char *data,
                                                 gsize *len,
                                                 GByteArray *body,
                                                 gsize limit);

G_END_DECLS
