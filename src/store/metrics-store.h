/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-journal.h"
#include "store/metrics-retention.h"

G_BEGIN_DECLS

/**
 * MetricsStoreError:
 * @METRICS_STORE_ERROR_SERIES_LIMIT: a new key would be one series too many
 * @METRICS_STORE_ERROR_MEMORY_LIMIT: the points would need more memory than they may have
 * @METRICS_STORE_ERROR_TOO_OLD: the point is older than the rules of retention allow
 * @METRICS_STORE_ERROR_DAMAGED: what was kept outside of the store is not what the store once gave
 * @METRICS_STORE_ERROR_NOT_YET: the point's time lies in a gap, or there is no memory before more of what is
 *   there is on disk: %METRICS_QUERY_PUT waits for that
 * @METRICS_STORE_ERROR_WATCH_LIMIT: patterns that are watched would be too many, or too hard to match
 *
 * Why something was not taken.
 */
typedef enum
{
  METRICS_STORE_ERROR_SERIES_LIMIT,
  METRICS_STORE_ERROR_MEMORY_LIMIT,
  METRICS_STORE_ERROR_TOO_OLD,
  METRICS_STORE_ERROR_DAMAGED,
  METRICS_STORE_ERROR_NOT_YET,
  METRICS_STORE_ERROR_WATCH_LIMIT,
} MetricsStoreError;

#define METRICS_STORE_ERROR (metrics_store_error_quark ())
GQuark metrics_store_error_quark (void);

#define METRICS_TYPE_STORE (metrics_store_get_type ())
G_DECLARE_FINAL_TYPE (MetricsStore, metrics_store, METRICS, STORE, GObject)

MetricsStore *metrics_store_new (guint64 series_limit, guint64 memory_limit);
void metrics_store_set_limits (MetricsStore *self, guint64 series_limit, guint64 memory_limit);

void metrics_store_set_journal (MetricsStore *self, MetricsJournal *journal);
MetricsJournal *metrics_store_get_journal (MetricsStore *self);
void metrics_store_set_retention (MetricsStore *self, const MetricsRetention *retention, gint64 now);
void metrics_store_set_chunk_source (MetricsStore *self, MetricsChunkSource *source);

gboolean metrics_store_put (MetricsStore *self,
                            const char *key,
                            gsize key_len,
                            MetricsPoint point,
                            GError **error);

gboolean metrics_store_check_time (MetricsStore *self,
                                   const char *key,
                                   gsize key_len,
                                   gint64 time,
                                   GError **error);

gboolean metrics_store_drain (MetricsStore *self, gint *budget);

gboolean metrics_store_evict (MetricsStore *self, guint64 target, gint *budget);
void metrics_store_confirm (MetricsStore *self, guint64 id, gint64 from, gint64 to);
void metrics_store_settle (MetricsStore *self, guint64 position);
void metrics_store_refuse_waiting (MetricsStore *self);

guint metrics_store_take_work (MetricsStore *self);
guint64 metrics_store_get_n_series (MetricsStore *self);
guint64 metrics_store_get_n_points (MetricsStore *self);
guint64 metrics_store_get_memory (MetricsStore *self);
guint64 metrics_store_get_n_expired (MetricsStore *self);
guint64 metrics_store_get_n_refused (MetricsStore *self);
guint metrics_store_get_n_watchers (MetricsStore *self);
guint64 metrics_store_get_n_dropped (MetricsStore *self);

G_END_DECLS
