/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"

G_BEGIN_DECLS

/* A source that lets each query wait for a chunk until the main loop is idle. */
#define DUMMY_TYPE_CHUNK_SOURCE (dummy_chunk_source_get_type ())
G_DECLARE_FINAL_TYPE (DummyChunkSource, dummy_chunk_source, DUMMY, CHUNK_SOURCE, GObject)

DummyChunkSource *dummy_chunk_source_new (void);
guint dummy_chunk_source_get_n_fetched (DummyChunkSource *self);
guint dummy_chunk_source_get_n_cancelled (DummyChunkSource *self);

G_END_DECLS
