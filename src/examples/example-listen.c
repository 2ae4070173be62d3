/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example.h"

#include <glib/gi18n.h>

/* Clients that may wait to be accepted: many come at once. */
#define BACKLOG 1024
/* How long a client may take to close its side when all has been said. */
#define CLOSE_SECONDS 5

/* That address with PORT, where its own is 0: any that is free. */
static GSocketAddress *
with_port (GSocketAddress *address, guint16 port)
{
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);

  if (g_inet_socket_address_get_port (inet) != 0)
    return g_object_ref (address);
  return g_inet_socket_address_new (g_inet_socket_address_get_address (inet), port);
}

/* Has SELF listen at all addresses that --address stands for, where LISTEN does so at one of them and returns
 * the one that it got, and says so on standard output: localhost is 127.0.0.1 and ::1, which get the same
 * port. Where a machine lacks one of the two kinds, the other is enough.
 *
 * Returns: whether it listens; if not, it has been said why not */
gboolean
example_listen_by (Example *self, ExampleListenFunc listen, gpointer user_data)
{
  g_autoptr (GSocketConnectable) host = NULL;
  g_autoptr (GSocketAddressEnumerator) enumerator = NULL;
  g_autoptr (GSocketAddress) resolved = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) first_error = NULL;
  guint16 port = 0;
  gboolean listens = FALSE;

  host = g_network_address_parse (example_get_address (self), 0, &error);
  enumerator = host != NULL ? g_socket_connectable_enumerate (host) : NULL;
  while (error == NULL && (resolved = g_socket_address_enumerator_next (enumerator, NULL, &error)) != NULL)
    {
      g_autoptr (GSocketAddress) address = with_port (resolved, port);
      g_autoptr (GSocketAddress) effective = listen (user_data, address, &error);

      if (effective != NULL)
        {
          g_autofree char *text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (effective));

          port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
          g_print ("listening on %s\n", text);
          listens = TRUE;
        }
      else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        g_propagate_error (first_error == NULL ? &first_error : NULL, g_steal_pointer (&error));
      g_clear_object (&resolved);
    }
  if (error == NULL && listens)
    return TRUE;
  g_printerr (_ ("%s: cannot listen on %s: %s\n"), g_get_prgname (), example_get_address (self),
              error != NULL         ? error->message
              : first_error != NULL ? first_error->message
                                    : _ ("it has no address"));
  return FALSE;
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  gboolean handled;

  g_signal_emit_by_name (user_data, "incoming", connection, source, &handled);
  return handled;
}

/* Each further address has a service of its own, which hands its clients to the first one: GLib before 2.86
 * loses a client where two come to two addresses of a service at once. */
static GSocketListener *
add_service (GSocketListener *first, GSocketAddress *address)
{
  g_autofree char *text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
  GSocketService *service = g_socket_service_new ();

  g_signal_connect_object (service, "incoming", G_CALLBACK (incoming_cb), first, 0);
  /* It goes with the first one, under a name that no other has. */
  g_object_set_data_full (G_OBJECT (first), text, service, g_object_unref);
  return G_SOCKET_LISTENER (service);
}

/* The listeners of one server. */
typedef struct
{
  GSocketListener *first; /* (unowned) */
  gboolean is_taken;      /* by an address */
} Listeners;

static GSocketAddress *
listen_for_streams (gpointer user_data, GSocketAddress *address, GError **error)
{
  Listeners *listeners = user_data;
  GSocketListener *listener
      = listeners->is_taken ? add_service (listeners->first, address) : listeners->first;
  GSocketAddress *effective = NULL;

  g_socket_listener_set_backlog (listener, BACKLOG);
  listeners->is_taken = g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM,
                                                       G_SOCKET_PROTOCOL_TCP, NULL, &effective, error)
                        || listeners->is_taken;
  return effective;
}

/* Has LISTENER, a GSocketService, listen for connections at all addresses that --address stands for, as
 * example_listen_by() does.
 *
 * Returns: whether it listens; if not, it has been said why not */
gboolean
example_listen (Example *self, GSocketListener *listener)
{
  Listeners listeners = { listener, FALSE };

  return example_listen_by (self, listen_for_streams, &listeners);
}

/* A client that is being sent away. */
typedef struct
{
  Example *example;             /* (unowned) */
  void (*gone) (Example *self); /* what is called then */
  GCancellable *cancellable;    /* (owned) */
  guint timer;
} Closing;

static gboolean
close_timeout_cb (gpointer user_data)
{
  Closing *closing = user_data;

  closing->timer = 0;
  g_cancellable_cancel (closing->cancellable);
  return G_SOURCE_REMOVE;
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Closing *closing = user_data;

  /* It is gone, whatever there was to say against it. */
  g_io_stream_close_finish (G_IO_STREAM (source), result, NULL);
  g_clear_handle_id (&closing->timer, g_source_remove);
  closing->gone (closing->example);
  g_object_unref (closing->cancellable);
  g_free (closing);
}

/* Ends a connection, on the main loop, and calls GONE when it is closed on both sides. What was written
 * before still arrives: a socket that is closed while the client sends more would be reset, and take the last
 * answer with it, so this side is closed first, and the other one within some seconds. Nothing else is under
 * way on the connection.
 */
void
example_let_go (Example *self, GSocketConnection *connection, void (*gone) (Example *self))
{
  Closing *closing = g_new0 (Closing, 1);

  closing->example = self;
  closing->gone = gone;
  closing->cancellable = g_cancellable_new ();
  closing->timer = g_timeout_add_seconds (CLOSE_SECONDS, close_timeout_cb, closing);
  if (G_IS_TCP_CONNECTION (connection))
    g_tcp_connection_set_graceful_disconnect (G_TCP_CONNECTION (connection), TRUE);
  g_io_stream_close_async (G_IO_STREAM (connection), G_PRIORITY_DEFAULT, closing->cancellable, closed_cb,
                           closing);
}

/* Ends a connection that example_open() let in, and counts that when it is closed. */
void
example_close (Example *self, GSocketConnection *connection)
{
  example_let_go (self, connection, example_closed);
}
