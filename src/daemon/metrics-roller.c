/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-roller.h"

/* Lets the store be rolled up: as often as the finest tier has a new bucket, but once a minute at least and
 * once a second at most, and a second after the start. */

#define FIRST 1
#define MAX_INTERVAL 60

/* Units of work, see MetricsLimits, that are done at once of what nobody waits for. */
#define SLICE 2048

/* After a round it rests for so many times as long as that took: millions of series must not take more than
 * a twentieth of a processor. */
#define REST 20

struct _MetricsRoller
{
  MetricsRollup *rollup;             /* (owned) */
  const MetricsRollupRules *rules;   /* (unowned) */
  const MetricsRetention *retention; /* (unowned) */
  MetricsInstantFunc func;
  gpointer data; /* (unowned) */
  MetricsClockGuard guard;
  gint64 now;         /* in seconds, G_MININT64 while the clock cannot be believed */
  gint64 busy;        /* how long the round took so far, in microseconds */
  gint64 rests_until; /* time elapsed */
  gboolean is_rolling;
  guint timer_id;
  guint slice_id;
};

static gint64
tell_time (gpointer user_data)
{
  return ((const MetricsRoller *) user_data)->now;
}

static gint64
tell_cutoff (const char *key, gsize len, gint64 now, gpointer user_data)
{
  const MetricsRoller *self = user_data;
  guint rule = metrics_rules_find (metrics_retention_get_rules (self->retention), key, len);

  return now > G_MININT64 ? metrics_retention_get_cutoff (self->retention, rule, now) : G_MININT64;
}

static gboolean
slice_cb (gpointer user_data)
{
  MetricsRoller *self = user_data;
  gint budget = SLICE;
  MetricsQueryState state;
  MetricsInstant before, after;

  self->func (&before, self->data);
  state = metrics_rollup_work (self->rollup, &budget);
  self->func (&after, self->data);
  self->busy += after.elapsed - before.elapsed;
  if (state == METRICS_QUERY_PAUSED)
    return G_SOURCE_CONTINUE;
  self->slice_id = 0;
  if (state == METRICS_QUERY_DONE)
    {
      self->is_rolling = FALSE;
      self->rests_until = after.elapsed + REST * self->busy;
    }
  return G_SOURCE_REMOVE;
}

static void
wake_cb (MetricsQuery *query, gpointer user_data)
{
  MetricsRoller *self = user_data;

  /* Not at an idle priority, which is never reached while clients are busy. */
  if (self->slice_id == 0)
    self->slice_id = g_idle_add_full (G_PRIORITY_DEFAULT, slice_cb, self, NULL);
}

/**
 * metrics_roller_tick:
 * @self: a roller
 *
 * What it does from time to time: it begins a round, unless the one before is under way or it rests from it.
 */
void
metrics_roller_tick (MetricsRoller *self)
{
  MetricsInstant now;

  self->func (&now, self->data);
  self->now = metrics_clock_guard_check (&self->guard, &now) ? now.real / G_USEC_PER_SEC : G_MININT64;
  if (self->is_rolling || now.elapsed < self->rests_until)
    return;
  self->busy = 0;
  self->is_rolling = TRUE;
  metrics_rollup_begin (self->rollup);
  wake_cb (NULL, self);
}

static gboolean
timer_cb (gpointer user_data)
{
  metrics_roller_tick (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
first_cb (gpointer user_data)
{
  MetricsRoller *self = user_data;
  gint64 interval = CLAMP (metrics_rollup_rules_get_finest (self->rules), 1, MAX_INTERVAL);

  self->timer_id = g_timeout_add_seconds (interval, timer_cb, self);
  metrics_roller_tick (self);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_roller_new:
 * @store: a store
 * @rules: what is rolled up; they have to live as long as the roller
 * @retention: how long points are kept; as long
 * @witness: see metrics_clock_guard_init()
 * @func: (scope forever): what shows the time
 * @user_data: for @func
 *
 * Begins to roll the store up. Where there are no rules, what is rolled up already goes.
 *
 * Returns: (transfer full): it
 */
MetricsRoller *
metrics_roller_new (MetricsStore *store,
                    const MetricsRollupRules *rules,
                    const MetricsRetention *retention,
                    gint64 witness,
                    MetricsInstantFunc func,
                    gpointer user_data)
{
  MetricsRoller *self = g_new0 (MetricsRoller, 1);
  MetricsInstant now;

  g_assert (METRICS_IS_STORE (store));

  self->rules = rules;
  self->retention = retention;
  self->func = func;
  self->data = user_data;
  self->now = G_MININT64;
  func (&now, user_data);
  metrics_clock_guard_init (&self->guard, &now, witness);
  self->rollup = metrics_rollup_new (store, rules, tell_time, self);
  metrics_rollup_set_cutoff_func (self->rollup, tell_cutoff, self);
  metrics_rollup_set_wake_func (self->rollup, wake_cb, self);
  self->timer_id = g_timeout_add_seconds (FIRST, first_cb, self);
  return self;
}

/**
 * metrics_roller_set_rules:
 * @self: a roller
 * @rules: what is rolled up from now on; they have to live as long as the roller, or until others are set
 * @retention: how long points are kept; as long
 *
 * What is rolled up already is brought in line by the next round, a second later. One that is under way is
 * given up.
 */
void
metrics_roller_set_rules (MetricsRoller *self,
                          const MetricsRollupRules *rules,
                          const MetricsRetention *retention)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_handle_id (&self->slice_id, g_source_remove);
  metrics_rollup_set_rules (self->rollup, rules);
  self->is_rolling = FALSE;
  self->rules = rules;
  self->retention = retention;
  self->timer_id = g_timeout_add_seconds (FIRST, first_cb, self);
}

/**
 * metrics_roller_free:
 * @self: (transfer full) (nullable): a roller
 *
 * Ends it; nothing may ask the store any more.
 */
void
metrics_roller_free (MetricsRoller *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_handle_id (&self->slice_id, g_source_remove);
  metrics_rollup_free (self->rollup);
  g_free (self);
}
