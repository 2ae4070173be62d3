/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-restore.h"

G_BEGIN_DECLS

/* A disk as small as can be: rows in a table for each series. A hold is a copy of it. Who asks is answered
 * when the main loop is idle, or when the test says so. */
#define DUMMY_TYPE_CHUNK_SOURCE (dummy_chunk_source_get_type ())
G_DECLARE_FINAL_TYPE (DummyChunkSource, dummy_chunk_source, DUMMY, CHUNK_SOURCE, GObject)

DummyChunkSource *dummy_chunk_source_new (void);
guint dummy_chunk_source_get_n_fetched (DummyChunkSource *self);
guint dummy_chunk_source_get_n_cancelled (DummyChunkSource *self);
guint dummy_chunk_source_get_n_holds (DummyChunkSource *self);

/* Requests. */
void dummy_chunk_source_set_manual (DummyChunkSource *self, gboolean is_manual);
gboolean dummy_chunk_source_answer_any (DummyChunkSource *self);
void dummy_chunk_source_read (DummyChunkSource *self,
                              const MetricsChunkRequest *request,
                              MetricsChunkAnswer *answer);

/* What goes wrong. */
void dummy_chunk_source_break (DummyChunkSource *self);
void dummy_chunk_source_damage (DummyChunkSource *self, guint64 id, gint64 time);

/* Writing, in the steps that a checkpoint has. */
GPtrArray *dummy_chunk_source_prepare (DummyChunkSource *self,
                                       MetricsStore *store,
                                       guint64 id,
                                       gint64 *from,
                                       gint64 *to);
void dummy_chunk_source_write (DummyChunkSource *self,
                               guint64 id,
                               gint64 from,
                               gint64 to,
                               GPtrArray *snapshot);
void dummy_chunk_source_save (DummyChunkSource *self, MetricsStore *store, guint64 newest_id);

/* What there is of a series. */
gboolean dummy_chunk_source_count (DummyChunkSource *self,
                                   guint64 id,
                                   guint64 *n_points,
                                   gint64 *first,
                                   gint64 *last);

G_END_DECLS
