/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-client-log.h"

#include "common/metrics-log.h"
#include "common/metrics-peer.h"
#include "store/metrics-store-log.h"

#include <glib/gi18n.h>

/* What is said of clients. A client can make any of it come as often as it likes: nothing is put together
 * before it is known that it will be written. */

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
  g_autofree char *client = metrics_peer_dup_name (socket);

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
  client = metrics_peer_dup_name (socket);
  metrics_log (METRICS_EVENT_CONNECTION_LIMIT,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_NUMBER (LIMIT, limits->connections)),
               /* Translators: the client is such as 127.0.0.1:43210; it is the limit of clients at the same
                  time */
               ngettext ("client %s is refused: the limit of %u connection is reached",
                         "client %s is refused: the limit of %u connections is reached", limits->connections),
               client, limits->connections);
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
  client = metrics_peer_dup_name (socket);
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
  client = metrics_peer_dup_name (socket);
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
  client = metrics_peer_dup_name (socket);
  metrics_store_log_refused_put (store, error, client);
}
