/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsStoredChunk:
 * @first: its first time
 * @last: its last time
 * @n_points: how many points it has
 * @data: (owned) (nullable): them, coded as src/coding/README.md says; %NULL where they are kept: the chunks
 *   within that span stay as they are
 *
 * A chunk as it is kept outside of a store, or the span of some.
 */
typedef struct
{
  gint64 first;
  gint64 last;
  guint64 n_points;
  GBytes *data;
} MetricsStoredChunk;

/**
 * MetricsRestoreResult:
 * @METRICS_RESTORE_DONE: it was done
 * @METRICS_RESTORE_NO_SERIES: there is no such series (any more), or the value is not finite
 * @METRICS_RESTORE_COLD: nothing was done: chunks have to be loaded first
 *
 * What became of a change.
 */
typedef enum
{
  METRICS_RESTORE_DONE,
  METRICS_RESTORE_NO_SERIES,
  METRICS_RESTORE_COLD,
} MetricsRestoreResult;

void metrics_stored_chunk_free (MetricsStoredChunk *self);

gboolean metrics_store_restore_series (MetricsStore *self,
                                       guint64 id,
                                       const char *key,
                                       gsize key_len,
                                       GError **error);
gboolean metrics_store_restore_chunk (MetricsStore *self, guint64 id, GBytes *data, GError **error);
gboolean metrics_store_restore_gap (MetricsStore *self,
                                    guint64 id,
                                    guint64 n_points,
                                    gint64 first,
                                    gint64 last,
                                    GError **error);
MetricsRestoreResult metrics_store_restore_put (MetricsStore *self,
                                                guint64 id,
                                                MetricsPoint point,
                                                MetricsChunkRequest *request);
MetricsRestoreResult metrics_store_restore_remove (MetricsStore *self,
                                                   guint64 id,
                                                   gint64 from,
                                                   gint64 to,
                                                   MetricsChunkRequest *request);
void metrics_store_restore_split (MetricsStore *self,
                                  const MetricsChunkRequest *request,
                                  const MetricsChunkAnswer *answer);
void metrics_store_restore_finish (MetricsStore *self, guint64 newest_id);

GPtrArray *metrics_store_snapshot (MetricsStore *self, guint64 id, gint64 from, gint64 to);

G_END_DECLS
