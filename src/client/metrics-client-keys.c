/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-client-private.h"
#include "client/metrics-request-lines.h"

/* What a request of one number came to. */
static gboolean
take_count (MetricsRequest *request, guint64 *count)
{
  if (request == NULL)
    return FALSE;
  if (count != NULL)
    *count = request->answer.count;
  return TRUE;
}

/**
 * metrics_client_keys:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets what the server knows of every key that matches: how many points it has, and the time that they span.
 * In the order of [method@Client.get_all].
 *
 * Returns: (transfer container) (element-type MetricsKeyInfo): what is known of each key, in an array
 *   that frees it with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_keys (MetricsClient *self, const char *pattern, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);
  g_return_val_if_fail (pattern != NULL, NULL);

  return metrics_client_run_for_rows (self, metrics_request_new_keys (pattern), cancellable, error);
}

/**
 * metrics_client_keys_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.keys], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_keys_async (MetricsClient *self,
                           const char *pattern,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_keys (pattern), metrics_client_keys_async, cancellable,
                        callback, user_data);
}

/**
 * metrics_client_keys_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.keys_async].
 *
 * Returns: (transfer container) (element-type MetricsKeyInfo): as [method@Client.keys]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_keys_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_keys_async, error);
}

/**
 * metrics_client_delete:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @n_points: (out) (optional): how many points were forgotten
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Has the server forget every key that matches, with all its points.
 *
 * Returns: %TRUE, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_delete (MetricsClient *self,
                       const char *pattern,
                       guint64 *n_points,
                       GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (pattern != NULL, FALSE);

  request = metrics_request_new_delete (pattern);
  return take_count (metrics_client_run (self, request, cancellable, error) ? request : NULL, n_points);
}

/**
 * metrics_client_delete_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.delete], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_delete_async (MetricsClient *self,
                             const char *pattern,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_delete (pattern), metrics_client_delete_async, cancellable,
                        callback, user_data);
}

/**
 * metrics_client_delete_finish:
 * @self: a client
 * @result: what the callback was given
 * @n_points: (out) (optional): how many points were forgotten
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.delete_async].
 *
 * Returns: as [method@Client.delete]
 *
 * Since: 0.1
 */
gboolean
metrics_client_delete_finish (MetricsClient *self, GAsyncResult *result, guint64 *n_points, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return take_count (metrics_client_finish (self, result, metrics_client_delete_async, error), n_points);
}

/**
 * metrics_client_delete_range:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @n_points: (out) (optional): how many points were forgotten
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Has the server forget the points of a span of time, of every key that matches. Both ends belong to the
 * span. A key whose points are all gone is forgotten too.
 *
 * Returns: %TRUE, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_delete_range (MetricsClient *self,
                             const char *pattern,
                             gint64 from,
                             gint64 to,
                             guint64 *n_points,
                             GCancellable *cancellable,
                             GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (pattern != NULL, FALSE);

  request = metrics_request_new_delete_range (pattern, from, to);
  return take_count (metrics_client_run (self, request, cancellable, error) ? request : NULL, n_points);
}

/**
 * metrics_client_delete_range_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.delete_range], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_delete_range_async (MetricsClient *self,
                                   const char *pattern,
                                   gint64 from,
                                   gint64 to,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_delete_range (pattern, from, to),
                        metrics_client_delete_range_async, cancellable, callback, user_data);
}

/**
 * metrics_client_delete_range_finish:
 * @self: a client
 * @result: what the callback was given
 * @n_points: (out) (optional): how many points were forgotten
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.delete_range_async].
 *
 * Returns: as [method@Client.delete_range]
 *
 * Since: 0.1
 */
gboolean
metrics_client_delete_range_finish (MetricsClient *self,
                                    GAsyncResult *result,
                                    guint64 *n_points,
                                    GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return take_count (metrics_client_finish (self, result, metrics_client_delete_range_async, error),
                     n_points);
}

/**
 * metrics_client_stats:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets the server's own figures: how long it runs, how many points and connections it has, and others that
 * depend on the server.
 *
 * Returns: (transfer container) (element-type utf8 utf8): names and values, in a table that frees them
 *   with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GHashTable *
metrics_client_stats (MetricsClient *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  request = metrics_request_new_stats ();
  return metrics_client_run (self, request, cancellable, error) ? g_steal_pointer (&request->answer.figures)
                                                                : NULL;
}

/**
 * metrics_client_stats_async:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.stats], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_stats_async (MetricsClient *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  metrics_client_start (self, metrics_request_new_stats (), metrics_client_stats_async, cancellable, callback,
                        user_data);
}

/**
 * metrics_client_stats_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.stats_async].
 *
 * Returns: (transfer container) (element-type utf8 utf8): as [method@Client.stats]
 *
 * Since: 0.1
 */
GHashTable *
metrics_client_stats_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  MetricsRequest *request;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  request = metrics_client_finish (self, result, metrics_client_stats_async, error);
  return request != NULL ? g_steal_pointer (&request->answer.figures) : NULL;
}
