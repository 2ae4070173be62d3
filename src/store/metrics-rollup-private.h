/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-key.h"
#include "store/metrics-rollup.h"
#include "store/metrics-store-private.h"

#include <string.h>

G_BEGIN_DECLS

/* Times beyond these are not rolled up: buckets at the ends of 64 bits have no starts of their own. */
#define METRICS_ROLLUP_MIN_TIME (-(G_GINT64_CONSTANT (1) << 62))
#define METRICS_ROLLUP_MAX_TIME (G_GINT64_CONSTANT (1) << 62)

/* What belongs to a key besides its tiers: see metrics-rollup.c. */
#define METRICS_ROLLUP_FLOOR "floor"
#define METRICS_ROLLUP_LATE "late"
#define METRICS_ROLLUP_FILL "fill"

/* The name of a hidden series. */
typedef struct
{
  char bytes[METRICS_KEY_STORED_MAX + 1];
  gsize len;
} MetricsRollupName;

/**
 * MetricsRollupSpan:
 * @first: where it begins
 * @end: where it ends: the first time that is not its own; it is empty where that is not above @first
 */
typedef struct
{
  gint64 first;
  gint64 end;
} MetricsRollupSpan;

static inline gint64
metrics_rollup_align (gint64 time, gint64 step)
{
  gint64 offset;

  time = CLAMP (time, METRICS_ROLLUP_MIN_TIME, METRICS_ROLLUP_MAX_TIME);
  offset = time % step;
  return offset < 0 ? time - offset - step : time - offset;
}

static inline gint64
metrics_rollup_align_up (gint64 time, gint64 step)
{
  gint64 start = metrics_rollup_align (time, step);

  return start < time && start < METRICS_ROLLUP_MAX_TIME ? start + step : start;
}

/* The time before which a tier keeps nothing. */
static inline gint64
metrics_rollup_get_oldest (const MetricsRollupTier *tier, gint64 now)
{
  if (now < G_MININT64 + tier->keep)
    return METRICS_ROLLUP_MIN_TIME;
  return metrics_rollup_align_up (now - tier->keep, tier->step);
}

void metrics_rollup_name (MetricsRollupName *name, const char *key, gsize len, const char *suffix);
void metrics_rollup_name_tier (MetricsRollupName *name,
                               const char *key,
                               gsize len,
                               MetricsAggregation function,
                               gint64 step);
MetricsEntry *metrics_rollup_lookup (MetricsStore *store, const char *key, gsize len);
MetricsEntry *metrics_rollup_lookup_mark (MetricsStore *store,
                                          const char *key,
                                          gsize len,
                                          const char *suffix);
MetricsRollupSpan metrics_rollup_get_span (MetricsStore *store,
                                           const char *key,
                                           gsize len,
                                           const MetricsRollupRule *rule,
                                           guint tier);
gint64 metrics_rollup_get_floor (MetricsStore *store, const char *key, gsize len);
MetricsRollupSpan metrics_rollup_get_dirty (MetricsStore *store,
                                            const char *key,
                                            gsize len,
                                            const MetricsRollupRule *rule);
gboolean metrics_rollup_mark_fill (MetricsStore *store, const char *key, gsize len, MetricsRollupSpan span);
gboolean metrics_rollup_mark_late (MetricsStore *store,
                                   const char *key,
                                   gsize len,
                                   MetricsRollupSpan span,
                                   GError **error);
gboolean metrics_rollup_store_point (MetricsStore *store,
                                     const MetricsRollupName *name,
                                     MetricsPoint point,
                                     GError **error);

typedef struct _MetricsRollupJob MetricsRollupJob;

/**
 * MetricsRollup:
 * @store: (owned): the store
 * @rules: (owned): its rules
 * @next: (owned) (nullable): those that will take their place
 * @generation: how often they were set again
 * @is_settled: whether nothing is left of other rules
 * @widest: the largest step of all rules there were
 * @clock: what tells the time
 * @clock_data: (unowned): for @clock
 * @cutoff: (nullable): what tells which points are not taken any more
 * @cutoff_data: (unowned): for @cutoff
 * @job: (owned): what is being worked on
 * @noted_id: the number of the series that has been noted last; 0 for none
 * @noted_time: in which of its buckets
 */
struct _MetricsRollup
{
  MetricsStore *store;
  MetricsRollupRules *rules;
  MetricsRollupRules *next;
  guint generation;
  gboolean is_settled;
  gint64 widest;
  MetricsRollupClock clock;
  gpointer clock_data;
  MetricsRollupCutoff cutoff;
  gpointer cutoff_data;
  MetricsRollupJob *job;
  guint64 noted_id;
  gint64 noted_time;
};

MetricsRollupJob *metrics_rollup_job_new (MetricsRollup *rollup);
void metrics_rollup_job_free (MetricsRollupJob *self);
void metrics_rollup_job_reset (MetricsRollupJob *self);
void metrics_rollup_take_next (MetricsRollup *self);
gint64 metrics_rollup_job_get_bound (MetricsRollupJob *self, const char *key, gsize len);
void metrics_rollup_job_note (MetricsRollupJob *self, const char *key, gsize len, gint64 time);
void metrics_rollup_job_cancel (MetricsRollupJob *self, const char *key, gsize len);

G_END_DECLS
