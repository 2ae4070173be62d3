/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-history.h"
#include "store/metrics-keeping.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/* What queries need of a store, and those who restore it. */

MetricsChunkSource *metrics_store_get_chunk_source (MetricsStore *self);
MetricsUsage *metrics_store_get_usage (MetricsStore *self);
MetricsHistory *metrics_store_get_history (MetricsStore *self);
MetricsKeeping *metrics_store_get_keeping (MetricsStore *self);

void metrics_store_make_key (MetricsStore *self, const char *bytes, gsize len, MetricsKey *key);
MetricsEntry *metrics_store_lookup (MetricsStore *self, const MetricsKey *key);
MetricsEntryList *metrics_store_get_entries (MetricsStore *self);

MetricsEntry *metrics_store_add (MetricsStore *self, guint64 id, const MetricsKey *key);
void metrics_store_forget (MetricsStore *self, MetricsEntry *entry);

void metrics_store_pin (MetricsStore *self, MetricsEntry *entry);
void metrics_store_unpin (MetricsStore *self, MetricsEntry *entry);

gboolean metrics_store_delete (MetricsStore *self,
                               MetricsEntry *entry,
                               gint64 from,
                               gint64 to,
                               gint *budget,
                               guint64 *n_deleted);

G_END_DECLS
