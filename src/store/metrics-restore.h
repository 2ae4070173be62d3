/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsStoredChunk:
 * @first: its first time
 * @last: its last time
 * @n_points: how many points it has
 * @data: (owned): them, coded as src/coding/README.md says
 *
 * A chunk as it is kept outside of a store.
 */
typedef struct
{
  gint64 first;
  gint64 last;
  guint64 n_points;
  GBytes *data;
} MetricsStoredChunk;

void metrics_stored_chunk_free (MetricsStoredChunk *self);

gboolean metrics_store_restore_series (MetricsStore *self,
                                       guint64 id,
                                       const char *key,
                                       gsize key_len,
                                       GError **error);
gboolean metrics_store_restore_chunk (MetricsStore *self, guint64 id, GBytes *data, GError **error);
gboolean metrics_store_restore_put (MetricsStore *self, guint64 id, MetricsPoint point);
gboolean metrics_store_restore_remove (MetricsStore *self, guint64 id, gint64 from, gint64 to);
void metrics_store_restore_finish (MetricsStore *self, guint64 newest_id);

GPtrArray *metrics_store_snapshot (MetricsStore *self, guint64 id, gint64 from, gint64 to);

G_END_DECLS
