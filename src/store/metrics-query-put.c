/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-gap.h"
#include "store/metrics-query-private.h"

/* A put that has to wait: for the chunk where its point belongs, or for room. The point is put by a call of
 * the query, as anything that changes a store, and not in the moment when it could be. */

/* How many checkpoints it waits for: where the room that they bring goes to others each time, it is refused
 * in the end. */
#define MAX_WAITS 3

static void
settled_cb (gpointer data)
{
  metrics_query_wake (data);
}

static MetricsQueryState
refuse (MetricsQuery *self, GError *error)
{
  self->error = error;
  self->step = STEP_DONE;
  metrics_query_drop_loaded (self);
  return METRICS_QUERY_REFUSED;
}

/* Returns: the gap where the point belongs, or NULL; the query stands on its entry then */
static MetricsChunk *
find_gap (MetricsQuery *self)
{
  MetricsEntry *entry = metrics_store_lookup (self->store, &self->view.key);
  MetricsChunk *gap = entry != NULL ? metrics_series_find_gap (&entry->series, self->spec.point.time) : NULL;

  if (gap != NULL)
    metrics_query_move_to (self, entry);
  return gap;
}

/* Makes all the room that can be made now, then waits for more. */
static MetricsQueryState
get_room (MetricsQuery *self, gint *budget)
{
  if (!self->has_evicted)
    {
      self->has_evicted = metrics_store_evict (self->store, metrics_store_get_low_water (self->store), budget)
                          || self->store->cold.is_exhausted;
      return METRICS_QUERY_PAUSED;
    }
  if (self->waiter.is_refused || self->n_waits++ == MAX_WAITS)
    {
      self->store->cold.n_refused++;
      return refuse (self, g_error_new_literal (METRICS_STORE_ERROR, METRICS_STORE_ERROR_MEMORY_LIMIT,
                                                "memory limit reached"));
    }
  self->has_evicted = FALSE;
  self->waiter.func = settled_cb;
  self->waiter.data = self;
  metrics_store_wait (self->store, &self->waiter);
  return METRICS_QUERY_NOT_YET;
}

/**
 * metrics_query_advance_put:
 * @self: a query that puts
 * @budget: (inout): what was done is taken off
 *
 * Puts the point, or begins to wait.
 *
 * Returns: how that ended; paused is where it is to be tried again
 */
MetricsQueryState
metrics_query_advance_put (MetricsQuery *self, gint *budget)
{
  GError *error = NULL;
  MetricsChunk *gap;
  gboolean is_put;

  if (self->is_lost)
    return refuse (self, g_error_new_literal (METRICS_STORE_ERROR, METRICS_STORE_ERROR_DAMAGED,
                                              "storage: points of the series cannot be read"));
  is_put = metrics_store_put (self->store, self->key, self->view.key.head.len, self->spec.point, &error);

  *budget -= 1 + (gint) metrics_store_take_work (self->store);
  if (is_put)
    {
      metrics_query_drop_loaded (self);
      self->step = STEP_DONE;
      return METRICS_QUERY_DONE;
    }
  if (!g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET))
    return refuse (self, error);
  g_error_free (error);
  /* What is loaded takes room as well, and stays until the point is put. */
  gap = find_gap (self);
  if (gap == NULL || (metrics_store_is_cold (self->store) && !metrics_store_has_room (self->store)))
    return get_room (self, budget);
  return metrics_query_load_gap (self, gap, self->spec.point.time);
}
