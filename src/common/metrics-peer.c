/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-peer.h"

#include "common/metrics-log.h"

#include <glib/gi18n.h>

/* Who is at the other end of a socket, for the log, whichever protocol it speaks. */

#define NAME_KEY "metrics-peer-name"

/**
 * metrics_peer_set_name:
 * @socket: of a client that came by another way than a listener
 * @name: who it is
 *
 * Says who is meant by a socket of which the kernel knows only that the server has made it.
 */
void
metrics_peer_set_name (GSocket *socket, const char *name)
{
  g_object_set_data_full (G_OBJECT (socket), NAME_KEY, g_strdup (name), g_free);
}

/**
 * metrics_peer_dup_name:
 * @socket: (nullable): of a client
 *
 * Returns: (transfer full): its name, where it was given one, an address, or of a unix socket the process, as
 *   the kernel knows it
 */
char *
metrics_peer_dup_name (GSocket *socket)
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
 * metrics_peer_log_denied:
 * @socket: (nullable): of a client
 * @missing: the rights that it lacks for what it asked for
 *
 * Says that a client has asked for what it may not do.
 */
void
metrics_peer_log_denied (GSocket *socket, MetricsRights missing)
{
  const char *right = metrics_rights_get_name (missing);
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CLIENT_DENIED))
    return;
  client = metrics_peer_dup_name (socket);
  metrics_log (METRICS_EVENT_CLIENT_DENIED,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_TEXT (RIGHT, right)),
               /* Translators: the right is 'read', 'put' or 'delete', as in the configuration */
               _ ("client %s is refused: it does not have the right '%s'"), client, right);
}
