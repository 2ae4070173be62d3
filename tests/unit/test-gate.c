/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"
#include "dummy-journal.h"
#include "helpers.h"
#include "server/metrics-connection.h"

#include <sys/socket.h>

#define N_CLIENTS 2

typedef struct
{
  MetricsConnection *connection;
  GSocket *socket;
  gboolean closed;
} Client;

/* Connections to a store whose journal keeps nothing until the test says so; the test is all clients. All is
 * in one process, so when nothing is left to be dispatched, nothing will come. */
typedef struct
{
  DummyJournal *journal;
  MetricsStore *store;
  MetricsGate *gate;
  MetricsPoller *poller;
  MetricsLimits limits;
  MetricsFigures figures;
  Client clients[N_CLIENTS];
} Fixture;

static void
closed_cb (MetricsConnection *connection, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
connect_client (Fixture *fixture, Client *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) server = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  server = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  client->socket = g_socket_new_from_fd (fds[1], &error);
  g_assert_no_error (error);
  g_socket_set_blocking (client->socket, FALSE);

  stream = g_socket_connection_factory_create_connection (server);
  client->connection = metrics_connection_new (stream, fixture->store, fixture->gate, &fixture->limits,
                                               &fixture->figures, METRICS_RIGHTS_ALL);
  g_signal_connect (client->connection, "closed", G_CALLBACK (closed_cb), &client->closed);
  g_assert_true (metrics_connection_start (client->connection, fixture->poller, &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->limits = (MetricsLimits){
    .line = 65536,
    .connections = N_CLIENTS,
    .unsent = GPOINTER_TO_UINT (data),
    .slice = 4,
    .line_timeout = 60,
    .answer_timeout = 1,
    .idle_timeout = 60,
  };
  fixture->journal = dummy_journal_new (TRUE);
  fixture->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  fixture->gate = metrics_gate_new (fixture->store);
  metrics_store_set_journal (fixture->store, METRICS_JOURNAL (fixture->journal));
  fixture->poller = metrics_poller_new (NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_CLIENTS; i++)
    connect_client (fixture, &fixture->clients[i]);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      metrics_connection_abort (fixture->clients[i].connection);
      g_assert_finalize_object (fixture->clients[i].connection);
      g_clear_object (&fixture->clients[i].socket);
    }
  g_clear_pointer (&fixture->poller, metrics_poller_free);
  g_assert_finalize_object (fixture->gate);
  g_assert_finalize_object (fixture->store);
  g_assert_finalize_object (fixture->journal);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
say (Client *client, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_socket_send (client->socket, text, strlen (text), NULL, &error), ==,
                   (gssize) strlen (text));
  g_assert_no_error (error);
  settle ();
}

/* All that has come, until there is nothing more. */
static char *
hear (Client *client)
{
  GString *received = g_string_new (NULL);
  char piece[1024];
  gssize n;

  settle ();
  while ((n = g_socket_receive (client->socket, piece, sizeof piece, NULL, NULL)) > 0)
    {
      g_string_append_len (received, piece, n);
      settle ();
    }
  return g_string_free (received, FALSE);
}

static void
assert_hears (Client *client, const char *expected)
{
  g_autofree char *received = hear (client);

  g_assert_cmpstr (received, ==, expected);
}

static guint64
get_position (Fixture *fixture)
{
  return metrics_journal_get_position (METRICS_JOURNAL (fixture->journal));
}

static void
fail (Fixture *fixture, guint64 position)
{
  metrics_journal_emit_failed (METRICS_JOURNAL (fixture->journal), position, "no space left");
}

/* What was asked before the put is answered at once; the put, and what was asked after it, when it is kept.
 */
static void
test_put (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  say (client, "ping\nput a 1 1\nget a\nping\n");
  assert_hears (client, "ok\n\n");
  g_assert_cmpuint (fixture->figures.requests, ==, 4);
  say (client, "wrong\n");
  assert_hears (client, "");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\na 1.0 1\n\nok\n\nerror\nwrong command\n\n");
  say (client, "ping\n");
  assert_hears (client, "ok\n\n");
}

/* A put that waits for its chunk to be loaded is answered when it is put and kept; and what came behind it,
 * after it. */
static void
test_late_put (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  gint budget = G_MAXINT;
  guint64 position;

  for (guint i = 0; i < 1000; i++)
    put (fixture->store, "a", i, i);
  metrics_store_set_chunk_source (fixture->store, METRICS_CHUNK_SOURCE (source));
  dummy_chunk_source_set_manual (source, TRUE);
  dummy_chunk_source_save (source, fixture->store, 1);
  metrics_store_evict (fixture->store, 0, &budget);
  dummy_journal_keep_all (fixture->journal);
  position = get_position (fixture);

  say (&fixture->clients[0], "put a 5 100\nput a 6 100\nput a 7 101\nping\nrange a 100 101\n");
  say (&fixture->clients[1], "ping\n");
  assert_hears (&fixture->clients[0], "");
  assert_hears (&fixture->clients[1], "ok\n\n");
  g_assert_cmpuint (get_position (fixture), ==, position);

  g_assert_true (dummy_chunk_source_answer_any (source));
  assert_hears (&fixture->clients[0], "");
  g_assert_cmpuint (get_position (fixture), ==, position + 3);
  dummy_journal_keep (fixture->journal, position + 1);
  assert_hears (&fixture->clients[0], "ok\n\n");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (&fixture->clients[0], "ok\n\nok\n\nok\n\nok\na 6.0 100\na 7.0 101\n\n");
}

/* A put whose chunk cannot be read is refused. */
static void
test_broken_put (Fixture *fixture, gconstpointer data)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  gint budget = G_MAXINT;

  for (guint i = 0; i < 1000; i++)
    put (fixture->store, "a", i, i);
  metrics_store_set_chunk_source (fixture->store, METRICS_CHUNK_SOURCE (source));
  dummy_chunk_source_save (source, fixture->store, 1);
  metrics_store_evict (fixture->store, 0, &budget);
  dummy_journal_keep_all (fixture->journal);
  dummy_chunk_source_break (source);

  say (&fixture->clients[0], "put a 5 100\nping\n");
  assert_hears (&fixture->clients[0], "error\nstorage: points of the series cannot be read\n\nok\n\n");
  g_assert_cmpuint (fixture->figures.errors, ==, 1);
}

/* Each waits for its own change, and who changes nothing for nobody. */
static void
test_clients (Fixture *fixture, gconstpointer data)
{
  Client *first = &fixture->clients[0];
  Client *second = &fixture->clients[1];
  guint64 positions[2];

  say (first, "put a 1 1\n");
  positions[0] = get_position (fixture);
  say (second, "get a\n");
  assert_hears (second, "ok\na 1.0 1\n\n");

  say (second, "put b 2 1\n");
  positions[1] = get_position (fixture);
  say (first, "put a 3 2\nping\n");
  dummy_journal_keep (fixture->journal, positions[0]);
  assert_hears (first, "ok\n\n");
  assert_hears (second, "");
  dummy_journal_keep (fixture->journal, positions[1]);
  assert_hears (first, "");
  assert_hears (second, "ok\n\n");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (first, "ok\n\nok\n\n");
  assert_hears (second, "");
}

/* A deletion that takes several turns waits for all that it removed; one that removes nothing does not, and
 * no more does a put that is refused. */
static void
test_delete (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%u", i);

      put (fixture->store, key, 1, 1);
    }
  dummy_journal_keep_all (fixture->journal);

  say (client, "del none\nput wrong\n");
  assert_hears (client, "ok\n0\n\nerror\nwrong command\n\n");
  say (client, "del key*\nping\n");
  assert_hears (client, "");
  g_assert_cmpuint (metrics_store_get_n_series (fixture->store), ==, 0);
  dummy_journal_keep (fixture->journal, get_position (fixture) - 1);
  assert_hears (client, "");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n100\n\nok\n\n");
}

/* What cannot be kept is refused, in its place; what came after the attempt waits for the next one. */
static void
test_fails (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  guint64 position;

  say (client, "put a 1 1\nget a\nput a 1 2\ndel a\nping\n");
  position = get_position (fixture);
  say (client, "put b 1 1\nget b\nput b 2 2\n");
  say (&fixture->clients[1], "put c 1 1\n");
  g_assert_cmpuint (fixture->figures.errors, ==, 0);
  fail (fixture, position);
  assert_hears (client, "error\nstorage: no space left\n\nok\na 1.0 1\n\nerror\nstorage: no space left\n\n"
                        "error\nstorage: no space left\n\nok\n\n");
  assert_hears (&fixture->clients[1], "");
  g_assert_cmpuint (fixture->figures.errors, ==, 3);

  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\nb 1.0 1\n\nok\n\n");
  assert_hears (&fixture->clients[1], "ok\n\n");
  g_assert_cmpuint (fixture->figures.errors, ==, 3);
}

/* A client that goes is forgotten, whether it is noticed or decided here. */
static void
test_goes (Fixture *fixture, gconstpointer data)
{
  say (&fixture->clients[0], "put a 1 1\n");
  say (&fixture->clients[1], "put a 1 1\n");
  g_assert_true (g_socket_close (fixture->clients[0].socket, NULL));
  settle ();
  metrics_connection_abort (fixture->clients[1].connection);
  g_assert_true (fixture->clients[1].closed);
  fail (fixture, 1);
  dummy_journal_keep_all (fixture->journal);
  settle ();
  g_assert_true (fixture->clients[0].closed);
}

/* Who says that it will send no more still gets what it is owed. */
static void
test_half_closed (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  say (client, "put a 1 1\nget a\n");
  g_assert_true (g_socket_shutdown (client->socket, FALSE, TRUE, NULL));
  assert_hears (client, "");
  g_assert_false (client->closed);
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\na 1.0 1\n\n");
  g_assert_true (client->closed);
}

/* So does one that is sent away, by a stop or because it asked for that. */
static void
test_finish (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  say (client, "put a 1 1\nping\n");
  say (&fixture->clients[1], "put a 1 1\nquit\n");
  metrics_connection_finish (client->connection);
  assert_hears (client, "");
  g_assert_false (client->closed);
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\n\n");
  assert_hears (&fixture->clients[1], "ok\n\nok\n\n");
  g_assert_true (client->closed);
}

static void
say_often (Client *client, const char *line, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (text, line);
  say (client, text->str);
}

static void
assert_hears_often (Client *client, const char *reply, guint n)
{
  g_autoptr (GString) expected = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (expected, reply);
  assert_hears (client, expected->str);
}

/* However many are sent, only so many are executed before the first ones have left. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  const guint n = 2 * METRICS_OUTBOX_MAX_HELD + 100;

  say_often (client, "put a 1 1\n", n);
  g_assert_cmpuint (fixture->figures.requests, ==, METRICS_OUTBOX_MAX_HELD);
  dummy_journal_keep_all (fixture->journal);
  assert_hears_often (client, "ok\n\n", METRICS_OUTBOX_MAX_HELD);
  g_assert_cmpuint (fixture->figures.requests, ==, 2 * METRICS_OUTBOX_MAX_HELD);
  fail (fixture, get_position (fixture));
  assert_hears_often (client, "error\nstorage: no space left\n\n", METRICS_OUTBOX_MAX_HELD);
  dummy_journal_keep_all (fixture->journal);
  assert_hears_often (client, "ok\n\n", 100);
}

/* Answers that wait behind a put count as unsent. */
static void
test_unsent (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  say (client, "put a 1 1\n");
  say_often (client, "ping\n", 1000);
  g_assert_cmpuint (fixture->figures.requests, ==, 2048 / 4);
  dummy_journal_keep_all (fixture->journal);
  assert_hears_often (client, "ok\n\n", 1001);
}

static gboolean
time_is_up_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* The time in which an answer has to be taken does not run while it waits for the disk. */
static void
test_takes_long (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  gboolean time_is_up = FALSE;

  say (client, "put a 1 1\nping\n");
  g_timeout_add (1000 * fixture->limits.answer_timeout + 500, time_is_up_cb, &time_is_up);
  while (!time_is_up)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (client->closed);
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\n\n");
}

/* A journal that nobody has to wait for, and none at all. */
static void
test_not_awaited (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  g_autoptr (DummyJournal) other = dummy_journal_new (FALSE);

  metrics_store_set_journal (fixture->store, METRICS_JOURNAL (other));
  say (client, "put a 1 1\ndel a\n");
  assert_hears (client, "ok\n\nok\n1\n\n");
  g_assert_cmpuint (get_position (fixture), ==, 0);
  metrics_store_set_journal (fixture->store, NULL);
  say (client, "put a 1 1\ndel a\n");
  assert_hears (client, "ok\n\nok\n1\n\n");
}

/* Whether a journal is awaited can change at any time: the next change goes by what it says then, and what
 * waits already waits on. */
static void
test_becomes_awaited (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];

  dummy_journal_set_awaited (fixture->journal, FALSE);
  say (client, "put a 1 1\n");
  assert_hears (client, "ok\n\n");
  dummy_journal_set_awaited (fixture->journal, TRUE);
  say (client, "put a 1 2\n");
  assert_hears (client, "");
  dummy_journal_set_awaited (fixture->journal, FALSE);
  say (client, "put a 1 3\n");
  say (&fixture->clients[1], "put b 1 1\n");
  assert_hears (client, "");
  assert_hears (&fixture->clients[1], "ok\n\n");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "ok\n\nok\n\n");
}

/* What a journal has not kept when it is taken away is refused; another one counts anew. */
static void
test_taken_away (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  g_autoptr (DummyJournal) other = dummy_journal_new (TRUE);

  say (client, "put a 1 1\nput a 1 2\n");
  metrics_store_set_journal (fixture->store, METRICS_JOURNAL (other));
  assert_hears (client, "error\nstorage: closed\n\nerror\nstorage: closed\n\n");
  say (client, "put a 1 1\n");
  dummy_journal_keep_all (fixture->journal);
  assert_hears (client, "");
  dummy_journal_keep_all (other);
  assert_hears (client, "ok\n\n");
  metrics_store_set_journal (fixture->store, NULL);
}

static void
fill_disk_figures (MetricsDiskFigures *figures, gpointer user_data)
{
  *figures = *(MetricsDiskFigures *) user_data;
}

/* What lasts is counted where something does, and only there. */
static void
test_stats (Fixture *fixture, gconstpointer data)
{
  Client *client = &fixture->clients[0];
  MetricsDiskFigures figures = { .commits = 11,
                                 .commit_time = 12,
                                 .bytes_written = 13,
                                 .storage_errors = 14,
                                 .bytes_unwritten = 15,
                                 .bytes_on_disk = 16,
                                 .rows_damaged = 17 };
  g_autofree char *without = NULL;
  g_autofree char *with = NULL;

  say (client, "stats\n");
  without = hear (client);
  g_assert_nonnull (strstr (without, "\nbytes_sent "));
  g_assert_null (strstr (without, "\ncommits "));

  fixture->figures.disk_func = fill_disk_figures;
  fixture->figures.disk_data = &figures;
  say (client, "stats\n");
  with = hear (client);
  g_assert_nonnull (strstr (with, "\ncommits 11\ncommit_time 12\nbytes_written 13\nbytes_unwritten "
                                  "15\nbytes_on_disk 16\nstorage_errors 14\nrows_damaged 17\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define UNSENT 131072
#define ADD(name, unsent, func)                                                                              \
  g_test_add ("/gate/" name, Fixture, GUINT_TO_POINTER (unsent), set_up, func, tear_down)
  ADD ("put", UNSENT, test_put);
  ADD ("put/late", UNSENT, test_late_put);
  ADD ("put/broken", UNSENT, test_broken_put);
  ADD ("clients", UNSENT, test_clients);
  ADD ("delete", UNSENT, test_delete);
  ADD ("fails", UNSENT, test_fails);
  ADD ("goes", UNSENT, test_goes);
  ADD ("half-closed", UNSENT, test_half_closed);
  ADD ("finish", UNSENT, test_finish);
  ADD ("many", UNSENT, test_many);
  ADD ("unsent", 2048, test_unsent);
  ADD ("takes-long", UNSENT, test_takes_long);
  ADD ("not-awaited", UNSENT, test_not_awaited);
  ADD ("becomes-awaited", UNSENT, test_becomes_awaited);
  ADD ("taken-away", UNSENT, test_taken_away);
  ADD ("stats", UNSENT, test_stats);
#undef ADD
#undef UNSENT

  return g_test_run ();
}
