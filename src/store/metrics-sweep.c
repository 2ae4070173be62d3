/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-sweep.h"

#include "store/metrics-rollup.h"
#include "store/metrics-store-private.h"

/* Deletes what is older than the store's rules of retention allow: a walk over all series, and for each that
 * has enough of a past (see metrics_retention_is_due()) a query that deletes. So it does a bounded amount of
 * work at a time, and waits where a query has to wait, like what clients ask for. */

/* As in queries: so many steps of matching are a unit of work. */
#define MATCHING_A_UNIT 64

struct _MetricsSweep
{
  MetricsStore *store;               /* (owned) */
  const MetricsRetention *retention; /* (unowned) (nullable): the store's */
  gint64 now;           /* one for the whole walk: what the clock does meanwhile does not matter */
  gint64 latest;        /* nothing from here on is too old, whatever its key */
  guint64 last_id;      /* of the newest entry that there was when it began */
  MetricsEntry *cursor; /* (unowned) (nullable): the entry where it stands; pinned */
  MetricsQuery *query;  /* (owned) (nullable): what deletes there */
  MetricsSweepWakeFunc wake_func;
  gpointer wake_data; /* (unowned) */
  guint64 n_points;
  guint n_series;
};

static void
move_to (MetricsSweep *self, MetricsEntry *entry)
{
  if (entry != NULL)
    metrics_store_pin (self->store, entry);
  if (self->cursor != NULL)
    metrics_store_unpin (self->store, self->cursor);
  self->cursor = entry;
}

/**
 * metrics_sweep_new:
 * @store: a store
 * @now: the time now, in seconds since the Unix epoch
 * @wake_func: (scope forever): what to call when a sweep that answered %METRICS_QUERY_NOT_YET can go on
 * @user_data: for @wake_func
 *
 * Begins a sweep by the rules that the store has now; they have to live as long. It may be given up at any
 * time.
 *
 * Returns: (transfer full): it
 */
MetricsSweep *
metrics_sweep_new (MetricsStore *store, gint64 now, MetricsSweepWakeFunc wake_func, gpointer user_data)
{
  MetricsSweep *self;
  const MetricsRetention *retention;

  g_return_val_if_fail (METRICS_IS_STORE (store), NULL);

  retention = metrics_store_get_keeping (store)->retention;
  self = g_new0 (MetricsSweep, 1);
  self->store = g_object_ref (store);
  self->retention = retention;
  self->now = now;
  self->latest = retention != NULL ? metrics_retention_get_latest_cutoff (retention, now) : G_MININT64;
  self->last_id = metrics_store_get_entries (store)->newest_id;
  self->wake_func = wake_func;
  self->wake_data = user_data;
  return self;
}

static void
end_query (MetricsSweep *self)
{
  guint64 n = metrics_query_get_n_deleted (self->query);

  self->n_points += n;
  self->n_series += n > 0;
  metrics_store_get_keeping (self->store)->n_expired += n;
  g_clear_pointer (&self->query, metrics_query_free);
}

/**
 * metrics_sweep_free:
 * @self: (transfer full) (nullable): a sweep
 *
 * Gives a sweep up, wherever it is.
 */
void
metrics_sweep_free (MetricsSweep *self)
{
  if (self == NULL)
    return;
  if (self->query != NULL)
    end_query (self);
  move_to (self, NULL);
  g_object_unref (self->store);
  g_free (self);
}

static void
on_wake (MetricsQuery *query, gpointer user_data)
{
  MetricsSweep *self = user_data;

  self->wake_func (self->wake_data);
}

/* Deletes the past of the entry where it stands, if it has enough of one. */
static void
begin_query (MetricsSweep *self, gint *budget)
{
  MetricsEntry *entry = self->cursor;
  MetricsQuerySpec spec
      = { .kind = METRICS_QUERY_DELETE, .key = entry->bytes, .key_len = entry->head.len, .from = G_MININT64 };
  const MetricsRules *rules = metrics_retention_get_rules (self->retention);
  MetricsRollup *rollup = metrics_store_get_hidden (self->store)->rollup;
  gint64 first, before;
  guint rule;

  if (entry->head.is_dead || entry->head.is_hidden)
    return;
  /* Mostly that is all there is to do. */
  first = metrics_series_get_first_time (&entry->series);
  if (first >= self->latest)
    return;

  *budget -= metrics_rules_get_cost (rules, entry->head.len) / MATCHING_A_UNIT;
  rule = metrics_rules_find (rules, entry->bytes, entry->head.len);
  if (!metrics_retention_is_due (self->retention, rule, self->now, first,
                                 metrics_series_get_last_time (&entry->series)))
    return;
  /* What is due is before the cutoff, so that is not the lowest of all times. */
  before = metrics_retention_get_cutoff (self->retention, rule, self->now);
  /* What is to be rolled up and is not yet has to stay; what is rolled up stays when the points go. */
  if (rollup != NULL)
    {
      before = metrics_rollup_get_droppable (rollup, entry->bytes, entry->head.len, before);
      if (before <= first || !metrics_rollup_note_drop (rollup, entry->bytes, entry->head.len, before))
        return;
      spec.is_raw = TRUE;
    }
  spec.to = before - 1;
  self->query = metrics_query_new (self->store, &spec);
  metrics_query_set_wake_func (self->query, on_wake, self);
}

/* Returns: whether there is another entry */
static gboolean
advance (MetricsSweep *self, gint *budget)
{
  MetricsEntry *entry
      = self->cursor != NULL ? self->cursor->next : metrics_store_get_entries (self->store)->first;

  if (self->latest == G_MININT64 || entry == NULL || entry->id > self->last_id)
    {
      /* Asked once more, it is still done. */
      self->latest = G_MININT64;
      move_to (self, NULL);
      return FALSE;
    }
  move_to (self, entry);
  (*budget)--;
  begin_query (self, budget);
  return TRUE;
}

/**
 * metrics_sweep_next:
 * @self: a sweep
 * @budget: (inout): how many units of work may be done, see metrics_query_next(); what was done is taken off;
 *   it goes below 0 by no more than there, and by the matching of one key with all rules
 *
 * Goes on with the sweep.
 *
 * Returns: %METRICS_QUERY_DONE where all series have been visited, %METRICS_QUERY_PAUSED where the budget is
 *   used up, %METRICS_QUERY_NOT_YET where it has to be waited for: the wake function is called then
 */
MetricsQueryState
metrics_sweep_next (MetricsSweep *self, gint *budget)
{
  MetricsQueryRow row;

  while (*budget > 0)
    {
      if (self->query == NULL)
        {
          if (!advance (self, budget))
            return METRICS_QUERY_DONE;
          continue;
        }
      switch (metrics_query_next (self->query, budget, &row))
        {
        case METRICS_QUERY_PAUSED:
          break;
        case METRICS_QUERY_NOT_YET:
          return METRICS_QUERY_NOT_YET;
        case METRICS_QUERY_ROW:
        case METRICS_QUERY_DONE:
        /* What cannot be read now is tried again by the next sweep. */
        case METRICS_QUERY_LOST:
        case METRICS_QUERY_REFUSED:
        default:
          end_query (self);
          break;
        }
    }
  return METRICS_QUERY_PAUSED;
}

/**
 * metrics_sweep_get_n_points:
 * @self: a sweep
 *
 * Returns: how many points it has deleted so far
 */
guint64
metrics_sweep_get_n_points (const MetricsSweep *self)
{
  return self->n_points;
}

/**
 * metrics_sweep_get_n_series:
 * @self: a sweep
 *
 * Returns: of how many series
 */
guint
metrics_sweep_get_n_series (const MetricsSweep *self)
{
  return self->n_series;
}
