/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-client-private.h"

/**
 * metrics_client_flush:
 * @self: a client of a server on the bus
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Waits until all that the server has acknowledged, to this client or to others, is on disk. Only a server on
 * the bus can be asked for it (see [property@Client:address]); of any other this fails with
 * %METRICS_ERROR_INVALID_ARGUMENT. On the system bus it is for administrators.
 *
 * Returns: %TRUE, or %FALSE with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_flush (MetricsClient *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  request = metrics_request_new_flush ();
  return metrics_client_run (self, request, cancellable, error);
}

/**
 * metrics_client_flush_async:
 * @self: a client of a server on the bus
 * @cancellable: (nullable): what cancels the request
 * @callback: (nullable) (scope async): what to call when it is done
 * @user_data: what to call it with
 *
 * As [method@Client.flush], without blocking.
 *
 * Since: 0.1
 */
void
metrics_client_flush_async (MetricsClient *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  metrics_client_start (self, metrics_request_new_flush (), metrics_client_flush_async, cancellable, callback,
                        user_data);
}

/**
 * metrics_client_flush_finish:
 * @self: a client of a server on the bus
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gets what became of [method@Client.flush_async].
 *
 * Returns: as [method@Client.flush]
 *
 * Since: 0.1
 */
gboolean
metrics_client_flush_finish (MetricsClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return metrics_client_finish (self, result, metrics_client_flush_async, error) != NULL;
}
