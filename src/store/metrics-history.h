/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-pattern.h"
#include "store/metrics-entry.h"
#include "store/metrics-reader.h"

G_BEGIN_DECLS

/* What a query has yet to see; part of the query. */
typedef struct
{
  GList link; /* its place among the views that are open */
  gboolean is_open;
  gboolean is_lost;              /* whether it was given up: what it has yet to see is kept no more */
  guint64 start;                 /* how many deletions there had been when it began */
  guint64 last_id;               /* of the newest entry that it sees */
  guint64 at_id;                 /* of the entry at which it has arrived: up to here it needs nothing more */
  const MetricsPattern *pattern; /* (unowned) (nullable): which keys; %NULL where there is one key */
  MetricsKey key;                /* the key, where there is one */
  gint64 from;                   /* the span that it sees */
  gint64 to;
  MetricsReader *reader; /* (unowned): what it is reading; closed where the view is given up */
} MetricsView;

/* What was deleted and is not freed yet: some of it because a query that began earlier has to show it. */
typedef struct
{
  MetricsEntryList *entries;  /* (unowned) */
  MetricsUsage *usage;        /* (unowned) */
  MetricsChunkSource *source; /* (unowned) (nullable): who has what is on disk alone */
  guint64 memory_limit;       /* how many bytes of memory images may make of it all */
  guint64 n_deletions;        /* a clock: one tick a deletion of points of a series */
  GQueue views; /* (element-type MetricsView): views that are open, in the order of their start */
  MetricsImage *first_image; /* (owned) (nullable): oldest first */
  MetricsImage *last_image;  /* (unowned) (nullable) */
  MetricsImage *trash;       /* (owned) (nullable): what nobody has to show any more */
} MetricsHistory;

void metrics_history_init (MetricsHistory *self, MetricsEntryList *entries, MetricsUsage *usage);
void metrics_history_clear (MetricsHistory *self);

void metrics_history_open (MetricsHistory *self, MetricsView *view);
void metrics_history_close (MetricsHistory *self, MetricsView *view);

void metrics_history_discard (MetricsHistory *self, MetricsReader *reader);

gboolean metrics_history_make_room (MetricsHistory *self,
                                    const MetricsEntry *entry,
                                    gint64 from,
                                    gint64 to,
                                    gint *budget);
guint64 metrics_history_delete (MetricsHistory *self,
                                MetricsEntry *entry,
                                gint64 from,
                                gint64 to,
                                gint *budget);
const MetricsSeries *metrics_history_find (const MetricsHistory *self,
                                           const MetricsView *view,
                                           const MetricsEntry *entry,
                                           const MetricsHeld **past);
gboolean metrics_history_drain (MetricsHistory *self, gint *budget);

/* Whether there may be something to drain. */
static inline gboolean
metrics_history_has_trash (const MetricsHistory *self)
{
  return self->trash != NULL || self->first_image != NULL;
}

G_END_DECLS
