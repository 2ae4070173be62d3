/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* Servers that are not there, not in time, or not what they should be. */

static void
assert_fails (MetricsClient *client, GError **error, MetricsError code)
{
  g_assert_error (*error, METRICS_ERROR, (int) code);
  if (code != METRICS_ERROR_REFUSED)
    g_assert_nonnull (strstr ((*error)->message, metrics_client_get_address (client)));
  g_clear_error (error);
}

static void
test_no_server (void)
{
  g_autofree char *address = dummy_make_dead_address ();
  g_autoptr (MetricsClient) client = metrics_client_new (address);
  g_autoptr (MetricsClient) unix_client = metrics_client_new ("unix:/nonexistent/socket");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_ping (client, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_CONNECT);
  metrics_client_put_async (client, "k", 1, 1, NULL, async_result_store, &result);
  g_assert_false (metrics_client_put_finish (client, async_result_wait (&result), &error));
  assert_fails (client, &error, METRICS_ERROR_CONNECT);

  g_assert_false (metrics_client_ping (unix_client, NULL, &error));
  assert_fails (unix_client, &error, METRICS_ERROR_CONNECT);
}

static void
test_bad_addresses (void)
{
  static const char *const addresses[] = { "", "unix:", "127.0.0.1:99999", "[::1", "127.0.0.1:" };

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr (MetricsClient) client = metrics_client_new (addresses[i]);
      g_autoptr (GError) error = NULL;

      g_assert_cmpstr (metrics_client_get_address (client), ==, addresses[i]);
      g_assert_false (metrics_client_ping (client, NULL, &error));
      g_test_message ("%s", error->message);
      assert_fails (client, &error, METRICS_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_default_address (void)
{
  g_autoptr (MetricsClient) client = NULL;

  g_setenv ("METRICSD_ADDRESS", "example.net:1", TRUE);
  client = metrics_client_new (NULL);
  g_assert_cmpstr (metrics_client_get_address (client), ==, "example.net:1");
  g_object_unref (client);

  g_setenv ("METRICSD_ADDRESS", "", TRUE);
  client = metrics_client_new (NULL);
  g_assert_cmpstr (metrics_client_get_address (client), ==, "127.0.0.1:8888");
  g_object_unref (client);

  g_unsetenv ("METRICSD_ADDRESS");
  client = metrics_client_new (NULL);
  g_assert_cmpstr (metrics_client_get_address (client), ==, "127.0.0.1:8888");
}

static void
serve_silence (DummyPeer *peer, gpointer user_data)
{
  dummy_peer_wait_for_end (peer);
}

static void
test_no_answer (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_silence, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (metrics_client_get_timeout (client), ==, 30000);
  metrics_client_set_timeout (client, 50);
  g_assert_cmpuint (metrics_client_get_timeout (client), ==, 50);

  g_assert_false (metrics_client_ping (client, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);

  metrics_client_get_all_async (client, NULL, async_result_store, &result);
  g_assert_null (metrics_client_get_all_finish (client, async_result_wait (&result), &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);

  g_assert_true (metrics_batch_add (batch, "k", 1, 1, NULL));
  g_assert_false (metrics_client_put_batch (client, batch, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);
}

static gboolean
count_sample (const MetricsSample *sample, gpointer user_data)
{
  (*(guint *) user_data)++;
  return TRUE;
}

/* One sample, and then no more. */
static void
serve_beginning (DummyPeer *peer, gpointer user_data)
{
  dummy_peer_write (peer, "ok\nk 1.0 1\n");
  dummy_peer_wait_for_end (peer);
}

static void
test_half_an_answer (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_beginning, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;
  guint n = 0;

  metrics_client_set_timeout (client, 50);
  g_assert_null (metrics_client_get (client, "k", NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);
  /* The sample has to come before the time is over. */
  metrics_client_set_timeout (client, 1000);
  g_assert_false (metrics_client_foreach (client, "*", 0, 1, count_sample, &n, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);
  g_assert_cmpuint (n, ==, 1);
}

/* A sample now and then, without end. */
static void
serve_drops (DummyPeer *peer, gpointer user_data)
{
  dummy_peer_write (peer, "ok\n");
  while (dummy_peer_write (peer, "k 1.0 1\n"))
    g_usleep (G_USEC_PER_SEC / 100);
}

/* An answer has to be there in time, not to be on its way. */
static void
test_endless_answer (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_drops, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 200);
  g_assert_null (metrics_client_get (client, "k", NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);
}

/* The first connection never answers, the others do. */
static void
serve_after_silence (DummyPeer *peer, gpointer user_data)
{
  if (dummy_peer_get_number (peer) == 0)
    dummy_peer_wait_for_end (peer);
  else
    dummy_peer_answer_all (peer, "ok\n\n");
}

/* A connection on which nothing comes is not used again. */
static void
test_after_no_answer (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_after_silence, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 50);
  g_assert_false (metrics_client_ping (client, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_TIMED_OUT);
  metrics_client_set_timeout (client, 0);
  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
}

/* A server that has one thing to say to whatever it is asked, and then hangs up. */
static void
serve_and_hang_up (DummyPeer *peer, gpointer user_data)
{
  g_free (dummy_peer_read_line (peer));
  dummy_peer_write (peer, user_data);
}

static void
test_hang_up (void)
{
  static const char *const beginnings[]
      = { "", "o", "ok", "ok\n", "ok\nk 1.0 1", "ok\nk 1.0 1\n", "error\n", "error\nno\n" };

  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      g_autoptr (DummyServer) server = dummy_server_new (serve_and_hang_up, (gpointer) beginnings[i]);
      g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
      g_autoptr (GError) error = NULL;

      g_assert_null (metrics_client_get (client, "k", NULL, &error));
      assert_fails (client, &error, METRICS_ERROR_CLOSED);
    }
}

typedef enum
{
  ASK_PING,
  ASK_GET,
  ASK_GET_ALL,
  ASK_KEYS,
  ASK_DELETE,
  ASK_STATS,
  ASK_FOREACH,
} Ask;

static void
ask (MetricsClient *client, Ask what, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GHashTable) figures = NULL;
  guint n = 0;

  switch (what)
    {
    case ASK_PING:
      g_assert_false (metrics_client_ping (client, NULL, error));
      break;
    case ASK_GET:
      rows = metrics_client_get (client, "k", NULL, error);
      break;
    case ASK_GET_ALL:
      rows = metrics_client_get_all (client, NULL, error);
      break;
    case ASK_KEYS:
      rows = metrics_client_keys (client, "*", NULL, error);
      break;
    case ASK_DELETE:
      g_assert_false (metrics_client_delete (client, "*", NULL, NULL, error));
      break;
    case ASK_STATS:
      figures = metrics_client_stats (client, NULL, error);
      break;
    case ASK_FOREACH:
    default:
      g_assert_false (metrics_client_foreach (client, "*", 0, 1, count_sample, &n, NULL, error));
    }
  g_assert_null (rows);
  g_assert_null (figures);
}

static void
test_nonsense (void)
{
  static const struct
  {
    Ask what;
    const char *answer;
  } cases[] = {
    { ASK_PING, "HTTP/1.1 400 Bad Request\r\n\r\n" },
    { ASK_PING, "\n" },
    { ASK_PING, "OK\n\n" },
    { ASK_PING, "ok \n\n" },
    { ASK_PING, "ok\r\n\r\n" },
    { ASK_PING, "ok\nsomething\n\n" },
    { ASK_PING, "error\n\n" },
    { ASK_PING, "error\none\ntwo\n\n" },
    { ASK_PING, "error\n\033[2J\n\n" },
    { ASK_PING, "error\n\377\n\n" },
    { ASK_GET, "ok\nother 1.0 1\n\n" },
    { ASK_GET, "ok\nk 1.0 1\nkk 1.0 1\n\n" },
    { ASK_GET, "ok\nk 1.0\n\n" },
    { ASK_GET, "ok\nk 1.0 1 1\n\n" },
    { ASK_GET, "ok\nk  1.0 1\n\n" },
    { ASK_GET, "ok\nk 1.0 1 \n\n" },
    { ASK_GET, "ok\n k 1.0 1\n\n" },
    { ASK_GET, "ok\nk 1,0 1\n\n" },
    { ASK_GET, "ok\nk nan 1\n\n" },
    { ASK_GET, "ok\nk 1e999 1\n\n" },
    { ASK_GET, "ok\nk 1.0 1.0\n\n" },
    { ASK_GET, "ok\nk 1.0 9223372036854775808\n\n" },
    { ASK_GET_ALL, "ok\n* 1.0 1\n\n" },
    { ASK_GET_ALL, "ok\n\302\240 1.0 1\n\n" },
    { ASK_GET_ALL, "ok\n\377 1.0 1\n\n" },
    { ASK_FOREACH, "ok\nk 1.0 1\nk 1.0 x\n\n" },
    { ASK_KEYS, "ok\nk 1 1\n\n" },
    { ASK_KEYS, "ok\nk 0 1 1\n\n" },
    { ASK_KEYS, "ok\nk 2 2 1\n\n" },
    { ASK_KEYS, "ok\nk -1 1 1\n\n" },
    { ASK_KEYS, "ok\nk 1 1 1 1\n\n" },
    { ASK_DELETE, "ok\n\n" },
    { ASK_DELETE, "ok\n1\n2\n\n" },
    { ASK_DELETE, "ok\n-1\n\n" },
    { ASK_DELETE, "ok\nall\n\n" },
    { ASK_STATS, "ok\nuptime\n\n" },
    { ASK_STATS, "ok\nuptime 1 2\n\n" },
    { ASK_STATS, "ok\nup\033 1\n\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (DummyServer) server = dummy_server_new (serve_and_hang_up, (gpointer) cases[i].answer);
      g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
      g_autofree char *escaped = g_strescape (cases[i].answer, NULL);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", escaped);
      ask (client, cases[i].what, &error);
      assert_fails (client, &error, METRICS_ERROR_PROTOCOL);
    }
}

static void
serve_endless_line (DummyPeer *peer, gpointer user_data)
{
  g_autofree char *part = g_strnfill (100000, 'k');

  g_free (dummy_peer_read_line (peer));
  dummy_peer_write (peer, user_data);
  while (dummy_peer_write (peer, part))
    ;
}

static void
test_endless_line (void)
{
  static const char *const beginnings[] = { "", "ok\n", "error\n" };

  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      g_autoptr (DummyServer) server = dummy_server_new (serve_endless_line, (gpointer) beginnings[i]);
      g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
      g_autoptr (GError) error = NULL;

      g_assert_null (metrics_client_get (client, "k", NULL, &error));
      assert_fails (client, &error, METRICS_ERROR_PROTOCOL);
    }
}

/* A line is too long, however much of it came at once. */
static void
test_long_line (void)
{
  g_autofree char *text = g_strnfill (10000, 'x');
  g_autofree char *answer = g_strconcat ("error\n", text, "\n\n", NULL);
  g_autoptr (DummyServer) server = dummy_server_new (serve_and_hang_up, answer);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_ping (client, NULL, &error));
  assert_fails (client, &error, METRICS_ERROR_PROTOCOL);
}

static void
serve_refusal (DummyPeer *peer, gpointer user_data)
{
  dummy_peer_answer_all (peer, "error\nmemory limit reached: caf\303\251\n\n");
}

static void
test_refusal (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_refusal, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  for (Ask what = ASK_PING; what <= ASK_FOREACH; what++)
    {
      ask (client, what, &error);
      g_assert_error (error, METRICS_ERROR, METRICS_ERROR_REFUSED);
      g_assert_cmpstr (error->message, ==, "memory limit reached: caf\303\251");
      g_clear_error (&error);
    }
}

/* Says at once that it has too many connections, and goes. */
static void
serve_too_many (DummyPeer *peer, gpointer user_data)
{
  g_atomic_int_inc ((guint *) user_data);
  dummy_peer_write (peer, "error\ntoo many connections\n\n");
  dummy_peer_wait_for_end (peer);
}

/* Whether that comes before or after the request was sent, it is the answer, and no reason to try again. */
static void
test_refused_connection (void)
{
  guint n_connections = 0;
  g_autoptr (DummyServer) server = dummy_server_new (serve_too_many, &n_connections);

  for (guint i = 1; i <= 200; i++)
    {
      g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
      g_autoptr (GError) error = NULL;

      g_assert_false (metrics_client_ping (client, NULL, &error));
      g_assert_error (error, METRICS_ERROR, METRICS_ERROR_REFUSED);
      g_assert_cmpstr (error->message, ==, "too many connections");
      g_assert_cmpuint (g_atomic_int_get (&n_connections), ==, i);
    }
}

/* Two answers to one request. */
static void
serve_twice (DummyPeer *peer, gpointer user_data)
{
  if (dummy_peer_get_number (peer) == 0)
    dummy_peer_answer_all (peer, "ok\n\nok\nk 1.0 1\n\n");
  else
    dummy_peer_answer_all (peer, "ok\nk 2.0 2\n\n");
}

/* What nobody asked for is never taken for the answer to the next request. */
static void
test_unasked_answer (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_twice, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
  samples = metrics_client_get (client, "k", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (((MetricsSample *) samples->pdata[0])->value, ==, 2.0);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

  g_test_add_func ("/errors/no-server", test_no_server);
  g_test_add_func ("/errors/bad-addresses", test_bad_addresses);
  g_test_add_func ("/errors/default-address", test_default_address);
  g_test_add_func ("/errors/no-answer", test_no_answer);
  g_test_add_func ("/errors/half-an-answer", test_half_an_answer);
  g_test_add_func ("/errors/endless-answer", test_endless_answer);
  g_test_add_func ("/errors/after-no-answer", test_after_no_answer);
  g_test_add_func ("/errors/hang-up", test_hang_up);
  g_test_add_func ("/errors/nonsense", test_nonsense);
  g_test_add_func ("/errors/endless-line", test_endless_line);
  g_test_add_func ("/errors/long-line", test_long_line);
  g_test_add_func ("/errors/refusal", test_refusal);
  g_test_add_func ("/errors/refused-connection", test_refused_connection);
  g_test_add_func ("/errors/unasked-answer", test_unasked_answer);

  return g_test_run ();
}
