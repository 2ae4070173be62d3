/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-job.h"

/* What there is to be done for a key: see metrics-rollup-job.c. */

/* A tier loses its oldest points together: each time the chunk that holds the end is coded anew. It does it
 * when they have been there for so much of their time more, or for a day more. */
#define SLACK_PARTS 32
#define MAX_SLACK (24 * 60 * 60)

MetricsRollupTask *
metrics_rollup_job_add_task (MetricsRollupJob *self, MetricsRollupTaskKind kind, gint64 from, gint64 to)
{
  MetricsRollupTask *task = g_new0 (MetricsRollupTask, 1);

  task->kind = kind;
  task->from = from;
  task->to = to;
  g_queue_push_tail (&self->tasks, task);
  return task;
}

/* For the series of a tier, whatever its rule keeps. */
static void
add_tier_tasks (MetricsRollupJob *self, MetricsRollupTaskKind kind, guint tier, gint64 from, gint64 to)
{
  for (guint i = 0; i < self->rule->n_functions; i++)
    {
      MetricsRollupTask *task = metrics_rollup_job_add_task (self, kind, from, to);

      task->tier = tier;
      task->function = self->rule->functions[i];
      metrics_rollup_name_tier (&task->name, self->key, self->len, task->function,
                                self->rule->tiers[tier].step);
    }
}

static void
add_mark_task (MetricsRollupJob *self, MetricsRollupTaskKind kind, const char *mark, gint64 from, gint64 to)
{
  metrics_rollup_name (&metrics_rollup_job_add_task (self, kind, from, to)->name, self->key, self->len, mark);
}

static MetricsEntry *
get_raw (const MetricsRollupJob *self)
{
  return metrics_rollup_lookup (self->rollup->store, self->key, self->len);
}

static gint64
get_oldest_wanted (const MetricsRollupJob *self, guint tier)
{
  return metrics_rollup_get_oldest (&self->rule->tiers[tier], self->now);
}

static MetricsRollupSpan
get_span (const MetricsRollupJob *self, guint tier)
{
  return metrics_rollup_get_span (self->rollup->store, self->key, self->len, self->rule, tier);
}

static gboolean
is_empty (MetricsRollupSpan span)
{
  return span.first >= span.end;
}

/* Finds what a tier lacks before its first bucket. */
static MetricsRollupSpan
get_missing (const MetricsRollupJob *self, guint tier, const MetricsEntry *raw, gint64 floor)
{
  MetricsRollupSpan span = get_span (self, tier);
  MetricsRollupSpan missing = { 0 };
  gint64 step = self->rule->tiers[tier].step;

  if (is_empty (span) || metrics_series_get_first_time (&raw->series) >= span.first)
    return missing;
  missing.first = metrics_rollup_align (metrics_series_get_first_time (&raw->series), step);
  missing.first = MAX (missing.first, metrics_rollup_align_up (floor, step));
  missing.first = MAX (missing.first, get_oldest_wanted (self, tier));
  missing.end = span.first;
  return missing;
}

/* Makes the buckets of a span again, in all tiers that there are. */
static void
add_span_tasks (MetricsRollupJob *self, MetricsRollupSpan all, gint64 floor)
{
  for (guint i = 0; i < self->rule->n_tiers; i++)
    {
      gint64 step = self->rule->tiers[i].step;
      MetricsRollupSpan span = get_span (self, i);
      gint64 from = MAX (metrics_rollup_align_up (MAX (all.first, floor), step), get_oldest_wanted (self, i));
      /* What is left out before what is put would look as if there were nothing. */
      gint64 end = MIN (metrics_rollup_align_up (all.end, step), span.end);
      gint64 complete = MIN (end, metrics_rollup_align (self->bound, step));

      if (is_empty (span) || from >= end)
        continue;
      add_tier_tasks (self, METRICS_ROLLUP_TASK_REMOVE, i, from, end - 1);
      if (from < complete)
        add_tier_tasks (self, METRICS_ROLLUP_TASK_ROLL, i, from, complete - 1);
    }
}

/* What was marked by a deletion, or is from a time when the server ended, is made again, too. */
static void
plan_fill (MetricsRollupJob *self)
{
  MetricsStore *store = self->rollup->store;
  const MetricsEntry *raw = get_raw (self);
  const MetricsEntry *marked = metrics_rollup_lookup_mark (store, self->key, self->len, METRICS_ROLLUP_FILL);
  gint64 floor = metrics_rollup_get_floor (store, self->key, self->len);
  MetricsRollupSpan all = { .first = G_MAXINT64, .end = G_MININT64 };

  if (marked != NULL)
    {
      all.first = metrics_series_get_first_time (&marked->series);
      all.end = metrics_series_get_last_time (&marked->series) + 1;
    }
  for (guint i = 0; i < self->rule->n_tiers && raw != NULL; i++)
    {
      MetricsRollupSpan missing = get_missing (self, i, raw, floor);

      if (is_empty (missing))
        continue;
      all.first = MIN (all.first, missing.first);
      all.end = MAX (all.end, missing.end);
    }
  if (is_empty (all) || !metrics_rollup_mark_fill (store, self->key, self->len, all))
    return;
  add_span_tasks (self, all, floor);
  add_mark_task (self, METRICS_ROLLUP_TASK_REMOVE, METRICS_ROLLUP_FILL, G_MININT64, G_MAXINT64);
}

/* A bucket of the coarsest tier is made again, and those of the finer ones in it, unless raw points of it are
 * missing. */
void
metrics_rollup_job_plan_again (MetricsRollupJob *self, gint64 start, gint64 end)
{
  gint64 floor = metrics_rollup_get_floor (self->rollup->store, self->key, self->len);

  for (guint i = 0; i < self->rule->n_tiers; i++)
    {
      gint64 step = self->rule->tiers[i].step;
      MetricsRollupSpan span = get_span (self, i);
      gint64 from = MAX (metrics_rollup_align (start, step), metrics_rollup_align_up (floor, step));
      /* What it would leave out before what it puts would look as if there were nothing. */
      gint64 to = MIN (metrics_rollup_align_up (end, step), span.end);
      gint64 complete = MIN (to, metrics_rollup_align (self->bound, step));

      from = MAX (from, span.first);
      if (is_empty (span) || from >= to)
        continue;
      add_tier_tasks (self, METRICS_ROLLUP_TASK_REMOVE, i, from, to - 1);
      if (from < complete)
        add_tier_tasks (self, METRICS_ROLLUP_TASK_ROLL, i, from, complete - 1);
    }
  add_mark_task (self, METRICS_ROLLUP_TASK_SETTLE, METRICS_ROLLUP_LATE, start, start);
}

static void
plan_late (MetricsRollupJob *self)
{
  self->rollup->noted_id = 0;
  if (metrics_rollup_lookup_mark (self->rollup->store, self->key, self->len, METRICS_ROLLUP_LATE) != NULL)
    add_mark_task (self, METRICS_ROLLUP_TASK_READ_LATE, METRICS_ROLLUP_LATE, G_MININT64, G_MAXINT64);
}

/* Where a job ended between the functions of a tier, some reach further than others, with what was so then:
 * that goes before any of it counts. */
static void
add_leftover_tasks (MetricsRollupJob *self, guint tier, gint64 from)
{
  for (guint i = 0; i < self->rule->n_functions; i++)
    {
      MetricsRollupName name;
      const MetricsEntry *entry;

      metrics_rollup_name_tier (&name, self->key, self->len, self->rule->functions[i],
                                self->rule->tiers[tier].step);
      entry = metrics_rollup_lookup (self->rollup->store, name.bytes, name.len);
      if (entry != NULL && metrics_series_get_last_time (&entry->series) >= from)
        metrics_rollup_job_add_task (self, METRICS_ROLLUP_TASK_REMOVE, from, G_MAXINT64)->name = name;
    }
}

static void
plan_forward (MetricsRollupJob *self)
{
  gint64 floor = metrics_rollup_get_floor (self->rollup->store, self->key, self->len);

  for (guint i = 0; i < self->rule->n_tiers; i++)
    {
      gint64 step = self->rule->tiers[i].step;
      MetricsRollupSpan span = get_span (self, i);
      gint64 from
          = is_empty (span) ? get_oldest_wanted (self, i) : MAX (span.end, get_oldest_wanted (self, i));
      gint64 end = metrics_rollup_align (MAX (self->bound, floor), step);

      add_leftover_tasks (self, i, is_empty (span) ? G_MININT64 : span.end);
      if (from < end)
        add_tier_tasks (self, METRICS_ROLLUP_TASK_ROLL, i, from, end - 1);
    }
}

static void
plan_expire (MetricsRollupJob *self)
{
  static const char *const marks[] = { METRICS_ROLLUP_FLOOR, METRICS_ROLLUP_LATE };
  gboolean has_tiers = FALSE;

  for (guint i = 0; i < self->rule->n_tiers; i++)
    {
      gint64 cutoff = get_oldest_wanted (self, i);
      gint64 slack = MIN (self->rule->tiers[i].keep / SLACK_PARTS, MAX_SLACK);
      MetricsRollupSpan span = get_span (self, i);

      has_tiers = has_tiers || !is_empty (span);
      if (!is_empty (span) && span.first < cutoff - slack)
        add_tier_tasks (self, METRICS_ROLLUP_TASK_REMOVE, i, G_MININT64, cutoff - 1);
    }
  if (has_tiers || get_raw (self) != NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    add_mark_task (self, METRICS_ROLLUP_TASK_REMOVE, marks[i], G_MININT64, G_MAXINT64);
}

/* Finds out up to where buckets are complete: points can come there no more, but late ones. */
static void
set_bound (MetricsRollupJob *self)
{
  const MetricsEntry *raw = get_raw (self);
  gint64 bound = raw != NULL ? metrics_series_get_last_time (&raw->series) : G_MININT64;

  if (self->rollup->cutoff != NULL && raw != NULL)
    bound = MAX (bound, self->rollup->cutoff (self->key, self->len, self->now, self->rollup->cutoff_data));
  self->bound = CLAMP (bound, METRICS_ROLLUP_MIN_TIME, METRICS_ROLLUP_MAX_TIME);
}

void
metrics_rollup_job_plan (MetricsRollupJob *self)
{
  set_bound (self);
  switch (self->phase++)
    {
    case METRICS_ROLLUP_PHASE_FILL:
      plan_fill (self);
      break;
    case METRICS_ROLLUP_PHASE_LATE:
      plan_late (self);
      break;
    case METRICS_ROLLUP_PHASE_FORWARD:
      plan_forward (self);
      break;
    case METRICS_ROLLUP_PHASE_EXPIRE:
      plan_expire (self);
      break;
    case METRICS_ROLLUP_PHASE_DONE:
      metrics_rollup_job_end (self);
      break;
    }
}
