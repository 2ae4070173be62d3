/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-rows.h"
#include "store/metrics-chunk-source.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsFetcherDamageFunc:
 * @row: (nullable): a row of the table of chunks that is left out, told once; %NULL where it cannot be told
 *   which rows there are, since pages of the index are damaged
 * @user_data: of metrics_fetcher_new()
 *
 * Is told of damage.
 */
typedef void (*MetricsFetcherDamageFunc) (const MetricsDamagedRow *row, gpointer user_data);

typedef struct _MetricsFetcher MetricsFetcher;

MetricsFetcher *metrics_fetcher_new (const char *path,
                                     MetricsFetcherDamageFunc damage,
                                     gpointer user_data,
                                     GError **error);
void metrics_fetcher_close (MetricsFetcher *self);

gboolean metrics_fetcher_read (MetricsFetcher *self,
                               const MetricsChunkRequest *request,
                               MetricsChunkAnswer *answer,
                               GError **error);
void metrics_fetcher_renew (MetricsFetcher *self);
void metrics_fetcher_limit (MetricsFetcher *self, guint64 wal_size);

MetricsHold *metrics_fetcher_hold (MetricsFetcher *self);
MetricsHold *metrics_hold_ref (MetricsHold *self);
void metrics_hold_unref (MetricsHold *self);
gpointer metrics_fetcher_request (MetricsFetcher *self,
                                  MetricsHold *hold,
                                  const MetricsChunkRequest *request,
                                  MetricsChunkSourceFunc func,
                                  gpointer user_data);
void metrics_fetcher_cancel (MetricsFetcher *self, gpointer ticket);

G_END_DECLS
