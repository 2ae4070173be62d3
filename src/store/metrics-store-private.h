/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-cold.h"
#include "store/metrics-hash.h"
#include "store/metrics-history.h"
#include "store/metrics-keeping.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsRollup MetricsRollup;

/**
 * MetricsHidden:
 * @rollup: (unowned) (nullable): who rolls points up; %NULL where nobody does
 * @n_series: how many of the series are hidden
 * @n_points: how many points these have
 *
 * What a store holds besides what clients put.
 */
typedef struct
{
  MetricsRollup *rollup;
  guint64 n_series;
  guint64 n_points;
} MetricsHidden;

typedef struct _MetricsWatcher MetricsWatcher;

/**
 * MetricsWatching:
 * @first: (unowned) (nullable): one who watches, before all others
 * @n: how many do
 * @cost: how many steps it takes to match a key with all that is watched
 * @memory: how many bytes there are for points that were not taken yet, of all of them
 *
 * Who is told of points that are put.
 */
typedef struct
{
  MetricsWatcher *first;
  guint n;
  gsize cost;
  gsize memory;
  guint64 n_dropped;
} MetricsWatching;

struct _MetricsStore
{
  GObject parent_instance;

  guint64 series_limit;
  guint64 memory_limit;
  guint64 memory_safe;              /* up to here no put to a series can exceed the limit */
  guint64 memory_high;              /* up to here a put need not think of memory at all */
  MetricsChunkSource *chunk_source; /* (owned) (nullable) */
  MetricsJournal *journal;          /* (owned) (nullable) */

  GHashTable *table; /* (owned) (element-type MetricsEntry MetricsEntry): a set; the entries are the list's */
  MetricsHashSeed seed;
  MetricsEntryList entries;
  MetricsHistory history;
  MetricsUsage usage;
  MetricsCold cold;
  MetricsKeeping keeping;
  MetricsHidden hidden;
  MetricsWatching watching;
  gboolean is_followed; /* whether anybody is told of points: one question for a put to ask, and not two */
};

/* What queries need of a store, and those who restore it. */

MetricsChunkSource *metrics_store_get_chunk_source (MetricsStore *self);
MetricsUsage *metrics_store_get_usage (MetricsStore *self);
MetricsHistory *metrics_store_get_history (MetricsStore *self);
MetricsKeeping *metrics_store_get_keeping (MetricsStore *self);
MetricsHidden *metrics_store_get_hidden (MetricsStore *self);

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

void metrics_store_update_followed (MetricsStore *self);
void metrics_store_tell_watchers (MetricsStore *self, const MetricsEntry *entry, MetricsPoint point);

/* What is on disk alone, and what goes there. */

gboolean metrics_store_is_cold (const MetricsStore *self);
guint64 metrics_store_get_low_water (const MetricsStore *self);
void metrics_store_note_stale (MetricsStore *self, guint64 id, gint64 from, gint64 to);
MetricsChunk *metrics_store_split (MetricsStore *self,
                                   MetricsEntry *entry,
                                   MetricsChunk *gap,
                                   gint64 at,
                                   const MetricsChunkAnswer *answer);
gboolean metrics_store_has_room (const MetricsStore *self);
gboolean metrics_store_can_get_room (MetricsStore *self);
void metrics_store_wait (MetricsStore *self, MetricsWaiter *waiter);
void metrics_store_stop_waiting (MetricsStore *self, MetricsWaiter *waiter);

G_END_DECLS
