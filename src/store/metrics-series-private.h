/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-series.h"

G_BEGIN_DECLS

static inline void
metrics_series_count_points (MetricsSeries *self, gint64 n, MetricsUsage *usage)
{
  self->n_points += n;
  usage->n_points += n;
}

static inline void
metrics_series_count_open (MetricsSeries *self, gsize size_before, MetricsUsage *usage)
{
  usage->memory += metrics_chunk_get_size (self->open);
  usage->memory -= size_before;
}

gint64 metrics_series_replace_sealed (MetricsSeries *self,
                                      GSequenceIter *iter,
                                      MetricsChunk *const *chunks,
                                      guint n,
                                      MetricsUsage *usage);

G_END_DECLS
