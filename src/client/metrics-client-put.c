/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-batch-private.h"
#include "client/metrics-client-private.h"
#include "client/metrics-request-lines.h"

/* The clock of the machine, in seconds since the Unix epoch; rounded down. */
static gint64
get_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/**
 * metrics_client_ping:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Asks the server whether it is there.
 *
 * Returns: %TRUE, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_ping (MetricsClient *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  request = metrics_request_new_ping ();
  return metrics_client_run (self, request, cancellable, error);
}

/**
 * metrics_client_ping_async:
 * @self: a client
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.ping], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_ping_async (MetricsClient *self,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  metrics_client_start (self, metrics_request_new_ping (), metrics_client_ping_async, cancellable, callback,
                        user_data);
}

/**
 * metrics_client_ping_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.ping_async].
 *
 * Returns: as [method@Client.ping]
 *
 * Since: 0.1
 */
gboolean
metrics_client_ping_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return metrics_client_finish (self, result, metrics_client_ping_async, error) != NULL;
}

/**
 * metrics_client_put:
 * @self: a client
 * @key: whose point it is
 * @value: what was measured; finite
 * @timestamp: when; by convention seconds since the Unix epoch
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Puts a point. A key has one value for a timestamp: a later put of the same replaces it. Timestamps may come
 * in any order.
 *
 * Returns: %TRUE when the server has taken the point, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put (MetricsClient *self,
                    const char *key,
                    double value,
                    gint64 timestamp,
                    GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);

  request = metrics_request_new_put (key, value, timestamp);
  return metrics_client_run (self, request, cancellable, error);
}

/**
 * metrics_client_put_async:
 * @self: a client
 * @key: whose point it is
 * @value: what was measured; finite
 * @timestamp: when; by convention seconds since the Unix epoch
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.put], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_put_async (MetricsClient *self,
                          const char *key,
                          double value,
                          gint64 timestamp,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (key != NULL);

  metrics_client_start (self, metrics_request_new_put (key, value, timestamp), metrics_client_put_async,
                        cancellable, callback, user_data);
}

/**
 * metrics_client_put_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.put_async].
 *
 * Returns: as [method@Client.put]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return metrics_client_finish (self, result, metrics_client_put_async, error) != NULL;
}

/**
 * metrics_client_put_now:
 * @self: a client
 * @key: whose point it is
 * @value: what was measured; finite
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Puts a point that is stamped with the time at which the call is made, in seconds since the Unix epoch, by
 * the clock of the machine that the program runs on. Of several in the same second the last one stays.
 *
 * Returns: %TRUE when the server has taken the point, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put_now (MetricsClient *self,
                        const char *key,
                        double value,
                        GCancellable *cancellable,
                        GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);

  request = metrics_request_new_put (key, value, get_now ());
  return metrics_client_run (self, request, cancellable, error);
}

/**
 * metrics_client_put_now_async:
 * @self: a client
 * @key: whose point it is
 * @value: what was measured; finite
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.put_now], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_put_now_async (MetricsClient *self,
                              const char *key,
                              double value,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (key != NULL);

  metrics_client_start (self, metrics_request_new_put (key, value, get_now ()), metrics_client_put_now_async,
                        cancellable, callback, user_data);
}

/**
 * metrics_client_put_now_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.put_now_async].
 *
 * Returns: as [method@Client.put_now]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put_now_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return metrics_client_finish (self, result, metrics_client_put_now_async, error) != NULL;
}

/**
 * metrics_client_put_batch:
 * @self: a client
 * @batch: the points
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Puts many points, without waiting for the answer to one before the next is sent.
 *
 * This is no transaction: each point is taken or refused by itself, and is there for others as soon as it is
 * taken. If the server refuses some, the others are put nevertheless, and the call fails with
 * %METRICS_ERROR_REFUSED: the message tells how many and what the server said to the first;
 * [method@Batch.get_refusal] has it for the first 100. If the connection is lost, or the request is
 * cancelled, [method@Batch.get_n_accepted] tells how many points were acknowledged; those behind them may
 * have been put or not.
 *
 * [property@Client:timeout] is the time in which nothing happens on the connection.
 *
 * Returns: %TRUE when the server has taken all points, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put_batch (MetricsClient *self, MetricsBatch *batch, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;
  gboolean succeeded;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (METRICS_IS_BATCH (batch), FALSE);

  request = metrics_batch_make_request (batch);
  succeeded = metrics_client_run (self, request, cancellable, error);
  metrics_batch_take_outcome (batch, request);
  return succeeded;
}

/**
 * metrics_client_put_batch_async:
 * @self: a client
 * @batch: the points
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.put_batch], without blocking. What is put are the points that the batch has at the call;
 * it may be changed afterwards.
 *
 * Since: 0.1
 */
void
metrics_client_put_batch_async (MetricsClient *self,
                                MetricsBatch *batch,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MetricsRequest *request;

  g_return_if_fail (METRICS_IS_CLIENT (self));
  g_return_if_fail (METRICS_IS_BATCH (batch));

  request = metrics_batch_make_request (batch);
  request->batch = g_object_ref (batch);
  metrics_client_start (self, request, metrics_client_put_batch_async, cancellable, callback, user_data);
}

/**
 * metrics_client_put_batch_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.put_batch_async], and has the batch tell what became of its points.
 *
 * Returns: as [method@Client.put_batch]
 *
 * Since: 0.1
 */
gboolean
metrics_client_put_batch_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (MetricsBatch) batch = NULL;
  MetricsRequest *request;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, metrics_client_put_batch_async), FALSE);

  request = g_task_get_task_data (G_TASK (result));
  batch = g_steal_pointer (&request->batch);
  if (batch != NULL)
    metrics_batch_take_outcome (batch, request);
  return metrics_client_finish (self, result, metrics_client_put_batch_async, error) != NULL;
}
