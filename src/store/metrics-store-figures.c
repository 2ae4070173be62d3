/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-store-private.h"

/* What a store says of itself, and what is set from outside while it is used. */

/**
 * metrics_store_get_n_points:
 * @self: a store
 *
 * Returns: how many points are stored; hidden ones do not count
 */
guint64
metrics_store_get_n_points (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return self->usage.n_points - self->hidden.n_points;
}

/**
 * metrics_store_get_memory:
 * @self: a store
 *
 * Returns: how many bytes of memory the points take, with all that it needs to keep them; what was deleted
 * while a query shows it counts until the query is done
 */
guint64
metrics_store_get_memory (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return metrics_store_get_usage (self)->memory;
}

/**
 * metrics_store_set_retention:
 * @self: a store
 * @retention: (nullable): how long points are kept; it has to live until another is set, or the store is gone
 * @now: the time now, in seconds since the Unix epoch
 *
 * Sets the rules by which points are refused as too old, and by which a #MetricsSweep deletes them. To be
 * called again every minute or so, which makes the refusing cheap; see metrics_keeping_set().
 */
void
metrics_store_set_retention (MetricsStore *self, const MetricsRetention *retention, gint64 now)
{
  g_return_if_fail (METRICS_IS_STORE (self));

  metrics_keeping_set (metrics_store_get_keeping (self), retention, now);
}

/**
 * metrics_store_get_n_expired:
 * @self: a store
 *
 * Returns: how many points were deleted because they were too old
 */
guint64
metrics_store_get_n_expired (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return metrics_store_get_keeping (self)->n_expired;
}

/**
 * metrics_store_get_n_refused:
 * @self: a store
 *
 * Returns: how many puts were refused because there was no memory for them
 */
guint64
metrics_store_get_n_refused (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return self->cold.n_refused;
}

/**
 * metrics_store_get_keeping:
 * @self: a store
 *
 * Returns: (transfer none): what it knows of retention
 */
MetricsKeeping *
metrics_store_get_keeping (MetricsStore *self)
{
  return &self->keeping;
}

/**
 * metrics_store_get_hidden:
 * @self: a store
 *
 * Returns: (transfer none): what it holds besides what clients put
 */
MetricsHidden *
metrics_store_get_hidden (MetricsStore *self)
{
  return &self->hidden;
}
