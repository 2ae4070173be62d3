/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-pattern.h"
#include "store/metrics-rollup-read.h"

G_BEGIN_DECLS

/**
 * MetricsRollupQuery:
 * @rollup: (unowned) (nullable): %NULL where rollups are none of its business
 * @wake: what is called when it can go on that was told to wait
 * @wake_data: (unowned): for @wake
 * @read: (owned) (nullable): the buckets of the entry where the query stands
 * @inner: (owned) (nullable): deletes a hidden series of that entry
 * @n_inner: how many there have been for the entry
 * @generation: by which rules
 *
 * The part of a query that has to do with rollups.
 */
typedef struct
{
  MetricsRollup *rollup;
  MetricsQueryWakeFunc wake;
  gpointer wake_data;
  MetricsRollupRead *read;
  MetricsQuery *inner;
  guint n_inner;
  guint generation;
} MetricsRollupQuery;

/* What a query does that has come to an entry. */
typedef enum
{
  METRICS_ROLLUP_NONE,  /* goes on as if there were no rollups */
  METRICS_ROLLUP_LEAVE, /* goes to the next one */
  METRICS_ROLLUP_BEGUN, /* calls metrics_rollup_query_next() */
} MetricsRollupArrival;

MetricsEntry *metrics_rollup_find_orphan (MetricsRollup *self, const char *key, gsize len);
gboolean metrics_rollup_stands_for (MetricsRollup *self, MetricsEntry *entry);
MetricsQuery *metrics_rollup_delete_next (MetricsRollup *self,
                                          const MetricsEntry *entry,
                                          gint64 from,
                                          gint64 to,
                                          guint *at);

void metrics_rollup_query_init (MetricsRollupQuery *self,
                                MetricsStore *store,
                                const MetricsQuerySpec *spec,
                                MetricsQueryWakeFunc wake,
                                gpointer wake_data);
void metrics_rollup_query_clear (MetricsRollupQuery *self);
void metrics_rollup_query_begin_delete (MetricsRollupQuery *self,
                                        MetricsStore *store,
                                        const MetricsQuerySpec *spec);

MetricsEntry *metrics_rollup_query_find (const MetricsRollupQuery *self,
                                         MetricsEntry *entry,
                                         const char *key,
                                         gsize len,
                                         gboolean is_raw);
gboolean metrics_rollup_query_wants (const MetricsRollupQuery *self,
                                     const MetricsPattern *pattern,
                                     MetricsEntry *entry);
MetricsRollupArrival metrics_rollup_query_arrive (MetricsRollupQuery *self,
                                                  MetricsEntry *entry,
                                                  const MetricsQuerySpec *spec,
                                                  gint *budget);
MetricsQueryState metrics_rollup_query_next (MetricsRollupQuery *self,
                                             const MetricsEntry *entry,
                                             const MetricsQuerySpec *spec,
                                             gint *budget,
                                             MetricsPoint *points,
                                             guint max,
                                             guint *n_points);

G_END_DECLS
