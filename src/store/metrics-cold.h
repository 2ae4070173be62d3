/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-entry.h"

G_BEGIN_DECLS

/**
 * MetricsWaiter:
 * @func: what to call when it is worth to try again: in the main loop
 * @data: for @func
 * @link: its place among those that wait
 * @is_waiting: whether it does
 * @is_refused: whether it need not try: the checkpoint failed that it waited for
 *
 * Who waits for room in a store; part of a query.
 */
typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
  GList link;
  gboolean is_waiting;
  gboolean is_refused;
} MetricsWaiter;

/**
 * MetricsCold:
 * @hand_id: of the entry at which eviction has arrived and is not done; 0 where there is none
 * @hand_time: where in that series it goes on
 * @hand_until: up to where it goes there
 * @n_left: how many entries there are still to visit in this round
 * @round: the first takes the older half of each series, the second all; 0 where there is none
 * @is_exhausted: whether nothing was left to be evicted when it was tried last
 * @n_settled: how many checkpoints have ended
 * @n_refused: how many puts were refused since there was no memory
 * @has_young: whether chunks were found that can leave memory after the next checkpoint, if nothing comes to
 *   them until then
 * @has_touched: whether chunks were found that the next checkpoint will write only since it was asked to
 * @settled: all changes up to this position of the journal are in the chunks on disk
 * @stale: (owned) (nullable) (element-type MetricsStale MetricsStale): by number of the series, where there
 *   may be points on disk that were deleted
 * @waiting: (element-type MetricsWaiter): who waits for room
 *
 * What a store knows of its chunks that are on disk, or go there.
 */
typedef struct
{
  guint64 hand_id;
  gint64 hand_time;
  gint64 hand_until;
  guint64 n_left;
  guint round;
  gboolean is_exhausted;
  guint n_settled;
  guint64 n_refused;
  gboolean has_young;
  gboolean has_touched;
  guint64 settled;
  GHashTable *stale;
  GQueue waiting;
} MetricsCold;

void metrics_cold_clear (MetricsCold *self, MetricsUsage *usage);
void metrics_cold_forget (MetricsCold *self, guint64 id, MetricsUsage *usage);
void metrics_cold_add_stale (MetricsCold *self,
                             guint64 id,
                             gint64 from,
                             gint64 to,
                             guint64 position,
                             MetricsUsage *usage);
gboolean metrics_cold_is_stale (const MetricsCold *self, guint64 id, gint64 from, gint64 to);
void metrics_cold_settle (MetricsCold *self, guint64 position, MetricsUsage *usage);

G_END_DECLS
