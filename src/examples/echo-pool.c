/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "echo-serve.h"

#include <glib/gi18n.h>

#define DEFAULT_THREADS 10
#define MAX_THREADS 10000

typedef struct
{
  Example *example;
  GThreadPool *pool;  /* (owned) */
  GCancellable *stop; /* (unowned) wakes all threads, which then end */
} Server;

/* In a thread of the pool, which takes the next client when this one has gone. */
static void
client_cb (gpointer data, gpointer user_data)
{
  GSocketConnection *connection = data;
  Server *server = user_data;

  echo_serve (server->example, connection, server->stop);
  g_object_unref (connection);
}

/* Whoever comes is let in at once, and waits in the queue of the pool: the queue is as long as there may be
 * clients. A GThreadedSocketService would leave them in that of the kernel, where nobody counts them. */
static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Server *server = user_data;

  if (!g_cancellable_is_cancelled (server->stop) && example_open (server->example, connection))
    g_thread_pool_push (server->pool, g_object_ref (connection), NULL);
  return TRUE;
}

/* Starts all threads now: none can be missing later. */
static gboolean
start_threads (Server *server, int n_threads)
{
  g_autoptr (GError) error = NULL;

  server->pool = g_thread_pool_new (client_cb, server, n_threads, TRUE, &error);
  if (error == NULL)
    return TRUE;
  g_printerr (_ ("%s: cannot start %d threads: %s\n"), g_get_prgname (), n_threads, error->message);
  return FALSE;
}

/* Ends all threads, and waits for that: they count. Whoever still waited for one is served by nobody. */
static void
end_threads (Server *server)
{
  g_cancellable_cancel (server->stop);
  g_thread_pool_free (server->pool, FALSE, TRUE);
}

int
main (int argc, char **argv)
{
  static int n_threads = DEFAULT_THREADS;
  static const GOptionEntry entries[] = {
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads,
      N_ ("How many clients are served at once; the others wait for their turn (default: 10)"), N_ ("N") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "echo-pool",
    .summary
    = N_ ("Answers GOT: and what it got: some threads, each of which waits for a client until it goes."),
    .address = "localhost:25002",
    .idle_seconds = 60,
    .is_server = TRUE,
    .entries = entries,
  };
  /* Outlives the example, at whose end clients may still come. */
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();
  Server server = { example, NULL, stop };
  int status = 1;

  if (n_threads < 1 || n_threads > MAX_THREADS)
    {
      g_printerr (_ ("%s: --threads is 1 to %d\n"), g_get_prgname (), MAX_THREADS);
      return 2;
    }
  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), &server);
  if (start_threads (&server, n_threads) && example_listen (example, G_SOCKET_LISTENER (service)))
    status = example_run (example);
  end_threads (&server);
  return status;
}
