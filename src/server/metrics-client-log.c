/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-client-log.h"

#include "common/metrics-log.h"
#include "store/metrics-store-log.h"

#include <glib/gi18n.h>

/* What is said of clients. A client can make any of it come as often as it likes: nothing is put together
 * before it is known that it will be written. */

#define NAME_KEY "metrics-client-name"

/* Who is at the other end: its name, where it was given one, an address, or of a unix socket the process, as
 * the kernel knows it. */
static char *
name_client (GSocket *socket)
{
  const char *name = socket != NULL ? g_object_get_data (G_OBJECT (socket), NAME_KEY) : NULL;
  g_autoptr (GSocketAddress) address = socket != NULL ? g_socket_get_remote_address (socket, NULL) : NULL;
  g_autoptr (GCredentials) credentials = NULL;

  if (name != NULL)
    return g_strdup (name);
  if (address != NULL && G_IS_INET_SOCKET_ADDRESS (address))
    return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
  if (socket != NULL)
    credentials = g_socket_get_credentials (socket, NULL);
  if (credentials == NULL)
    return g_strdup ("?");
  return g_strdup_printf ("pid=%ld,uid=%ld", (long) g_credentials_get_unix_pid (credentials, NULL),
                          (long) g_credentials_get_unix_user (credentials, NULL));
}

/**
 * metrics_client_log_set_name:
 * @socket: of a client that came by another way than a listener
 * @name: who it is
 *
 * Says who is meant by a socket of which the kernel knows only that the server has made it.
 */
void
metrics_client_log_set_name (GSocket *socket, const char *name)
{
  g_object_set_data_full (G_OBJECT (socket), NAME_KEY, g_strdup (name), g_free);
}

/**
 * metrics_client_log_lost:
 * @socket: (nullable): of the client
 * @error: why
 *
 * Says that a client cannot be served though nothing is wrong with it.
 */
void
metrics_client_log_lost (GSocket *socket, const GError *error)
{
  g_autofree char *client = name_client (socket);

  metrics_log (METRICS_EVENT_CLIENT_LOST,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_TEXT (REASON, error->message)),
               /* Translators: the first is the client, such as 127.0.0.1:43210 */
               _ ("client %s is lost: %s"), client, error->message);
}

/**
 * metrics_client_log_over_limit:
 * @socket: (nullable): of the client
 * @limits: with the limit of connections
 *
 * Says that a client is refused since there are as many as there may be.
 */
void
metrics_client_log_over_limit (GSocket *socket, const MetricsLimits *limits)
{
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CONNECTION_LIMIT))
    return;
  client = name_client (socket);
  metrics_log (METRICS_EVENT_CONNECTION_LIMIT,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_NUMBER (LIMIT, limits->connections)),
               /* Translators: the client is such as 127.0.0.1:43210; it is the limit of clients at the same
                  time */
               ngettext ("client %s is refused: the limit of %u connection is reached",
                         "client %s is refused: the limit of %u connections is reached", limits->connections),
               client, limits->connections);
}

/**
 * metrics_client_log_denied:
 * @socket: (nullable): of the client
 * @missing: the rights that it lacks for what it asked for
 *
 * Says that a client has asked for what it may not do.
 */
void
metrics_client_log_denied (GSocket *socket, MetricsRights missing)
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
 * metrics_client_log_long_line:
 * @socket: (nullable): of the client
 * @limits: with the limit of a line
 *
 * Says that a client has sent a line that is too long to be read.
 */
void
metrics_client_log_long_line (GSocket *socket, const MetricsLimits *limits)
{
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CLIENT_LONG_LINE))
    return;
  client = name_client (socket);
  metrics_log (METRICS_EVENT_CLIENT_LONG_LINE,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_NUMBER (LIMIT, limits->line)),
               ngettext ("client %s is refused: its line is longer than %u byte",
                         "client %s is refused: its line is longer than %u bytes", limits->line),
               client, limits->line);
}

/**
 * metrics_client_log_http:
 * @socket: (nullable): of the client
 *
 * Says that a client speaks another protocol: a browser, or somebody who would use one for an attack.
 */
void
metrics_client_log_http (GSocket *socket)
{
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CLIENT_HTTP))
    return;
  client = name_client (socket);
  metrics_log (METRICS_EVENT_CLIENT_HTTP, METRICS_FIELDS (METRICS_TEXT (CLIENT, client)),
               _ ("client %s is refused: it speaks HTTP, and not the protocol of metricsd"), client);
}

/**
 * metrics_client_log_refused_put:
 * @socket: (nullable): of the client
 * @store: what has refused its point
 * @error: why
 *
 * Says that a point was refused, where that is for a limit.
 */
void
metrics_client_log_refused_put (GSocket *socket, MetricsStore *store, const GError *error)
{
  g_autofree char *client = NULL;

  if (!metrics_store_log_is_due (error))
    return;
  client = name_client (socket);
  metrics_store_log_refused_put (store, error, client);
}
