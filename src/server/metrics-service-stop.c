/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-service-private.h"

#include "common/metrics-log.h"

#include <glib/gi18n.h>

/* How a service ends. */

static guint signal_finished;

void
metrics_service_install_signals (void)
{
  /**
   * MetricsService::finished:
   *
   * After metrics_service_finish(): the last client has gone.
   */
  signal_finished = g_signal_new ("finished", METRICS_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

void
metrics_service_foreach_connection (MetricsService *self, void (*func) (MetricsConnection *))
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
void
metrics_service_close_acceptors (MetricsService *self)
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

void
metrics_service_check_finished (MetricsService *self)
{
  if (!self->finishing || metrics_service_get_n_clients (self) + metrics_service_get_n_refused (self) > 0)
    return;
  g_clear_handle_id (&self->finish_timeout_id, g_source_remove);
  g_signal_emit (self, signal_finished, 0);
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

  metrics_service_close_acceptors (self);
}

static gboolean
finish_timeout_cb (gpointer user_data)
{
  MetricsService *self = user_data;
  guint n = metrics_service_get_n_clients (self) + metrics_service_get_n_refused (self);

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
  metrics_service_close_acceptors (self);

  self->finish_timeout_id = g_timeout_add_seconds (timeout, finish_timeout_cb, self);
  metrics_service_foreach_connection (self, metrics_connection_finish);
  metrics_front_finish (&self->front);
  metrics_service_check_finished (self);
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

  metrics_service_foreach_connection (self, metrics_connection_abort);
  metrics_front_abort (&self->front);
}
