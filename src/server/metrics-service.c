/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-service-private.h"

#include "common/metrics-log.h"
#include "common/metrics-peer.h"
#include "server/metrics-accept-guard.h"
#include "server/metrics-client-log.h"

#include <glib/gi18n.h>

G_DEFINE_FINAL_TYPE (MetricsService, metrics_service, G_TYPE_OBJECT)

static void
update_accepting (MetricsService *self)
{
  if (self->guard != NULL)
    metrics_accept_guard_set_open (self->guard,
                                   !self->finishing && metrics_service_get_n_refused (self) < MAX_REFUSED);
}

/* Units of work, see MetricsLimits, that are done at once of what nobody waits for. */
#define DRAIN_SLICE 4096

static gboolean
drain_cb (gpointer user_data)
{
  MetricsService *self = user_data;
  gint budget = DRAIN_SLICE;

  if (!metrics_store_drain (self->store, &budget))
    return G_SOURCE_CONTINUE;
  self->drain_id = 0;
  return G_SOURCE_REMOVE;
}

static void
client_gone (MetricsService *self)
{
  self->figures.connections = metrics_service_get_n_clients (self);
  self->quiet_since = g_get_monotonic_time ();
  update_accepting (self);
  /* The answer that it was in the middle of may have kept what others deleted. Not at an idle priority, which
   * is never reached while clients are busy. */
  if (self->drain_id == 0)
    self->drain_id = g_idle_add_full (G_PRIORITY_DEFAULT, drain_cb, self, NULL);
  metrics_service_check_finished (self);
}

static void
front_gone_cb (gpointer user_data)
{
  client_gone (user_data);
}

static void
connection_closed_cb (MetricsConnection *connection, gpointer user_data)
{
  MetricsService *self = user_data;

  g_hash_table_remove (self->refused, connection);
  g_hash_table_remove (self->connections, connection);
  client_gone (self);
}

/* Who serves it, is the front's to say. */
static gboolean
hand_over (MetricsService *self, GSocketConnection *stream, MetricsRights rights, gboolean over_limit)
{
  GSocket *socket = g_socket_connection_get_socket (stream);
  g_autoptr (GError) error = NULL;

  if (!metrics_front_accept (&self->front, stream, rights, over_limit, &error))
    {
      metrics_client_log_lost (socket, error);
      return FALSE;
    }
  return TRUE;
}

/* Returns: FALSE where it is lost */
static gboolean
serve (MetricsService *self, GSocketConnection *stream, MetricsRights rights, gboolean over_limit)
{
  g_autoptr (MetricsConnection) connection
      = metrics_connection_new (stream, self->store, self->gate, &self->limits, &self->figures, rights);
  g_autoptr (GError) error = NULL;

  if (!metrics_connection_start (connection, self->poller, &error))
    {
      metrics_client_log_lost (g_socket_connection_get_socket (stream), error);
      return FALSE;
    }
  g_signal_connect (connection, "closed", G_CALLBACK (connection_closed_cb), self);
  g_hash_table_add (over_limit ? self->refused : self->connections, g_object_ref (connection));
  if (over_limit)
    metrics_connection_refuse (connection, "too many connections");
  return TRUE;
}

static gboolean
incoming_cb (GSocketService *acceptor, GSocketConnection *stream, GObject *source_object, gpointer user_data)
{
  MetricsService *self = user_data;
  MetricsListener *listener = METRICS_LISTENER (source_object);
  gboolean over_limit = metrics_service_get_n_clients (self) >= self->limits.connections;
  GSocket *socket = g_socket_connection_get_socket (stream);
  MetricsRights rights = metrics_listener_get_rights (listener, socket);

  if (!(metrics_listener_is_http (listener) ? hand_over (self, stream, rights, over_limit)
                                            : serve (self, stream, rights, over_limit)))
    return TRUE;
  if (over_limit)
    {
      self->figures.connections_refused++;
      metrics_client_log_over_limit (socket, &self->limits);
      update_accepting (self);
    }
  else
    {
      self->figures.connections_accepted++;
      self->figures.connections = metrics_service_get_n_clients (self);
    }
  metrics_accept_guard_accepted (self->guard, acceptor);
  return TRUE;
}

static void
metrics_service_dispose (GObject *object)
{
  MetricsService *self = METRICS_SERVICE (object);

  g_clear_pointer (&self->recorder, metrics_recorder_free);
  g_clear_handle_id (&self->finish_timeout_id, g_source_remove);
  metrics_service_foreach_connection (self, metrics_connection_abort);
  metrics_front_abort (&self->front);
  g_clear_handle_id (&self->drain_id, g_source_remove);
  metrics_service_close_acceptors (self);
  g_ptr_array_set_size (self->listeners, 0);
  g_clear_object (&self->gate);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (metrics_service_parent_class)->dispose (object);
}

static void
metrics_service_finalize (GObject *object)
{
  MetricsService *self = METRICS_SERVICE (object);

  g_ptr_array_unref (self->listeners);
  g_ptr_array_unref (self->acceptors);
  g_hash_table_unref (self->connections);
  g_hash_table_unref (self->refused);
  g_clear_pointer (&self->poller, metrics_poller_free);

  G_OBJECT_CLASS (metrics_service_parent_class)->finalize (object);
}

static void
metrics_service_class_init (MetricsServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = metrics_service_dispose;
  object_class->finalize = metrics_service_finalize;

  metrics_service_install_signals ();
}

static void
metrics_service_init (MetricsService *self)
{
  self->listeners = g_ptr_array_new_with_free_func (g_object_unref);
  self->acceptors = g_ptr_array_new_with_free_func (g_object_unref);
  self->connections = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  self->refused = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  self->figures.started = self->quiet_since = g_get_monotonic_time ();
}

/**
 * metrics_service_new:
 * @store: what clients put into and read from
 * @limits: what clients can make the server hold or do; copied
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a service that listens nowhere yet, or %NULL
 */
MetricsService *
metrics_service_new (MetricsStore *store, const MetricsLimits *limits, GError **error)
{
  g_autoptr (MetricsService) self = g_object_new (METRICS_TYPE_SERVICE, NULL);

  self->poller = metrics_poller_new (NULL, error);
  if (self->poller == NULL)
    return NULL;
  self->store = g_object_ref (store);
  self->gate = metrics_gate_new (store);
  self->limits = *limits;
  self->guard = metrics_accept_guard_new ();
  return g_steal_pointer (&self);
}

/**
 * metrics_service_set_disk_func:
 * @self: a service
 * @func: (nullable): what fills in the figures of what lasts, for `stats`; %NULL where nothing does
 * @user_data: what to call it with; it has to live as long as the service, or until it is set again
 */
void
metrics_service_set_disk_func (MetricsService *self, MetricsDiskFiguresFunc func, gpointer user_data)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  self->figures.disk_func = func;
  self->figures.disk_data = user_data;
}

/**
 * metrics_service_set_front:
 * @self: a service
 * @funcs: who serves the clients that come to a listener of HTTP; copied
 *
 * Clients of the front are accepted under the same limits as all others. It has to be set before such a
 * listener is listened to, and to live as long as the service.
 */
void
metrics_service_set_front (MetricsService *self, const MetricsFrontFuncs *funcs)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  metrics_front_init (&self->front, funcs, front_gone_cb, self);
  self->figures.front_func = funcs->foreach_figure;
  self->figures.front_data = funcs->user_data;
}

/**
 * metrics_service_get_poller:
 * @self: a service
 *
 * Returns: (transfer none): what wakes its clients, for those of a front
 */
MetricsPoller *
metrics_service_get_poller (MetricsService *self)
{
  g_return_val_if_fail (METRICS_IS_SERVICE (self), NULL);

  return self->poller;
}

/**
 * metrics_service_record:
 * @self: a service
 * @interval: how often, in seconds; 0 for never
 *
 * Keeps the figures of `stats` as series metricsd.NAME from now on.
 */
void
metrics_service_record (MetricsService *self, guint interval)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  g_clear_pointer (&self->recorder, metrics_recorder_free);
  if (interval > 0)
    self->recorder = metrics_recorder_new (self->store, &self->figures, interval);
}

/* A client over the limit of connections is told so, which takes a descriptor: so that one has to be reached
 * before descriptors run out. */
static void
fit_connection_limit (MetricsService *self)
{
  guint n_clients = metrics_service_get_n_clients (self) + metrics_service_get_n_refused (self);
  guint n_free = metrics_accept_guard_get_n_free () + n_clients;
  guint most;

  /* It is counted from the first free descriptor, which may be one below those of many clients. */
  if (n_clients == 0)
    self->n_most_free = n_free;
  n_free = MIN (n_free, self->n_most_free);
  most = n_free > MAX_REFUSED ? n_free - MAX_REFUSED : 1;
  if (self->limits.connections <= most)
    return;
  metrics_log (METRICS_EVENT_DESCRIPTORS_FEW, METRICS_FIELDS (METRICS_NUMBER (LIMIT, most)),
               ngettext ("file descriptors are enough for %u connection, not for %u",
                         "file descriptors are enough for %u connections, not for %u", most),
               most, self->limits.connections);
  self->limits.connections = most;
}

/**
 * metrics_service_set_limits:
 * @self: a service that listens
 * @limits: what clients can make the server hold or do from now on; copied
 *
 * They hold for the clients that are there as well. Where these are too many nobody is sent away, and nobody
 * new is let in until there are fewer.
 */
void
metrics_service_set_limits (MetricsService *self, const MetricsLimits *limits)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  self->limits = *limits;
  fit_connection_limit (self);
  metrics_service_foreach_connection (self, metrics_connection_take_limits);
}

/**
 * metrics_service_listen:
 * @self: a service
 * @listener: an open listener
 * @error: return location for a #GError
 *
 * Accepts the clients of a listener from now on.
 *
 * Returns: %FALSE where one of its sockets cannot be used
 */
gboolean
metrics_service_listen (MetricsService *self, MetricsListener *listener, GError **error)
{
  GPtrArray *sockets;

  g_return_val_if_fail (METRICS_IS_SERVICE (self), FALSE);

  g_ptr_array_add (self->listeners, g_object_ref (listener));
  sockets = metrics_listener_get_sockets (listener);
  for (guint i = 0; i < sockets->len; i++)
    {
      g_autoptr (GSocketService) acceptor = g_socket_service_new ();

      if (!g_socket_listener_add_socket (G_SOCKET_LISTENER (acceptor), sockets->pdata[i], G_OBJECT (listener),
                                         error))
        return FALSE;
      g_signal_connect (acceptor, "incoming", G_CALLBACK (incoming_cb), self);
      metrics_accept_guard_add (self->guard, acceptor, sockets->pdata[i]);
      metrics_poller_adopt (self->poller, g_socket_get_fd (sockets->pdata[i]));
      g_ptr_array_add (self->acceptors, g_steal_pointer (&acceptor));
    }
  fit_connection_limit (self);
  return TRUE;
}

/**
 * metrics_service_adopt:
 * @self: a service
 * @stream: a connected socket, of whatever origin
 * @name: who the client is, for the log
 * @rights: what the client at its other end may do
 * @error: return location for a #GError
 *
 * Serves a client that came by another way than a listener. It counts as all others do, and closing it is the
 * service's from now on.
 *
 * Returns: %FALSE where there are too many clients, or the service stops
 */
gboolean
metrics_service_adopt (MetricsService *self,
                       GSocketConnection *stream,
                       const char *name,
                       MetricsRights rights,
                       GError **error)
{
  g_autoptr (MetricsConnection) connection = NULL;

  g_return_val_if_fail (METRICS_IS_SERVICE (self), FALSE);

  metrics_peer_set_name (g_socket_connection_get_socket (stream), name);
  if (self->finishing)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the server stops");
      return FALSE;
    }
  if (metrics_service_get_n_clients (self) >= self->limits.connections)
    {
      self->figures.connections_refused++;
      metrics_client_log_over_limit (g_socket_connection_get_socket (stream), &self->limits);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES, "too many connections");
      return FALSE;
    }
  connection
      = metrics_connection_new (stream, self->store, self->gate, &self->limits, &self->figures, rights);
  if (!metrics_connection_start (connection, self->poller, error))
    return FALSE;
  g_signal_connect (connection, "closed", G_CALLBACK (connection_closed_cb), self);
  g_hash_table_add (self->connections, g_steal_pointer (&connection));
  self->figures.connections_accepted++;
  self->figures.connections = metrics_service_get_n_clients (self);
  return TRUE;
}

/**
 * metrics_service_foreach_figure:
 * @self: a service
 * @func: (scope call): called for each figure of `stats`
 * @user_data: what to call it with
 *
 * Tells what `stats` does, in its order.
 */
void
metrics_service_foreach_figure (MetricsService *self, MetricsStatsFunc func, gpointer user_data)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  metrics_stats_foreach (self->store, &self->figures, func, user_data);
  metrics_stats_foreach_limit (self->store, &self->limits, func, user_data);
}

/* Whether somebody waits to be accepted. */
static gboolean
is_awaited (MetricsListener *listener)
{
  GPtrArray *sockets = metrics_listener_get_sockets (listener);

  for (guint i = 0; i < sockets->len; i++)
    if (g_socket_condition_check (sockets->pdata[i], G_IO_IN) != 0)
      return TRUE;
  return FALSE;
}

/**
 * metrics_service_get_quiet_since:
 * @self: a service
 *
 * Returns: the monotonic time since when there has been no client, in microseconds; %G_MAXINT64 while there
 *   is one, or one waits to be accepted
 */
gint64
metrics_service_get_quiet_since (MetricsService *self)
{
  g_return_val_if_fail (METRICS_IS_SERVICE (self), 0);

  if (metrics_service_get_n_clients (self) + metrics_service_get_n_refused (self) > 0)
    return G_MAXINT64;
  for (guint i = 0; i < self->listeners->len; i++)
    if (is_awaited (self->listeners->pdata[i]))
      return G_MAXINT64;
  return self->quiet_since;
}
