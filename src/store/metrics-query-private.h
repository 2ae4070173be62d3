/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-buckets.h"
#include "store/metrics-query.h"
#include "store/metrics-reader.h"
#include "store/metrics-rollup-query.h"
#include "store/metrics-store-private.h"

G_BEGIN_DECLS

typedef enum
{
  STEP_SEEK,   /* looks for the next entry */
  STEP_ARRIVE, /* stands on an entry and has nothing of it yet */
  STEP_READ,   /* reads the points of a series */
  STEP_LEAVE,  /* has read them and lets go of them */
  STEP_ROLLUP, /* reads or deletes what is rolled up of a series */
  STEP_DRAIN,  /* has given its answer and frees what it deleted, or what was kept for it */
  STEP_PUT,    /* puts a point */
  STEP_DONE,
} QueryStep;

struct _MetricsQuery
{
  MetricsStore *store;     /* (owned) */
  MetricsHistory *history; /* (unowned): the store's */
  MetricsUsage *usage;     /* (unowned): the store's */

  MetricsQuerySpec spec;   /* with no key: that is in the view */
  char *key;               /* (owned) */
  MetricsPattern *pattern; /* (owned) (nullable): %NULL where one key is asked for */
  MetricsView view;        /* open only where it reads: what it deletes itself it does not have to see */

  QueryStep step;
  MetricsEntry *cursor; /* (unowned) (nullable): the entry where it stands; pinned */
  MetricsReader reader;
  MetricsBuckets *buckets;                   /* (owned) (nullable): only where buckets are asked for */
  MetricsPoint points[METRICS_CHUNK_WINDOW]; /* of the row */
  guint64 n_deleted;
  MetricsRollupQuery rollup;

  MetricsChunkSource *source; /* (owned) (nullable): where it asked last */
  gpointer ticket;            /* (nullable): of what it waits for */
  MetricsChunk *gap;          /* (owned) (nullable): of the entry, which is to be split */
  gint64 gap_at;              /* where */
  GPtrArray *loaded; /* (owned) (nullable) (element-type MetricsChunk): of the entry; they stay in memory */
  gboolean is_lost;  /* whether what it waited for cannot be read */

  MetricsWaiter waiter; /* of one that puts, and waits for room */
  guint n_waits;        /* how often it did */
  gboolean has_evicted; /* whether it has made all the room that can be made now */
  GError *error;        /* (owned) (nullable): why the point was not put */

  MetricsQueryWakeFunc wake_func;
  gpointer wake_data; /* (unowned) */
};

void metrics_query_move_to (MetricsQuery *self, MetricsEntry *entry);
void metrics_query_wake (MetricsQuery *self);

gboolean metrics_query_ask (MetricsQuery *self, MetricsHold *hold, const MetricsChunkRequest *request);
MetricsQueryState metrics_query_load_gap (MetricsQuery *self, MetricsChunk *gap, gint64 at);
void metrics_query_drop_loaded (MetricsQuery *self);
void metrics_query_stop_waiting (MetricsQuery *self);

MetricsQueryState metrics_query_advance_put (MetricsQuery *self, gint *budget);

G_END_DECLS
