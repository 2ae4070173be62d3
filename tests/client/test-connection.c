/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* One connection for many requests: their order, threads, cancelling, and connecting anew. */

/* Answers "get <key>" with one point whose value is the number at the end of the key. */
static gboolean
answer_get (DummyPeer *peer, const char *line, gboolean slowly)
{
  const char *key = line + strlen ("get ");
  g_autofree char *answer = g_strdup_printf ("ok\n%s %s.0 1\n\n", key, key + strcspn (key, "0123456789"));

  return slowly ? dummy_peer_write_slowly (peer, answer) : dummy_peer_write (peer, answer);
}

static void
serve_gets (DummyPeer *peer, gpointer user_data)
{
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      answer_get (peer, line, user_data != NULL);
      g_free (line);
    }
}

static void
assert_got (GPtrArray *samples, guint number)
{
  g_assert_nonnull (samples);
  g_assert_cmpuint (samples->len, ==, 1);
  g_assert_cmpfloat (((MetricsSample *) samples->pdata[0])->value, ==, number);
}

static void
get_number (MetricsClient *client, const char *name, guint number)
{
  g_autofree char *key = g_strdup_printf ("%s%u", name, number);
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  samples = metrics_client_get (client, key, NULL, &error);
  g_assert_no_error (error);
  assert_got (samples, number);
}

#define N_REQUESTS 5000

static void
on_got_next (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *n_done = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) samples = metrics_client_get_finish (METRICS_CLIENT (source), result, &error);

  g_assert_no_error (error);
  assert_got (samples, *n_done);
  (*n_done)++;
}

static void
test_order (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_gets, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  guint n_done = 0;

  for (guint i = 0; i < N_REQUESTS; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      metrics_client_get_async (client, key, NULL, on_got_next, &n_done);
    }
  /* A synchronous request has its place behind them, and does not run their callbacks. */
  get_number (client, "k", 7);
  g_assert_cmpuint (n_done, ==, 0);
  while (n_done < N_REQUESTS)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_slow_segments (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_gets, GINT_TO_POINTER (TRUE));
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));

  for (guint i = 0; i < 20; i++)
    get_number (client, "a.long.key.that.comes.in.pieces", i);
}

#define N_THREADS 8

static gpointer
run_sync_thread (gpointer user_data)
{
  for (guint i = 0; i < 300; i++)
    get_number (user_data, "k", g_random_int_range (0, 1000000));
  return NULL;
}

static gpointer
run_async_thread (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GPtrArray) samples = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *key = g_strdup_printf ("k%u", i);

      metrics_client_get_async (user_data, key, NULL, async_result_store, &result);
      samples = metrics_client_get_finish (user_data, async_result_wait (&result), &error);
      g_assert_no_error (error);
      assert_got (samples, i);
    }
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_gets, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, i % 2 ? run_sync_thread : run_async_thread, client);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

/* Answers the first request when it is let. */
typedef struct
{
  DummyEvent asked;
  DummyEvent let;
  guint n_connections;
  guint n_requests;
} Gate;

static void
serve_at_gate (DummyPeer *peer, gpointer user_data)
{
  Gate *gate = user_data;
  char *line;

  gate->n_connections = dummy_peer_get_number (peer) + 1;
  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gate->n_requests++;
      dummy_event_set (&gate->asked);
      dummy_event_wait (&gate->let);
      answer_get (peer, line, FALSE);
      g_free (line);
    }
}

static void
test_cancel (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  metrics_client_get_async (client, "k1", cancellable, async_result_store, &first);
  metrics_client_get_async (client, "k2", NULL, async_result_store, &second);
  dummy_event_wait (&gate.asked);

  /* At once: its answer has not come. */
  g_cancellable_cancel (cancellable);
  g_assert_null (metrics_client_get_finish (client, async_result_wait (&first), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* And when it comes, it is not taken for another one's. */
  g_assert_null (second);
  dummy_event_set (&gate.let);
  samples = metrics_client_get_finish (client, async_result_wait (&second), &error);
  g_assert_no_error (error);
  assert_got (samples, 2);
  get_number (client, "k", 3);
  g_assert_cmpuint (gate.n_connections, ==, 1);
}

typedef struct
{
  Gate gate;
  GCancellable *cancellable;
} Canceller;

static gpointer
run_canceller (gpointer user_data)
{
  Canceller *self = user_data;

  dummy_event_wait (&self->gate.asked);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
test_cancel_sync (void)
{
  Canceller canceller = { .cancellable = g_cancellable_new () };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &canceller.gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  GThread *thread = g_thread_new (NULL, run_canceller, &canceller);
  g_autoptr (GError) error = NULL;

  g_assert_null (metrics_client_get (client, "k1", canceller.cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  /* Already cancelled: nothing is sent. */
  g_assert_false (metrics_client_ping (client, canceller.cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  dummy_event_set (&canceller.gate.let);
  get_number (client, "k", 2);
  g_assert_cmpuint (canceller.gate.n_requests, ==, 2);
  g_object_unref (canceller.cancellable);
}

/* A request that is out of time leaves those before it alone, and its answer is not taken for theirs. */
static void
test_time_out_behind_another (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 0);
  metrics_client_get_async (client, "k1", NULL, async_result_store, &first);
  metrics_client_set_timeout (client, 50);
  metrics_client_get_async (client, "k2", NULL, async_result_store, &second);
  g_assert_null (metrics_client_get_finish (client, async_result_wait (&second), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT);
  g_clear_error (&error);

  metrics_client_set_timeout (client, 0);
  dummy_event_set (&gate.let);
  samples = metrics_client_get_finish (client, async_result_wait (&first), &error);
  g_assert_no_error (error);
  assert_got (samples, 1);
  get_number (client, "k", 3);
  g_assert_cmpuint (gate.n_connections, ==, 1);
}

/* But those behind it wait for a connection on which nothing comes. */
static void
test_time_out_before_another (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 200);
  metrics_client_get_async (client, "k1", NULL, async_result_store, &first);
  metrics_client_set_timeout (client, 0);
  metrics_client_get_async (client, "k2", NULL, async_result_store, &second);
  g_assert_null (metrics_client_get_finish (client, async_result_wait (&first), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_null (metrics_client_get_finish (client, async_result_wait (&second), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);

  dummy_event_set (&gate.let);
  get_number (client, "k", 3);
}

static void
test_cancel_while_connecting (void)
{
  /* A socket that listens, but whose queue of connections is full and stays so. */
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (MetricsClient) client = NULL;
  g_autoptr (GPtrArray) sockets = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  g_socket_set_listen_backlog (socket, 0);
  g_assert_true (g_socket_bind (socket, address, FALSE, NULL) && g_socket_listen (socket, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  for (guint i = 0; i < 4; i++)
    {
      GSocket *filler = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);

      g_socket_set_blocking (filler, FALSE);
      g_socket_connect (filler, bound, NULL, NULL);
      g_ptr_array_add (sockets, filler);
    }

  text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (bound));
  client = metrics_client_new (text);
  metrics_client_ping_async (client, cancellable, async_result_store, &result);
  g_cancellable_cancel (cancellable);
  g_assert_false (metrics_client_ping_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  metrics_client_set_timeout (client, 50);
  g_assert_false (metrics_client_ping (client, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, text));
}

/* Closes each connection after one answer, and says when it has. */
static void
serve_one_each (DummyPeer *peer, gpointer user_data)
{
  DummyEvent *closed = user_data;
  g_autofree char *line = dummy_peer_read_line (peer);

  answer_get (peer, line, FALSE);
  if (dummy_peer_get_number (peer) % 2 == 1)
    dummy_peer_write (peer, "error\nidle timeout\n\n");
  dummy_peer_close (peer);
  dummy_event_set (&closed[dummy_peer_get_number (peer)]);
}

/* A server that ends an idle connection, or restarts, costs no request. */
static void
test_reconnect (void)
{
  DummyEvent closed[20] = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_one_each, closed);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));

  for (guint i = 0; i < G_N_ELEMENTS (closed); i++)
    {
      get_number (client, "k", i);
      dummy_event_wait (&closed[i]);
    }
}

/* Takes a request and goes away without an answer; the second connection answers. */
static void
serve_second (DummyPeer *peer, gpointer user_data)
{
  g_autofree char *line = dummy_peer_read_line (peer);

  if (dummy_peer_get_number (peer) > 0)
    answer_get (peer, line, FALSE);
}

/* What was sent is not sent again: it may have been carried out. */
static void
test_lost_in_flight (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_second, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  samples = metrics_client_get (client, "k1", NULL, &error);
  g_assert_null (samples);
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  get_number (client, "k", 2);
}

static void
test_close (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  /* Nothing to close. */
  metrics_client_close (client);

  metrics_client_get_async (client, "k1", NULL, async_result_store, &result);
  dummy_event_wait (&gate.asked);
  metrics_client_close (client);
  g_assert_null (metrics_client_get_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);

  dummy_event_set (&gate.let);
  get_number (client, "k", 2);
  g_assert_cmpuint (gate.n_connections, ==, 2);
}

static void
serve_until_end (DummyPeer *peer, gpointer user_data)
{
  serve_gets (peer, NULL);
  dummy_event_set (user_data);
}

static void
test_freed_client_disconnects (void)
{
  DummyEvent ended = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_until_end, &ended);
  MetricsClient *client = metrics_client_new (dummy_server_get_address (server));

  get_number (client, "k", 1);
  g_object_unref (client);
  dummy_event_wait (&ended);
}

/* A client lives for as long as its requests do. */
static void
test_freed_with_request (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_gets, NULL);
  MetricsClient *client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GObject) source = NULL;
  g_autoptr (GError) error = NULL;

  metrics_client_get_async (client, "k5", NULL, async_result_store, &result);
  g_object_unref (client);
  source = g_async_result_get_source_object (async_result_wait (&result));
  samples = metrics_client_get_finish (METRICS_CLIENT (source), result, &error);
  g_assert_no_error (error);
  assert_got (samples, 5);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

  g_test_add_func ("/connection/order", test_order);
  g_test_add_func ("/connection/slow-segments", test_slow_segments);
  g_test_add_func ("/connection/threads", test_threads);
  g_test_add_func ("/connection/cancel", test_cancel);
  g_test_add_func ("/connection/cancel-sync", test_cancel_sync);
  g_test_add_func ("/connection/time-out-behind-another", test_time_out_behind_another);
  g_test_add_func ("/connection/time-out-before-another", test_time_out_before_another);
  g_test_add_func ("/connection/cancel-while-connecting", test_cancel_while_connecting);
  g_test_add_func ("/connection/reconnect", test_reconnect);
  g_test_add_func ("/connection/lost-in-flight", test_lost_in_flight);
  g_test_add_func ("/connection/close", test_close);
  g_test_add_func ("/connection/freed-client-disconnects", test_freed_client_disconnects);
  g_test_add_func ("/connection/freed-with-request", test_freed_with_request);

  return g_test_run ();
}
