/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-service.h"

#include "common/metrics-log.h"
#include "common/metrics-poller.h"
#include "server/metrics-accept-guard.h"
#include "server/metrics-client-log.h"
#include "server/metrics-connection.h"
#include "server/metrics-gate.h"
#include "server/metrics-recorder.h"

#include <glib/gi18n.h>

/* Clients over the limit that are being told so at the same time; while there are that many, nobody is
 * accepted. */
#define MAX_REFUSED 16

/**
 * MetricsService:
 *
 * Accepts clients and looks after their connections.
 *
 * Each listening socket has a #GSocketService of its own. One with several sockets would lose clients: where
 * two come to different sockets in the same iteration of the main context, GLib before 2.86 completes the
 * same task twice.
 */
struct _MetricsService
{
  GObject parent;

  MetricsStore *store; /* (owned) */
  MetricsGate *gate;   /* (owned) */
  MetricsLimits limits;
  MetricsFigures figures;
  MetricsRecorder *recorder; /* (owned) (nullable) */
  MetricsPoller *poller;     /* (owned) */
  GSource *guard;            /* (owned) */

  GPtrArray *listeners;    /* (owned) (element-type MetricsListener) */
  GPtrArray *acceptors;    /* (owned) (element-type GSocketService): one for each listening socket */
  GHashTable *connections; /* (owned) (element-type MetricsConnection): a set */
  GHashTable *refused;     /* (owned) (element-type MetricsConnection): a set of those over the limit */

  guint n_most_free;  /* how many descriptors were free when there was no client */
  gboolean finishing; /* whether it stops */
  gint64 quiet_since; /* monotonic time at which the last client went, or of the start */
  guint finish_timeout_id;
  guint drain_id;
};

static guint signal_finished;

G_DEFINE_FINAL_TYPE (MetricsService, metrics_service, G_TYPE_OBJECT)

static void
update_accepting (MetricsService *self)
{
  if (self->guard != NULL)
    metrics_accept_guard_set_open (self->guard,
                                   !self->finishing && g_hash_table_size (self->refused) < MAX_REFUSED);
}

static void
check_finished (MetricsService *self)
{
  if (!self->finishing || g_hash_table_size (self->connections) + g_hash_table_size (self->refused) > 0)
    return;
  g_clear_handle_id (&self->finish_timeout_id, g_source_remove);
  g_signal_emit (self, signal_finished, 0);
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
connection_closed_cb (MetricsConnection *connection, gpointer user_data)
{
  MetricsService *self = user_data;

  g_hash_table_remove (self->refused, connection);
  g_hash_table_remove (self->connections, connection);
  self->figures.connections = g_hash_table_size (self->connections);
  self->quiet_since = g_get_monotonic_time ();
  update_accepting (self);
  /* The answer that it was in the middle of may have kept what others deleted. Not at an idle priority, which
   * is never reached while clients are busy. */
  if (self->drain_id == 0)
    self->drain_id = g_idle_add_full (G_PRIORITY_DEFAULT, drain_cb, self, NULL);
  check_finished (self);
}

static gboolean
incoming_cb (GSocketService *acceptor, GSocketConnection *stream, GObject *source_object, gpointer user_data)
{
  MetricsService *self = user_data;
  gboolean over_limit = g_hash_table_size (self->connections) >= self->limits.connections;
  GSocket *socket = g_socket_connection_get_socket (stream);
  MetricsRights rights = metrics_listener_get_rights (METRICS_LISTENER (source_object), socket);
  g_autoptr (MetricsConnection) connection
      = metrics_connection_new (stream, self->store, self->gate, &self->limits, &self->figures, rights);
  g_autoptr (GError) error = NULL;

  if (!metrics_connection_start (connection, self->poller, &error))
    {
      metrics_client_log_lost (socket, error);
      return TRUE;
    }

  g_signal_connect (connection, "closed", G_CALLBACK (connection_closed_cb), self);
  g_hash_table_add (over_limit ? self->refused : self->connections, g_object_ref (connection));
  if (over_limit)
    {
      self->figures.connections_refused++;
      metrics_client_log_over_limit (socket, &self->limits);
      metrics_connection_refuse (connection, "too many connections");
      update_accepting (self);
    }
  else
    {
      self->figures.connections_accepted++;
      self->figures.connections = g_hash_table_size (self->connections);
    }
  metrics_accept_guard_accepted (self->guard, acceptor);
  return TRUE;
}

static void
for_each_connection (MetricsService *self, void (*func) (MetricsConnection *))
{
  GHashTable *tables[] = { self->connections, self->refused };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autoptr (GPtrArray) connections = g_ptr_array_new_with_free_func (g_object_unref);
      GHashTableIter iter;
      gpointer connection;

      /* Those that close take themselves out of the table. */
      g_hash_table_iter_init (&iter, tables[i]);
      while (g_hash_table_iter_next (&iter, &connection, NULL))
        g_ptr_array_add (connections, g_object_ref (connection));
      for (guint k = 0; k < connections->len; k++)
        func (connections->pdata[k]);
    }
}

/* Listens no more. The guard goes first: it polls the sockets that are closed here. */
static void
close_acceptors (MetricsService *self)
{
  if (self->guard != NULL)
    g_source_destroy (self->guard);
  g_clear_pointer (&self->guard, g_source_unref);
  for (guint i = 0; i < self->listeners->len; i++)
    {
      GPtrArray *sockets = metrics_listener_get_sockets (self->listeners->pdata[i]);

      for (guint k = 0; k < sockets->len; k++)
        metrics_poller_disown (self->poller, g_socket_get_fd (sockets->pdata[k]));
    }
  for (guint i = 0; i < self->acceptors->len; i++)
    {
      g_signal_handlers_disconnect_by_data (self->acceptors->pdata[i], self);
      g_socket_service_stop (self->acceptors->pdata[i]);
      g_socket_listener_close (self->acceptors->pdata[i]);
    }
  g_ptr_array_set_size (self->acceptors, 0);
  g_ptr_array_foreach (self->listeners, (GFunc) (void (*) (void)) metrics_listener_close, NULL);
}

static void
metrics_service_dispose (GObject *object)
{
  MetricsService *self = METRICS_SERVICE (object);

  g_clear_pointer (&self->recorder, metrics_recorder_free);
  g_clear_handle_id (&self->finish_timeout_id, g_source_remove);
  for_each_connection (self, metrics_connection_abort);
  g_clear_handle_id (&self->drain_id, g_source_remove);
  close_acceptors (self);
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

  /**
   * MetricsService::finished:
   *
   * After metrics_service_finish(): the last client has gone.
   */
  signal_finished = g_signal_new ("finished", METRICS_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
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
  guint n_clients = g_hash_table_size (self->connections) + g_hash_table_size (self->refused);
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
  for_each_connection (self, metrics_connection_take_limits);
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

  metrics_client_log_set_name (g_socket_connection_get_socket (stream), name);
  if (self->finishing)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the server stops");
      return FALSE;
    }
  if (g_hash_table_size (self->connections) >= self->limits.connections)
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
  self->figures.connections = g_hash_table_size (self->connections);
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

  if (g_hash_table_size (self->connections) + g_hash_table_size (self->refused) > 0)
    return G_MAXINT64;
  for (guint i = 0; i < self->listeners->len; i++)
    if (is_awaited (self->listeners->pdata[i]))
      return G_MAXINT64;
  return self->quiet_since;
}

/**
 * metrics_service_stop_accepting:
 * @self: a service
 *
 * Listens no more: who comes to a socket that was passed waits for the next server, and to another finds
 * nobody. Those who are there are served until metrics_service_finish().
 */
void
metrics_service_stop_accepting (MetricsService *self)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  close_acceptors (self);
}

static gboolean
finish_timeout_cb (gpointer user_data)
{
  MetricsService *self = user_data;
  guint n = g_hash_table_size (self->connections) + g_hash_table_size (self->refused);

  self->finish_timeout_id = 0;
  metrics_log (METRICS_EVENT_CLIENTS_CUT_OFF, METRICS_FIELDS (METRICS_NUMBER (COUNT, n)),
               ngettext ("%u client did not take its answers in time",
                         "%u clients did not take their answers in time", n),
               n);
  metrics_service_abort (self);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_service_finish:
 * @self: a service
 * @timeout: seconds that clients have to take what they are owed
 *
 * Accepts and reads no more; executes what was read and sends the answers. #MetricsService::finished says
 * when all clients have gone, from an iteration of the main context or from here.
 */
void
metrics_service_finish (MetricsService *self, guint timeout)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  if (self->finishing)
    return;
  self->finishing = TRUE;
  g_clear_pointer (&self->recorder, metrics_recorder_free);
  close_acceptors (self);

  self->finish_timeout_id = g_timeout_add_seconds (timeout, finish_timeout_cb, self);
  for_each_connection (self, metrics_connection_finish);
  check_finished (self);
}

/**
 * metrics_service_abort:
 * @self: a service
 *
 * Closes all connections at once, whatever is owed to them.
 */
void
metrics_service_abort (MetricsService *self)
{
  g_return_if_fail (METRICS_IS_SERVICE (self));

  for_each_connection (self, metrics_connection_abort);
}
