/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunks.h"
#include "store/metrics-memory.h"

G_BEGIN_DECLS

/**
 * MetricsSeries:
 * @open: (owned) (nullable): the newest chunk, open, or sealed where those behind it were deleted until the
 * next point comes, or a gap; %NULL where the series has no points
 * @sealed: (owned) (nullable): all others, sealed but one at most; %NULL where there are none
 * @n_points: how many points all of them have
 *
 * The points of one key. Some of the chunks may be gaps, see metrics-gap.c. A plain struct, all zero when
 * empty, that lives inside its owner.
 */
typedef struct
{
  MetricsChunk *open;
  MetricsChunks *sealed;
  guint64 n_points;
} MetricsSeries;

/* How many chunks a deletion has to read at most. */
#define METRICS_SERIES_EDGES 3

gboolean metrics_series_put (MetricsSeries *self, MetricsPoint point, MetricsUsage *usage);
gboolean metrics_series_add_chunk (MetricsSeries *self, MetricsChunk *chunk, MetricsUsage *usage);
gsize metrics_series_get_first_growth (void);
gsize metrics_series_get_max_growth (void);
gsize metrics_series_get_growth (const MetricsSeries *self, MetricsPoint point, MetricsUsage *usage);

gint64 metrics_series_get_first_time (const MetricsSeries *self);
gint64 metrics_series_get_last_time (const MetricsSeries *self);
gboolean metrics_series_find (const MetricsSeries *self, gint64 time, MetricsPoint *point);
gboolean metrics_series_find_before (const MetricsSeries *self, gint64 time, gint64 *before);

gsize metrics_series_get_max_copy (const MetricsSeries *self);
void metrics_series_copy (const MetricsSeries *self, MetricsSeries *copy, MetricsUsage *usage);
void metrics_series_freeze (MetricsSeries *self, MetricsUsage *usage);
void metrics_series_collect (const MetricsSeries *self,
                             gint64 from,
                             gint64 to,
                             gboolean before,
                             GPtrArray *chunks,
                             MetricsUsage *usage);
gboolean metrics_series_has_points (const MetricsSeries *self, gint64 from, gint64 to);
void metrics_series_get_edges (const MetricsSeries *self,
                               gint64 from,
                               gint64 to,
                               MetricsChunk *edges[METRICS_SERIES_EDGES]);

guint64 metrics_series_remove (MetricsSeries *self,
                               gint64 from,
                               gint64 to,
                               MetricsSeries *removed,
                               MetricsUsage *usage);
gboolean metrics_series_drop (MetricsSeries *self, guint n_chunks, MetricsUsage *usage);
guint metrics_series_get_n_chunks (const MetricsSeries *self);

G_END_DECLS
