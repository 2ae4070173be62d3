/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "echo-serve.h"

#include <glib/gi18n.h>

typedef struct
{
  Example *example;
  GCancellable *stop; /* (unowned) wakes all threads, which then end */
  guint n_threads;    /* of the main loop alone */
} Server;

/* One client and its thread. */
typedef struct
{
  Server *server;
  GSocketConnection *connection; /* (owned) */
  GThread *thread;               /* (owned) until it is joined */
} Client;

/* In the main loop: the thread has done all that it had to. */
static gboolean
ended_cb (gpointer user_data)
{
  Client *client = user_data;

  g_thread_join (client->thread);
  client->server->n_threads--;
  g_object_unref (client->connection);
  g_free (client);
  return G_SOURCE_REMOVE;
}

static gpointer
client_thread (gpointer user_data)
{
  Client *client = user_data;

  echo_serve (client->server->example, client->connection, client->server->stop);
  g_idle_add_full (G_PRIORITY_DEFAULT, ended_cb, client, NULL);
  return NULL;
}

/* The system has no more threads, or no memory for one. */
static void
refuse (Server *server, GSocketConnection *connection)
{
  static const char refusal[] = "error: no thread for one more client\n";

  example_report_count (example_get_report (server->example), EXAMPLE_ERRORS, 1);
  g_socket_send_with_blocking (g_socket_connection_get_socket (connection), refusal, sizeof refusal - 1,
                               FALSE, NULL, NULL);
  example_close (server->example, connection);
}

/* A GThreadedSocketService would begin the threads itself. But whom it finds no thread for waits without
 * being told, and it knows no way to end those that wait for their clients. */
static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Server *server = user_data;
  Client *client;

  if (g_cancellable_is_cancelled (server->stop) || !example_open (server->example, connection))
    return TRUE;
  client = g_new (Client, 1);
  client->server = server;
  client->connection = g_object_ref (connection);
  client->thread = g_thread_try_new ("client", client_thread, client, NULL);
  if (client->thread != NULL)
    {
      server->n_threads++;
      return TRUE;
    }
  refuse (server, connection);
  g_object_unref (client->connection);
  g_free (client);
  return TRUE;
}

/* Ends all threads, and waits for that: they count. */
static void
end_threads (Server *server)
{
  g_cancellable_cancel (server->stop);
  while (server->n_threads > 0)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "echo-threads",
    .summary = N_ ("Answers GOT: and what it got: each client has a thread, which waits for it."),
    .address = "localhost:25001",
    .idle_seconds = 600,
    .is_server = TRUE,
  };
  /* Outlives the example, at whose end clients may still come. */
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();
  Server server = { example, stop, 0 };
  int status = 1;

  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), &server);
  if (example_listen (example, G_SOCKET_LISTENER (service)))
    status = example_run (example);
  end_threads (&server);
  return status;
}
