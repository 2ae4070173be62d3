/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-client-private.h"
#include "client/metrics-request-lines.h"

/**
 * metrics_client_get:
 * @self: a client
 * @key: whose points to get
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets all points of a key, in the order of their timestamps. A key that the server does not know has none.
 *
 * `*` is not a key: see [method@Client.get_all].
 *
 * Returns: (transfer container) (element-type MetricsSample): the points, in an array that frees them
 *   with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_get (MetricsClient *self, const char *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);

  return metrics_client_run_for_rows (self, metrics_request_new_get (key), cancellable, error);
}

/**
 * metrics_client_get_async:
 * @self: a client
 * @key: whose points to get
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.get], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_get_async (MetricsClient *self,
                          const char *key,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (key != NULL);

  metrics_client_start (self, metrics_request_new_get (key), metrics_client_get_async, cancellable, callback,
                        user_data);
}

/**
 * metrics_client_get_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.get_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Client.get]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_get_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_get_async, error);
}

/**
 * metrics_client_get_all:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets all points of all keys: the keys in the order in which they were first put, the points of each in the
 * order of their timestamps.
 *
 * All of them are in memory at once then: [method@Client.foreach] takes them one by one.
 *
 * Returns: (transfer container) (element-type MetricsSample): the points, in an array that frees them
 *   with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_get_all (MetricsClient *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_run_for_rows (self, metrics_request_new_get_all (), cancellable, error);
}

/**
 * metrics_client_get_all_async:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.get_all], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_get_all_async (MetricsClient *self,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  metrics_client_start (self, metrics_request_new_get_all (), metrics_client_get_all_async, cancellable,
                        callback, user_data);
}

/**
 * metrics_client_get_all_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.get_all_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Client.get_all]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_get_all_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_get_all_async, error);
}

/**
 * metrics_client_last:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets the newest point of every key that matches, in the order of [method@Client.get_all].
 *
 * Returns: (transfer container) (element-type MetricsSample): the points, in an array that frees them
 *   with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_last (MetricsClient *self, const char *pattern, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);
  g_return_val_if_fail (pattern != NULL, NULL);

  return metrics_client_run_for_rows (self, metrics_request_new_last (pattern), cancellable, error);
}

/**
 * metrics_client_last_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.last], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_last_async (MetricsClient *self,
                           const char *pattern,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_last (pattern), metrics_client_last_async, cancellable,
                        callback, user_data);
}

/**
 * metrics_client_last_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.last_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Client.last]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_last_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_last_async, error);
}

/**
 * metrics_client_range:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets the points of a span of time, of every key that matches, in the order of [method@Client.get_all]. Both
 * ends belong to the span.
 *
 * Returns: (transfer container) (element-type MetricsSample): the points, in an array that frees them
 *   with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_range (MetricsClient *self,
                      const char *pattern,
                      gint64 from,
                      gint64 to,
                      GCancellable *cancellable,
                      GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);
  g_return_val_if_fail (pattern != NULL, NULL);

  return metrics_client_run_for_rows (self, metrics_request_new_range (pattern, from, to), cancellable,
                                      error);
}

/**
 * metrics_client_range_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.range], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_range_async (MetricsClient *self,
                            const char *pattern,
                            gint64 from,
                            gint64 to,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_range (pattern, from, to), metrics_client_range_async,
                        cancellable, callback, user_data);
}

/**
 * metrics_client_range_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.range_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Client.range]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_range_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_range_async, error);
}

/**
 * metrics_client_range_buckets:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @step: how long a bucket lasts, in the unit of the timestamps; more than 0
 * @function: what the points of a bucket are reduced to
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Gets the points of a span of time, reduced to one for each bucket of @step, of every key that matches, in
 * the order of [method@Client.get_all]. A sample is stamped with the start of its bucket, which is a multiple
 * of @step. Buckets without points give none.
 *
 * Returns: (transfer container) (element-type MetricsSample): a sample for each bucket, in an array
 *   that frees them with itself, or %NULL with an error, see [error@Error]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_range_buckets (MetricsClient *self,
                              const char *pattern,
                              gint64 from,
                              gint64 to,
                              gint64 step,
                              MetricsFunction function,
                              GCancellable *cancellable,
                              GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);
  g_return_val_if_fail (pattern != NULL, NULL);

  return metrics_client_run_for_rows (self,
                                      metrics_request_new_range_buckets (pattern, from, to, step, function),
                                      cancellable, error);
}

/**
 * metrics_client_range_buckets_async:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @step: how long a bucket lasts, in the unit of the timestamps; more than 0
 * @function: what the points of a bucket are reduced to
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.range_buckets], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_range_buckets_async (MetricsClient *self,
                                    const char *pattern,
                                    gint64 from,
                                    gint64 to,
                                    gint64 step,
                                    MetricsFunction function,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (pattern != NULL);

  metrics_client_start (self, metrics_request_new_range_buckets (pattern, from, to, step, function),
                        metrics_client_range_buckets_async, cancellable, callback, user_data);
}

/**
 * metrics_client_range_buckets_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.range_buckets_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Client.range_buckets]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_client_range_buckets_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return metrics_client_finish_rows (self, result, metrics_client_range_buckets_async, error);
}
