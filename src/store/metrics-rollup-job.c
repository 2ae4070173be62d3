/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-job.h"

/* The work that keeps what is rolled up in line with the points and with the rules. A round visits all
 * entries and does a job for each key. A job has phases; a phase makes a list of tasks, which are done one by
 * one, by queries as clients have them, so that it can stop anywhere.
 *
 * What clients do meanwhile to the key of the job: a point that comes into a bucket which the job may have
 * read is noted like one that comes into a bucket that is rolled (metrics_rollup_job_get_bound()), and what
 * is noted during the job is noted again at its end; a deletion ends the job. */

/* What a visit costs, and what of a rule is looked at, in units of work: see metrics_query_next(). */
#define VISIT_UNITS 8
#define RULE_UNITS 16

/* How many notes are looked after at a time. */
#define MAX_NOTES 32

/* How many buckets that were noted during a job are remembered one by one; of more, the span. */
#define MAX_NOTED 64

static const MetricsRollupSpan nowhere = { .first = G_MAXINT64, .end = G_MININT64 };

/**
 * metrics_rollup_job_new:
 * @rollup: (unowned): whose it is
 *
 * Returns: (transfer full): an object that has nothing to do
 */
MetricsRollupJob *
metrics_rollup_job_new (MetricsRollup *rollup)
{
  MetricsRollupJob *self = g_new0 (MetricsRollupJob, 1);

  self->rollup = rollup;
  self->is_over = TRUE;
  self->noted = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->noted_more = nowhere;
  return self;
}

static void
drop_queries (MetricsRollupJob *self)
{
  g_clear_pointer (&self->query, metrics_query_free);
  g_clear_pointer (&self->read, metrics_rollup_read_free);
}

static void
drop_tasks (MetricsRollupJob *self)
{
  drop_queries (self);
  g_queue_clear_full (&self->tasks, g_free);
}

static void
move_to (MetricsRollupJob *self, MetricsEntry *entry)
{
  if (entry != NULL)
    metrics_store_pin (self->rollup->store, entry);
  if (self->cursor != NULL)
    metrics_store_unpin (self->rollup->store, self->cursor);
  self->cursor = entry;
}

/* What was noted while the job took notes away is noted once more; where that fails, so does all else. */
void
metrics_rollup_job_end (MetricsRollupJob *self)
{
  drop_tasks (self);
  for (guint i = 0; i < self->noted->len && self->rule != NULL; i++)
    {
      MetricsRollupSpan span = { .first = g_array_index (self->noted, gint64, i) };

      span.end = span.first + self->rule->tiers[self->rule->n_tiers - 1].step;
      metrics_rollup_mark_late (self->rollup->store, self->key, self->len, span, NULL);
    }
  g_array_set_size (self->noted, 0);
  if (self->noted_more.first < self->noted_more.end)
    metrics_rollup_mark_fill (self->rollup->store, self->key, self->len, self->noted_more);
  self->noted_more = nowhere;
  g_clear_pointer (&self->key, g_free);
}

/**
 * metrics_rollup_job_free:
 * @self: (transfer full): an object
 */
void
metrics_rollup_job_free (MetricsRollupJob *self)
{
  metrics_rollup_job_end (self);
  move_to (self, NULL);
  g_array_unref (self->noted);
  g_free (self);
}

/**
 * metrics_rollup_job_reset:
 * @self: an object
 *
 * Ends the job and the round.
 */
void
metrics_rollup_job_reset (MetricsRollupJob *self)
{
  metrics_rollup_job_end (self);
  self->rule = NULL;
  move_to (self, NULL);
  self->is_over = TRUE;
}

static gboolean
is_of (const MetricsRollupJob *self, const char *key, gsize len)
{
  return self->key != NULL && self->len == len && memcmp (self->key, key, len) == 0;
}

/**
 * metrics_rollup_job_get_bound:
 * @self: an object
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Returns: the time before which buckets of the key may be being rolled just now
 */
gint64
metrics_rollup_job_get_bound (MetricsRollupJob *self, const char *key, gsize len)
{
  return is_of (self, key, len) ? self->bound : G_MININT64;
}

/**
 * metrics_rollup_job_note:
 * @self: an object
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @time: the bucket of it that was noted
 *
 * Says that something was noted.
 */
void
metrics_rollup_job_note (MetricsRollupJob *self, const char *key, gsize len, gint64 time)
{
  if (!is_of (self, key, len))
    return;
  /* Clients decide how many come, and the end of the job does them all at once. */
  for (guint i = 0; i < self->noted->len; i++)
    if (g_array_index (self->noted, gint64, i) == time)
      return;
  if (self->noted->len < MAX_NOTED)
    {
      g_array_append_val (self->noted, time);
      return;
    }
  self->noted_more.first = MIN (self->noted_more.first, time);
  self->noted_more.end = MAX (self->noted_more.end, time + self->rule->tiers[self->rule->n_tiers - 1].step);
}

/**
 * metrics_rollup_job_cancel:
 * @self: an object
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Ends the job, if it is one for that key.
 */
void
metrics_rollup_job_cancel (MetricsRollupJob *self, const char *key, gsize len)
{
  if (!is_of (self, key, len))
    return;
  self->has_failed = self->has_failed || self->is_leftover;
  metrics_rollup_job_end (self);
}

static MetricsQuery *
make_query (MetricsRollupJob *self, const MetricsRollupTask *task)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_DELETE,
    .key = task->name.bytes,
    .key_len = task->name.len,
    .is_raw = TRUE,
    .from = task->from,
    .to = task->to,
  };
  MetricsQuery *query;

  if (task->kind == METRICS_ROLLUP_TASK_READ_LATE)
    spec.kind = METRICS_QUERY_POINTS;
  else if (task->kind == METRICS_ROLLUP_TASK_ROLL)
    {
      spec.kind = METRICS_QUERY_PUT;
      spec.point = self->points[self->at];
    }
  query = metrics_query_new (self->rollup->store, &spec);
  metrics_query_set_wake_func (query, self->wake, self->wake_data);
  return query;
}

static MetricsRollupRead *
make_read (MetricsRollupJob *self, const MetricsRollupTask *task, gint *budget)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_BUCKETS,
    .key = self->key,
    .key_len = self->len,
    .from = task->from,
    .to = task->to,
    .step = self->rule->tiers[task->tier].step,
    .aggregation = task->function,
  };
  MetricsRollupRead *read
      = metrics_rollup_read_new_below (self->rollup->store, self->rule, task->tier, &spec, budget);

  metrics_rollup_read_set_wake_func (read, self->wake, self->wake_data);
  return read;
}

/* Puts the next of the buckets that were read. Where it falls into a part of the hidden series that is not in
 * memory, a query waits for that. Returns: DONE where it is put, LOST where there is no room now */
static MetricsQueryState
put_next (MetricsRollupJob *self, MetricsRollupTask *task, gint *budget)
{
  MetricsStore *store = self->rollup->store;
  g_autoptr (GError) error = NULL;
  MetricsQueryRow row;
  MetricsQueryState state;
  guint64 n_before;

  (*budget)--;
  if (self->query == NULL)
    {
      if (metrics_rollup_store_point (store, &task->name, self->points[self->at], &error))
        return METRICS_QUERY_DONE;
      if (!g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET))
        return METRICS_QUERY_LOST;
      self->query = make_query (self, task);
    }
  n_before = metrics_store_get_usage (store)->n_points;
  state = metrics_query_next (self->query, budget, &row);
  metrics_store_get_hidden (store)->n_points += metrics_store_get_usage (store)->n_points - n_before;
  if (state == METRICS_QUERY_DONE)
    g_clear_pointer (&self->query, metrics_query_free);
  return state == METRICS_QUERY_REFUSED ? METRICS_QUERY_LOST : state;
}

static MetricsQueryState
roll (MetricsRollupJob *self, MetricsRollupTask *task, gint *budget)
{
  MetricsQueryState state = METRICS_QUERY_DONE;

  if (self->read == NULL)
    {
      self->read = make_read (self, task, budget);
      self->at = self->n_points = 0;
    }
  while (self->at<self->n_points && * budget> 0)
    {
      state = put_next (self, task, budget);
      if (state != METRICS_QUERY_DONE)
        return state;
      self->at++;
    }
  *budget -= metrics_store_take_work (self->rollup->store);
  if (self->at < self->n_points)
    return METRICS_QUERY_PAUSED;
  self->at = 0;
  return metrics_rollup_read_next (self->read, budget, self->points, G_N_ELEMENTS (self->points),
                                   &self->n_points);
}

static MetricsQueryState
read_late (MetricsRollupJob *self, MetricsRollupTask *task, gint *budget)
{
  MetricsQueryRow row;
  MetricsQueryState state;
  const MetricsEntry *late;
  guint n;

  if (self->query == NULL)
    self->query = make_query (self, task);
  state = metrics_query_next (self->query, budget, &row);
  if (state != METRICS_QUERY_ROW)
    return state;
  n = MIN (row.n_points, MAX_NOTES);
  for (guint i = 0; i < n; i++)
    metrics_rollup_job_plan_again (self, row.points[i].time,
                                   row.points[i].time
                                       + (gint64) CLAMP (row.points[i].value, 1, METRICS_ROLLUP_MAX_TIME));
  /* The others have their turn when these are settled. */
  late = metrics_rollup_lookup (self->rollup->store, task->name.bytes, task->name.len);
  if (late != NULL && late->series.n_points > n && self->noted->len == 0)
    self->phase = METRICS_ROLLUP_PHASE_LATE;
  return METRICS_QUERY_DONE;
}

/* Works on the first task. Returns: DONE where it is done, LOST where it cannot be now */
static MetricsQueryState
do_task (MetricsRollupJob *self, MetricsRollupTask *task, gint *budget)
{
  MetricsQueryRow row;

  switch (task->kind)
    {
    case METRICS_ROLLUP_TASK_ROLL:
      return roll (self, task, budget);
    case METRICS_ROLLUP_TASK_READ_LATE:
      return read_late (self, task, budget);
    case METRICS_ROLLUP_TASK_SETTLE:
      if (self->noted->len > 0 && self->query == NULL)
        return METRICS_QUERY_DONE;
      break;
    case METRICS_ROLLUP_TASK_REMOVE:
      break;
    }
  if (self->query == NULL)
    self->query = make_query (self, task);
  return metrics_query_next (self->query, budget, &row);
}

/* Returns: NOT_YET where it has to wait */
static MetricsQueryState
work_on_job (MetricsRollupJob *self, gint *budget)
{
  MetricsRollupTask *task = g_queue_peek_head (&self->tasks);
  MetricsQueryState state;

  if (task == NULL)
    {
      *budget -= RULE_UNITS;
      metrics_rollup_job_plan (self);
      return METRICS_QUERY_PAUSED;
    }
  state = do_task (self, task, budget);
  if (state == METRICS_QUERY_LOST || state == METRICS_QUERY_REFUSED)
    {
      /* What cannot be rolled up now is no obstacle for other rules; what none asks for and is still there
       * is. */
      self->has_failed = self->has_failed || self->is_leftover;
      metrics_rollup_job_end (self);
    }
  if (state == METRICS_QUERY_DONE)
    {
      drop_queries (self);
      g_free (g_queue_pop_head (&self->tasks));
    }
  return state == METRICS_QUERY_NOT_YET ? state : METRICS_QUERY_PAUSED;
}

static gboolean
belongs_to (const MetricsEntry *entry, const MetricsRollupRule *rule, gsize len)
{
  static const char *const marks[] = { METRICS_ROLLUP_FLOOR, METRICS_ROLLUP_LATE, METRICS_ROLLUP_FILL };
  MetricsRollupName name;

  if (rule == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      metrics_rollup_name (&name, entry->bytes, len, marks[i]);
      if (metrics_entry_is_of (entry, name.bytes, name.len))
        return TRUE;
    }
  for (guint i = 0; i < rule->n_tiers * rule->n_functions; i++)
    {
      metrics_rollup_name_tier (&name, entry->bytes, len, rule->functions[i % rule->n_functions],
                                rule->tiers[i / rule->n_functions].step);
      if (metrics_entry_is_of (entry, name.bytes, name.len))
        return TRUE;
    }
  return FALSE;
}

/* Begins the job of the entry where the round stands: for its key, or to remove what no rule asks for. */
static void
begin_job (MetricsRollupJob *self)
{
  MetricsEntry *entry = self->cursor;
  gsize len = metrics_key_get_public_len (entry->bytes, entry->head.len);
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rollup->rules, entry->bytes, len);
  gboolean is_left = entry->head.is_hidden && !belongs_to (entry, rule, len);

  /* Hidden ones are looked after with the key that they belong to, where that has points. */
  if (entry->series.n_points == 0
      || (!is_left
          && (rule == NULL
              || (entry->head.is_hidden
                  && metrics_rollup_lookup (self->rollup->store, entry->bytes, len) != NULL))))
    return;
  self->key = g_memdup2 (entry->bytes, len);
  self->len = len;
  self->rule = rule;
  self->is_leftover = is_left;
  self->bound = G_MININT64;
  self->phase = is_left ? METRICS_ROLLUP_PHASE_DONE : METRICS_ROLLUP_PHASE_FILL;
  if (is_left)
    {
      MetricsRollupTask *task
          = metrics_rollup_job_add_task (self, METRICS_ROLLUP_TASK_REMOVE, G_MININT64, G_MAXINT64);

      memcpy (task->name.bytes, entry->bytes, entry->head.len);
      task->name.len = entry->head.len;
    }
}

static void
begin_round (MetricsRollupJob *self)
{
  self->is_over = FALSE;
  self->has_failed = FALSE;
  self->last_id = metrics_store_get_entries (self->rollup->store)->newest_id;
}

/* Rules that had to wait for it hold now, and another round begins. */
static void
end_round (MetricsRollupJob *self)
{
  MetricsRollup *rollup = self->rollup;

  rollup->is_settled = rollup->is_settled || !self->has_failed;
  if (!rollup->is_settled || rollup->next == NULL)
    return;
  metrics_rollup_take_next (rollup);
  begin_round (self);
}

/* Goes to the next entry. */
static void
seek (MetricsRollupJob *self, gint *budget)
{
  MetricsEntry *entry
      = self->cursor != NULL ? self->cursor->next : metrics_store_get_entries (self->rollup->store)->first;

  *budget -= VISIT_UNITS;
  if (entry == NULL || entry->id > self->last_id)
    {
      move_to (self, NULL);
      self->is_over = TRUE;
      end_round (self);
      return;
    }
  move_to (self, entry);
  begin_job (self);
}

/**
 * metrics_rollup_set_wake_func:
 * @self: an object
 * @func: what to call when metrics_rollup_work() can go on that said %METRICS_QUERY_NOT_YET
 * @user_data: for @func
 */
void
metrics_rollup_set_wake_func (MetricsRollup *self, MetricsQueryWakeFunc func, gpointer user_data)
{
  self->job->wake = func;
  self->job->wake_data = user_data;
}

/**
 * metrics_rollup_begin:
 * @self: an object
 *
 * Begins a round: all that can be rolled up now will be, and what is too old or not asked for any more goes.
 * Where there is one that is not over, it is gone on with.
 */
void
metrics_rollup_begin (MetricsRollup *self)
{
  MetricsRollupJob *job = self->job;

  job->now = self->clock (self->clock_data);
  if (!job->is_over)
    return;
  begin_round (job);
}

/**
 * metrics_rollup_work:
 * @self: an object
 * @budget: (inout): see metrics_query_next()
 *
 * Goes on with the round.
 *
 * Returns: %METRICS_QUERY_DONE where it is over, %METRICS_QUERY_PAUSED where the budget is used up,
 *   %METRICS_QUERY_NOT_YET where it will be woken
 */
MetricsQueryState
metrics_rollup_work (MetricsRollup *self, gint *budget)
{
  MetricsRollupJob *job = self->job;

  while (*budget > 0 && !job->is_over)
    {
      if (job->key == NULL)
        seek (job, budget);
      else if (work_on_job (job, budget) == METRICS_QUERY_NOT_YET)
        return METRICS_QUERY_NOT_YET;
    }
  return job->is_over ? METRICS_QUERY_DONE : METRICS_QUERY_PAUSED;
}
