/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-rollup-private.h"
#include "store/metrics-rollup-read.h"

G_BEGIN_DECLS

typedef enum
{
  METRICS_ROLLUP_PHASE_FILL,    /* what has come before the first bucket of a tier */
  METRICS_ROLLUP_PHASE_LATE,    /* what was noted */
  METRICS_ROLLUP_PHASE_FORWARD, /* what has come behind the last bucket of a tier */
  METRICS_ROLLUP_PHASE_EXPIRE,  /* what is too old */
  METRICS_ROLLUP_PHASE_DONE,
} MetricsRollupPhase;

typedef enum
{
  METRICS_ROLLUP_TASK_ROLL,      /* puts buckets of a span into a hidden series */
  METRICS_ROLLUP_TASK_REMOVE,    /* deletes a span of it */
  METRICS_ROLLUP_TASK_SETTLE,    /* deletes a note, unless there are new ones */
  METRICS_ROLLUP_TASK_READ_LATE, /* makes tasks of the notes */
} MetricsRollupTaskKind;

typedef struct
{
  MetricsRollupTaskKind kind;
  MetricsRollupName name; /* of the hidden series */
  guint tier;
  MetricsAggregation function;
  gint64 from;
  gint64 to;
} MetricsRollupTask;

struct _MetricsRollupJob
{
  MetricsRollup *rollup; /* (unowned) */
  MetricsQueryWakeFunc wake;
  gpointer wake_data; /* (unowned) */
  gint64 now;

  MetricsEntry *cursor; /* (unowned) (nullable): the entry where the round stands; pinned */
  guint64 last_id;      /* where it ends */
  gboolean has_failed;  /* whether something that no rule asks for could not be removed in the round */
  gboolean is_leftover; /* whether the job removes what no rule asks for */
  gboolean is_over;

  char *key; /* (owned) (nullable): the key of the job; %NULL where there is none */
  gsize len;
  const MetricsRollupRule *rule; /* (unowned) (nullable) */
  MetricsRollupPhase phase;
  gint64 bound;            /* buckets that end up to here are complete */
  GQueue tasks;            /* (owned) (element-type MetricsRollupTask) */
  MetricsQuery *query;     /* (owned) (nullable): of the first task */
  MetricsRollupRead *read; /* (owned) (nullable): of the first task */
  MetricsPoint points[64]; /* that were read, and are to be put */
  guint n_points;
  guint at;
  GArray *noted; /* (owned) (element-type gint64): buckets that were noted during the job, a few */
  MetricsRollupSpan noted_more; /* where the others are */
};

MetricsRollupTask *metrics_rollup_job_add_task (MetricsRollupJob *self,
                                                MetricsRollupTaskKind kind,
                                                gint64 from,
                                                gint64 to);
void metrics_rollup_job_plan (MetricsRollupJob *self);
void metrics_rollup_job_plan_again (MetricsRollupJob *self, gint64 start, gint64 end);
void metrics_rollup_job_end (MetricsRollupJob *self);

G_END_DECLS
