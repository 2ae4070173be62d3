/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-sweeper.h"

#include "common/metrics-log.h"
#include "store/metrics-sweep.h"

#include <glib/gi18n.h>

/* Sweeps the store, a second after the start and then once a minute; where there are no rules it never wakes
 * the process up. */

#define FIRST 1
#define INTERVAL 60

/* Units of work, see MetricsLimits, that are done at once of what nobody waits for. */
#define SLICE 4096

/* After a sweep it rests for so many times as long as that took: millions of series and hundreds of rules
 * must not take more than a hundredth of a processor. */
#define REST 100

struct _MetricsSweeper
{
  MetricsStore *store;               /* (owned) */
  const MetricsRetention *retention; /* (unowned) */
  MetricsInstantFunc func;
  gpointer data; /* (unowned) */
  MetricsClockGuard guard;
  gboolean was_set;    /* whether the clock was set, and it was not said that it is believed again */
  gboolean doubts;     /* whether it was said that the clock is not believed */
  MetricsSweep *sweep; /* (owned) (nullable): under way */
  gint64 busy;         /* how long it took so far, in microseconds */
  gint64 rests_until;  /* time elapsed */
  guint timer_id;
  guint slice_id;
};

static gboolean
slice_cb (gpointer user_data)
{
  MetricsSweeper *self = user_data;
  gint budget = SLICE;
  MetricsQueryState state;
  MetricsInstant before, after;

  self->func (&before, self->data);
  state = metrics_sweep_next (self->sweep, &budget);
  self->func (&after, self->data);
  self->busy += after.elapsed - before.elapsed;
  if (state == METRICS_QUERY_PAUSED)
    return G_SOURCE_CONTINUE;
  self->slice_id = 0;
  if (state == METRICS_QUERY_NOT_YET)
    return G_SOURCE_REMOVE;
  if (metrics_sweep_get_n_points (self->sweep) > 0)
    g_debug ("retention: %" G_GUINT64_FORMAT " points of %u series are gone",
             metrics_sweep_get_n_points (self->sweep), metrics_sweep_get_n_series (self->sweep));
  g_clear_pointer (&self->sweep, metrics_sweep_free);
  self->rests_until = after.elapsed + REST * self->busy;
  return G_SOURCE_REMOVE;
}

static void
wake_cb (gpointer user_data)
{
  MetricsSweeper *self = user_data;

  /* Not at an idle priority, which is never reached while clients are busy. */
  if (self->slice_id == 0)
    self->slice_id = g_idle_add_full (G_PRIORITY_DEFAULT, slice_cb, self, NULL);
}

/* Says it where it changes. That a clock is not believed yet after a start is no news, but that it was set
 * is. */
static gboolean
is_clock_good (MetricsSweeper *self, const MetricsInstant *now)
{
  gint64 good_from = self->guard.good_from;
  gboolean is_good = metrics_clock_guard_check (&self->guard, now);

  if (self->guard.good_from != good_from)
    {
      self->was_set = TRUE;
      metrics_log (METRICS_EVENT_CLOCK_DOUBTED, METRICS_NO_FIELDS,
                   _ ("the clock was set: for ten minutes no points are deleted for their age"));
    }
  else if (is_good && self->was_set)
    {
      self->was_set = FALSE;
      metrics_log (METRICS_EVENT_CLOCK_BELIEVED, METRICS_NO_FIELDS,
                   _ ("the clock goes evenly again: points are deleted for their age"));
    }
  else if (is_good == self->doubts)
    g_debug (is_good ? "retention: the clock is believed"
                     : "retention: waits until the clock can be believed");
  self->doubts = !is_good;
  return is_good;
}

/**
 * metrics_sweeper_tick:
 * @self: a sweeper
 *
 * What it does every minute: it tells the store what the time is, and begins a sweep, unless the one before
 * is still under way or it rests from it, or the clock cannot be believed.
 */
void
metrics_sweeper_tick (MetricsSweeper *self)
{
  MetricsInstant now;
  gint64 seconds;

  self->func (&now, self->data);
  seconds = now.real / G_USEC_PER_SEC;
  metrics_store_set_retention (self->store, self->retention, seconds);
  if (!is_clock_good (self, &now) || self->sweep != NULL || now.elapsed < self->rests_until)
    return;
  self->busy = 0;
  self->sweep = metrics_sweep_new (self->store, seconds, wake_cb, self);
  wake_cb (self);
}

static gboolean
timer_cb (gpointer user_data)
{
  metrics_sweeper_tick (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
first_cb (gpointer user_data)
{
  MetricsSweeper *self = user_data;

  self->timer_id = g_timeout_add_seconds (INTERVAL, timer_cb, self);
  metrics_sweeper_tick (self);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_sweeper_new:
 * @store: a store
 * @retention: how long its points are kept; it has to live as long as the sweeper
 * @witness: see metrics_clock_guard_init()
 * @func: (scope forever): what shows the time
 * @user_data: for @func
 *
 * Begins to keep the store in order. Too old puts are refused from now on.
 *
 * Returns: (transfer full): it
 */
MetricsSweeper *
metrics_sweeper_new (MetricsStore *store,
                     const MetricsRetention *retention,
                     gint64 witness,
                     MetricsInstantFunc func,
                     gpointer user_data)
{
  MetricsSweeper *self = g_new0 (MetricsSweeper, 1);
  MetricsInstant now;

  g_assert (METRICS_IS_STORE (store));
  g_assert (retention != NULL);

  self->store = g_object_ref (store);
  self->func = func;
  self->data = user_data;
  func (&now, user_data);
  metrics_clock_guard_init (&self->guard, &now, witness);
  metrics_sweeper_set_retention (self, retention);
  return self;
}

/**
 * metrics_sweeper_set_retention:
 * @self: a sweeper
 * @retention: how long points are kept from now on; it has to live as long as the sweeper, or until another
 *   one is set
 *
 * Puts are refused by it at once, and a sweep begins a second later; one that is under way is given up.
 */
void
metrics_sweeper_set_retention (MetricsSweeper *self, const MetricsRetention *retention)
{
  MetricsInstant now;

  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_handle_id (&self->slice_id, g_source_remove);
  g_clear_pointer (&self->sweep, metrics_sweep_free);
  self->retention = retention;
  self->func (&now, self->data);
  metrics_store_set_retention (self->store, retention, now.real / G_USEC_PER_SEC);
  if (metrics_rules_get_n_rules (metrics_retention_get_rules (retention)) > 0)
    self->timer_id = g_timeout_add_seconds (FIRST, first_cb, self);
}

/**
 * metrics_sweeper_free:
 * @self: (transfer full) (nullable): a sweeper
 *
 * Ends it; the store has no rules then.
 */
void
metrics_sweeper_free (MetricsSweeper *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_handle_id (&self->slice_id, g_source_remove);
  g_clear_pointer (&self->sweep, metrics_sweep_free);
  metrics_store_set_retention (self->store, NULL, 0);
  g_object_unref (self->store);
  g_free (self);
}

/**
 * metrics_sweeper_is_sweeping:
 * @self: a sweeper
 *
 * Returns: whether a sweep is under way
 */
gboolean
metrics_sweeper_is_sweeping (const MetricsSweeper *self)
{
  return self->sweep != NULL;
}
