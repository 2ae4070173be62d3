/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-database.h"
#include "storage/metrics-log.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

GHashTable *metrics_touched_new (void);
void metrics_touched_add (GHashTable *touched, const guint8 *changes, gsize size);
void metrics_touched_add_span (GHashTable *touched, guint64 id, gint64 from, gint64 to);
void metrics_touched_move (GHashTable *from, GHashTable *to);

/**
 * MetricsConfirmed:
 * @id: the number of a series
 * @first: the first time of a span
 * @last: its last time
 *
 * A span that the chunks on disk know as the store gave it.
 */
typedef struct
{
  guint64 id;
  gint64 first;
  gint64 last;
} MetricsConfirmed;

typedef struct _MetricsCheckpoint MetricsCheckpoint;

MetricsCheckpoint *metrics_checkpoint_new (GHashTable *touched, guint64 last_log);
void metrics_checkpoint_free (MetricsCheckpoint *self);

gboolean metrics_checkpoint_prepare (MetricsCheckpoint *self, MetricsDatabase *database, GError **error);
gboolean metrics_checkpoint_is_asking (MetricsCheckpoint *self);
gboolean metrics_checkpoint_answer (MetricsCheckpoint *self, MetricsStore *store, gint64 deadline);
guint64 metrics_checkpoint_get_size (MetricsCheckpoint *self);
gboolean metrics_checkpoint_write (MetricsCheckpoint *self, MetricsDatabase *database, GError **error);
gboolean metrics_checkpoint_advance (MetricsCheckpoint *self, GArray *confirmed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCheckpoint, metrics_checkpoint_free)

G_END_DECLS
