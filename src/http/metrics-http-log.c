/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-log.h"

#include "common/metrics-log.h"
#include "http/metrics-http-private.h"
#include "store/metrics-store-log.h"

#include <glib/gi18n.h>

/* What is said of clients. As they can make it come as often as they like, nothing is put together before it
 * is known that it will be written. */

static char *
name_client (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_remote_address (socket, NULL);
  g_autoptr (GCredentials) credentials = NULL;

  if (address != NULL && G_IS_INET_SOCKET_ADDRESS (address))
    return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
  credentials = g_socket_get_credentials (socket, NULL);
  if (credentials == NULL)
    return g_strdup ("?");
  return g_strdup_printf ("pid=%ld,uid=%ld", (long) g_credentials_get_unix_pid (credentials, NULL),
                          (long) g_credentials_get_unix_user (credentials, NULL));
}

/**
 * metrics_http_log_denied:
 * @socket: of the client
 * @missing: the rights that it lacks for what it asked for
 *
 * Says that a client has asked for what it may not do.
 */
void
metrics_http_log_denied (GSocket *socket, MetricsRights missing)
{
  const char *right = metrics_rights_get_name (missing);
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CLIENT_DENIED))
    return;
  client = name_client (socket);
  metrics_log (METRICS_EVENT_CLIENT_DENIED,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_TEXT (RIGHT, right)),
               /* Translators: the right is 'read', 'put' or 'delete', as in the configuration */
               _ ("client %s is refused: it does not have the right '%s'"), client, right);
}

/**
 * metrics_http_log_refused_put:
 * @request: a request that puts
 * @error: why the store has refused a point of it
 *
 * Says so, where that is for a limit.
 */
void
metrics_http_log_refused_put (MetricsHttpRequest *request, const GError *error)
{
  g_autofree char *client = NULL;

  if (!metrics_store_log_is_due (error))
    return;
  client = name_client (metrics_http_client_get_socket (request->client));
  metrics_store_log_refused_put (metrics_http_get_store (metrics_http_request_get_http (request)), error,
                                 client);
}
