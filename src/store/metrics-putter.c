/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-putter.h"

/**
 * metrics_putter_init:
 * @self: (out caller-allocates): a putter
 * @store: where to
 * @wake_func: what to call when a point can go on that had to wait (%METRICS_QUERY_NOT_YET)
 * @wake_data: what to call it with
 */
void
metrics_putter_init (MetricsPutter *self,
                     MetricsStore *store,
                     MetricsQueryWakeFunc wake_func,
                     gpointer wake_data)
{
  *self = (MetricsPutter){
    .store = g_object_ref (store),
    .wake_func = wake_func,
    .wake_data = wake_data,
  };
}

/**
 * metrics_putter_clear:
 * @self: a putter, initialised or all zero
 *
 * Gives up the point that waits, where one does.
 */
void
metrics_putter_clear (MetricsPutter *self)
{
  g_clear_pointer (&self->query, metrics_query_free);
  g_clear_object (&self->store);
}

static void
begin_query (MetricsPutter *self, const char *key, gsize key_len, MetricsPoint point)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_PUT,
    .key = key,
    .key_len = key_len,
    .point = point,
  };

  self->query = metrics_query_new (self->store, &spec);
  metrics_query_set_wake_func (self->query, self->wake_func, self->wake_data);
}

static MetricsQueryState
go_on_with_query (MetricsPutter *self, gint *budget, GError **error)
{
  MetricsQueryRow row;
  MetricsQueryState state = metrics_query_next (self->query, budget, &row);

  if (state == METRICS_QUERY_REFUSED)
    g_propagate_error (error, g_error_copy (metrics_query_get_error (self->query)));
  if (state == METRICS_QUERY_REFUSED || state == METRICS_QUERY_DONE)
    g_clear_pointer (&self->query, metrics_query_free);
  return state;
}

/**
 * metrics_putter_put:
 * @self: a putter
 * @key: (array length=key_len): a valid key
 * @key_len: its length in bytes
 * @point: the point, its value finite; as long as it is not done and not refused, this is called again with
 *   the same one
 * @budget: (inout): units of work, from which what was done is taken off
 * @error: return location for a #GError of #MetricsStoreError, or the journal's
 *
 * Returns: %METRICS_QUERY_DONE where the point is in the store, %METRICS_QUERY_PAUSED where it goes on when
 * it is its turn again, %METRICS_QUERY_NOT_YET where it goes on when the wake function has been called,
 *   %METRICS_QUERY_REFUSED, with @error set, where it was not put
 */
MetricsQueryState
metrics_putter_put (MetricsPutter *self,
                    const char *key,
                    gsize key_len,
                    MetricsPoint point,
                    gint *budget,
                    GError **error)
{
  MetricsQueryState state = METRICS_QUERY_DONE;
  g_autoptr (GError) reason = NULL;

  if (self->query != NULL)
    return go_on_with_query (self, budget, error);
  if (!metrics_store_put (self->store, key, key_len, point, &reason))
    {
      if (g_error_matches (reason, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET))
        {
          begin_query (self, key, key_len, point);
          state = METRICS_QUERY_PAUSED;
        }
      else
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          state = METRICS_QUERY_REFUSED;
        }
    }
  *budget -= 1 + (gint) metrics_store_take_work (self->store);
  return state;
}
