/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"
#include "server/metrics-connection.h"
#include "store/metrics-chunk-source.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection on one end of a socket pair, its store's chunks not in memory; the test is the client at the
 * other. */
typedef struct
{
  DummyChunkSource *source;
  MetricsStore *store;
  MetricsGate *gate;
  MetricsPoller *poller;
  MetricsConnection *connection;
  GSocket *client;
  MetricsLimits limits;
  MetricsFigures figures;
  gboolean closed;
} Fixture;

static void
closed_cb (MetricsConnection *connection, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) server = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  int fds[2];

  fixture->limits = (MetricsLimits){
    .line = 65536,
    .connections = 1,
    .unsent = GPOINTER_TO_UINT (data),
    .slice = 16,
    .line_timeout = 60,
    .answer_timeout = 60,
  };
  fixture->source = dummy_chunk_source_new ();
  fixture->store = g_object_new (METRICS_TYPE_STORE, "chunk-source", fixture->source, NULL);
  fixture->gate = metrics_gate_new (fixture->store);
  fixture->poller = metrics_poller_new (NULL, &error);
  g_assert_no_error (error);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  server = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  fixture->client = g_socket_new_from_fd (fds[1], &error);
  g_assert_no_error (error);
  g_socket_set_blocking (fixture->client, FALSE);

  stream = g_socket_connection_factory_create_connection (server);
  fixture->connection = metrics_connection_new (stream, fixture->store, fixture->gate, &fixture->limits,
                                                &fixture->figures, METRICS_RIGHTS_ALL);
  g_signal_connect (fixture->connection, "closed", G_CALLBACK (closed_cb), &fixture->closed);
  g_assert_true (metrics_connection_start (fixture->connection, fixture->poller, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  metrics_connection_abort (fixture->connection);
  g_clear_object (&fixture->connection);
  g_clear_object (&fixture->client);
  g_clear_pointer (&fixture->poller, metrics_poller_free);
  g_clear_object (&fixture->gate);
  g_clear_object (&fixture->store);
  g_clear_object (&fixture->source);
}

static void
send_text (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_socket_send (fixture->client, text, strlen (text), NULL, &error), ==,
                   (gssize) strlen (text));
  g_assert_no_error (error);
}

static void
put_points (Fixture *fixture, const char *key, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      MetricsPoint point = { .time = i, .value = i };

      g_assert_true (metrics_store_put (fixture->store, key, strlen (key), point, &error));
      g_assert_no_error (error);
    }
}

static void
append_points (GString *text, const char *key, guint n)
{
  g_string_append (text, "ok\n");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s %u.0 %u\n", key, i, i);
  g_string_append (text, "\n");
}

/* Runs the loop until as many bytes as in @expected have come, or the connection is closed. */
static void
assert_receives (Fixture *fixture, const GString *expected)
{
  g_autoptr (GString) received = g_string_new (NULL);

  while (received->len < expected->len && !fixture->closed)
    {
      char piece[1024];
      gssize n = g_socket_receive (fixture->client, piece, sizeof piece, NULL, NULL);

      if (n > 0)
        g_string_append_len (received, piece, n);
      else
        g_main_context_iteration (NULL, TRUE);
    }
  g_assert_cmpstr (received->str, ==, expected->str);
}

/* All points leave memory. */
static void
make_cold (Fixture *fixture)
{
  gint budget = G_MAXINT;

  dummy_chunk_source_save (fixture->source, fixture->store, 10);
  metrics_store_evict (fixture->store, 0, &budget);
}

/* Replies that have to wait for chunks are completed later, and those to the requests behind them come after.
 */
static void
test_waits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) expected = g_string_new (NULL);

  put_points (fixture, "long", 2000);
  put_points (fixture, "short", 3);
  make_cold (fixture);
  send_text (fixture, "get long\nping\nget short\nput new 1 1\nget *\nwrong\n");

  append_points (expected, "long", 2000);
  g_string_append (expected, "ok\n\n");
  append_points (expected, "short", 3);
  g_string_append (expected, "ok\n\n");
  append_points (expected, "long", 2000);
  g_string_truncate (expected, expected->len - 1);
  g_string_append (expected, "short 0.0 0\nshort 1.0 1\nshort 2.0 2\nnew 1.0 1\n\nerror\nwrong command\n\n");
  assert_receives (fixture, expected);
  g_assert_cmpuint (dummy_chunk_source_get_n_fetched (fixture->source), >, 0);
}

/* A client that goes while its reply waits takes the waiting with it. */
static void
test_goes_while_waiting (Fixture *fixture, gconstpointer data)
{
  put_points (fixture, "long", 2000);
  make_cold (fixture);
  send_text (fixture, "get long\n");
  while (fixture->figures.requests == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (fixture->closed);
  g_clear_object (&fixture->client);
  while (!fixture->closed)
    g_main_context_iteration (NULL, TRUE);
}

/* However much is asked for, a slice of work ends soon after the limit: with the chunk that was begun. */
static void
test_slices (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) expected = g_string_new (NULL);

  put_points (fixture, "long", 2000);
  for (guint i = 0; i < 10; i++)
    {
      send_text (fixture, "get long\n");
      append_points (expected, "long", 2000);
    }
  assert_receives (fixture, expected);
  g_assert_cmpuint (fixture->figures.largest_slice, >=, fixture->limits.slice);
  g_assert_cmpuint (fixture->figures.largest_slice, <=, fixture->limits.slice + 256);
}

/* The rows of a reply that could still be a small one fill up all that may be held: it goes on all the same.
 */
static void
test_least_room (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) expected = g_string_new (NULL);

  fixture->limits.slice = 1;
  /* "ok\n" and rows of 14 and 1007 bytes: 1024 in all, and one row more. */
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *key = g_strnfill (i == 0 ? 7 : 1000, 'k');

      put_points (fixture, key, 1);
    }
  put_points (fixture, "last", 1);
  send_text (fixture, "get *\n");
  g_string_append (expected, "ok\nkkkkkkk 0.0 0\n");
  for (guint i = 0; i < 1000; i++)
    g_string_append_c (expected, 'k');
  g_string_append (expected, " 0.0 0\nlast 0.0 0\n\n");
  assert_receives (fixture, expected);
}

/* How many lines are sent, and how many of them a connection reads at first: that is 512 bytes. */
#define N_LONG_LINES 100
#define N_READ_AT_ONCE 2

/* Sends more than a connection reads at once, lets the loop go round once, and returns how many requests were
 * executed then. */
static guint64
count_in_a_round (Fixture *fixture)
{
  g_autofree char *key = g_strnfill (200, 'k');
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < N_LONG_LINES; i++)
    g_string_append_printf (text, "put %s 1 %u\n", key, i);
  send_text (fixture, text->str);
  while (fixture->figures.requests == 0)
    g_main_context_iteration (NULL, TRUE);
  return fixture->figures.requests;
}

/* Who is alone is read from again behind an answer, but not for longer than a slice of work. */
static void
test_looks_again (Fixture *fixture, gconstpointer data)
{
  guint64 n_requests;

  fixture->limits.slice = 256;
  n_requests = count_in_a_round (fixture);
  g_assert_cmpuint (n_requests, >, N_READ_AT_ONCE);
  g_assert_cmpuint (n_requests, <, N_LONG_LINES);
  while (fixture->figures.requests < N_LONG_LINES)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->figures.largest_slice, <=, fixture->limits.slice);
}

static void
count_cb (MetricsPollerEvents events, gpointer user_data)
{
  *(guint *) user_data += 1;
}

/* Who is not has to wait for the next round. */
static void
test_takes_turns (Fixture *fixture, gconstpointer data)
{
  MetricsPollerWatch other = { 0 };
  guint n_turns = 0;
  int fd = eventfd (1, EFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (metrics_poller_add (fixture->poller, &other, fd, METRICS_POLLER_IN, count_cb, &n_turns,
                                     NULL));
  fixture->limits.slice = 256;
  g_assert_cmpuint (count_in_a_round (fixture), ==, N_READ_AT_ONCE);
  g_assert_cmpuint (n_turns, ==, 1);
  metrics_poller_watch_remove (&other);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, unsent, func)                                                                              \
  g_test_add ("/connection/" name, Fixture, GUINT_TO_POINTER (unsent), set_up, func, tear_down)
  ADD ("waits", 4096, test_waits);
  ADD ("goes-while-waiting", 4096, test_goes_while_waiting);
  ADD ("slices", 4096, test_slices);
  ADD ("least-room", 1024, test_least_room);
  ADD ("looks-again", 4096, test_looks_again);
  ADD ("takes-turns", 4096, test_takes_turns);
#undef ADD

  return g_test_run ();
}
