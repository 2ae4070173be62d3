/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-series.h"

G_BEGIN_DECLS

MetricsChunk *metrics_series_find_gap (const MetricsSeries *self, gint64 time);
MetricsChunk *metrics_series_find_cut (const MetricsSeries *self, gint64 from, gint64 to, gint64 *at);
gboolean metrics_series_may_have_gaps (const MetricsSeries *self);

void metrics_gap_ask (const MetricsChunk *gap, guint64 id, gint64 at, MetricsChunkRequest *request);
MetricsChunk *metrics_series_split (MetricsSeries *self,
                                    MetricsChunk *gap,
                                    gint64 at,
                                    const MetricsChunkAnswer *answer,
                                    MetricsUsage *usage);

G_END_DECLS
