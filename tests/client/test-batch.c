/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* Many points at once. */

#define MANY 300000

static MetricsBatch *
make_batch (guint n)
{
  MetricsBatch *batch = metrics_batch_new ();

  for (guint i = 0; i < n; i++)
    g_assert_true (metrics_batch_add (batch, "some.key", i, i, NULL));
  g_assert_cmpuint (metrics_batch_get_n_points (batch), ==, n);
  return batch;
}

static void
assert_outcome (MetricsBatch *batch, guint n_accepted, guint n_refused)
{
  g_assert_cmpuint (metrics_batch_get_n_accepted (batch), ==, n_accepted);
  g_assert_cmpuint (metrics_batch_get_n_refused (batch), ==, n_refused);
}

/* Checks that the points come in order, and answers as its data says. */
typedef struct
{
  const char *answer;  /* to a point that is taken */
  const char *refusal; /* to each @modulus-th point, the first one being the first */
  guint modulus;
  guint n_answers; /* so many points are answered, then the connection ends; 0 is all */
  guint n_lines;
} Script;

static void
serve_script (DummyPeer *peer, gpointer user_data)
{
  Script *script = user_data;
  char *line;

  for (guint i = 0; (line = dummy_peer_read_line (peer)) != NULL; i++)
    {
      g_autofree char *expected = g_strdup_printf ("put some.key %u.0 %u", i, i);
      gboolean is_refused = script->modulus > 0 && i % script->modulus == 0;

      if (script->n_answers > 0 && i == script->n_answers)
        {
          g_free (line);
          return;
        }
      script->n_lines = i + 1;
      if (strcmp (line, expected) != 0)
        dummy_peer_write (peer, "error\nout of order\n\n");
      else
        dummy_peer_write (peer, is_refused ? script->refusal : script->answer);
      g_free (line);
    }
}

static void
test_many (void)
{
  Script script = { .answer = "ok\n\n" };
  g_autoptr (DummyServer) server = dummy_server_new (serve_script, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (MANY);
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_no_error (error);
  assert_outcome (batch, MANY, 0);
  g_assert_null (metrics_batch_get_refusal (batch, 0, NULL));
}

/* Each answer is far longer than its request, and nothing is read before it was taken: both directions fill
 * up. */
static void
test_both_directions (void)
{
  g_autofree char *text = g_strnfill (4000, 'x');
  g_autofree char *refusal = g_strconcat ("error\n", text, "\n\n", NULL);
  Script script = { .answer = "", .refusal = refusal, .modulus = 1 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_script, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (20000);
  g_autoptr (GError) error = NULL;
  guint index = 1;

  g_assert_false (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_REFUSED);
  assert_outcome (batch, 0, 20000);
  g_assert_cmpstr (metrics_batch_get_refusal (batch, 99, &index), ==, text);
  g_assert_cmpuint (index, ==, 99);
  g_assert_null (metrics_batch_get_refusal (batch, 100, NULL));
}

static void
check_refusals (MetricsBatch *batch, const char *address, GError **error)
{
  guint index = 0;

  g_assert_error (*error, METRICS_ERROR, METRICS_ERROR_REFUSED);
  g_assert_nonnull (strstr ((*error)->message, "143 of 1000 "));
  g_assert_nonnull (strstr ((*error)->message, "series limit reached"));
  g_assert_nonnull (strstr ((*error)->message, address));
  g_clear_error (error);

  assert_outcome (batch, 857, 143);
  g_assert_cmpstr (metrics_batch_get_refusal (batch, 2, &index), ==, "series limit reached");
  g_assert_cmpuint (index, ==, 14);
  g_assert_cmpstr (metrics_batch_get_refusal (batch, 99, &index), ==, "series limit reached");
  g_assert_cmpuint (index, ==, 693);
  g_assert_null (metrics_batch_get_refusal (batch, 100, &index));
}

static void
test_refusals (void)
{
  Script script = { .answer = "ok\n\n", .refusal = "error\nseries limit reached\n\n", .modulus = 7 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_script, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (1000);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_put_batch (client, batch, NULL, &error));
  check_refusals (batch, dummy_server_get_address (server), &error);

  /* The batch has its points still; a new connection, as the server counts them. */
  metrics_client_close (client);
  metrics_client_put_batch_async (client, batch, NULL, async_result_store, &result);
  metrics_batch_clear (batch);
  assert_outcome (batch, 0, 0);
  g_assert_false (metrics_client_put_batch_finish (client, async_result_wait (&result), &error));
  check_refusals (batch, dummy_server_get_address (server), &error);
  g_assert_cmpuint (metrics_batch_get_n_points (batch), ==, 0);
}

static void
test_connection_lost (void)
{
  Script script = { .answer = "ok\n\n", .refusal = "error\nno\n\n", .modulus = 100, .n_answers = 1000 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_script, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  /* So few that the server has read them all: closing with some unread would take back answers on their way.
   */
  g_autoptr (MetricsBatch) batch = make_batch (1001);
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  g_assert_nonnull (strstr (error->message, "990 of 1001 "));
  assert_outcome (batch, 990, 10);
}

static void
test_empty (void)
{
  g_autofree char *address = dummy_make_dead_address ();
  g_autoptr (MetricsClient) client = metrics_client_new (address);
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_no_error (error);
  metrics_client_put_batch_async (client, batch, NULL, async_result_store, &result);
  g_assert_true (metrics_client_put_batch_finish (client, async_result_wait (&result), &error));
  g_assert_no_error (error);
}

/* Takes one point, and no more before it is let. */
typedef struct
{
  DummyEvent asked;
  DummyEvent let;
  guint n_puts;
} Gate;

static void
serve_at_gate (DummyPeer *peer, gpointer user_data)
{
  Gate *gate = user_data;
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gboolean is_put = g_str_has_prefix (line, "put some.key ");

      g_free (line);
      if (gate->n_puts == 0)
        {
          dummy_event_set (&gate->asked);
          dummy_event_wait (&gate->let);
        }
      gate->n_puts += is_put;
      dummy_peer_write (peer, is_put ? "ok\n\n" : "ok\n42\n\n");
    }
}

/* A batch that is cancelled ends between two lines: the next request is understood, and its answer its own.
 */
static void
test_cancel (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (MANY);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_points = 0;

  metrics_client_put_batch_async (client, batch, cancellable, async_result_store, &result);
  dummy_event_wait (&gate.asked);
  g_cancellable_cancel (cancellable);
  g_assert_false (metrics_client_put_batch_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  assert_outcome (batch, 0, 0);

  dummy_event_set (&gate.let);
  g_assert_true (metrics_client_delete (client, "*", &n_points, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_points, ==, 42);
  g_assert_cmpuint (gate.n_puts, <, MANY);
}

/* What is put are the points of the time of the call; adding to a batch that is under way copies it. */
static void
test_change_under_way (void)
{
  Script script = { .answer = "ok\n\n" };
  g_autoptr (DummyServer) server = dummy_server_new (serve_script, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (1000);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;

  metrics_client_put_batch_async (client, batch, NULL, async_result_store, &first);
  metrics_batch_clear (batch);
  for (guint i = 1000; i < 1500; i++)
    g_assert_true (metrics_batch_add (batch, "some.key", i, i, NULL));
  metrics_client_put_batch_async (client, batch, NULL, async_result_store, &second);
  g_assert_true (metrics_batch_add (batch, "some.key", 1500, 1500, NULL));

  g_assert_true (metrics_client_put_batch_finish (client, async_result_wait (&first), &error));
  g_assert_no_error (error);
  assert_outcome (batch, 1000, 0);
  g_assert_true (metrics_client_put_batch_finish (client, async_result_wait (&second), &error));
  g_assert_no_error (error);
  assert_outcome (batch, 500, 0);
  g_assert_cmpuint (script.n_lines, ==, 1500);
  g_assert_cmpuint (metrics_batch_get_n_points (batch), ==, 501);
}

/* Acknowledges everything as soon as the first line has come, and reads no more of it. */
static void
serve_too_much (DummyPeer *peer, gpointer user_data)
{
  g_free (dummy_peer_read_line (peer));
  for (guint i = 0; i < MANY && dummy_peer_write (peer, "ok\n\n"); i++)
    ;
  dummy_event_wait (user_data);
}

/* A point that was not sent cannot have been taken, whatever the server says. */
static void
test_too_many_answers (void)
{
  DummyEvent end = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_too_much, &end);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (MANY);
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL);
  dummy_event_set (&end);
}

/* Answers a point a second. */
static void
serve_slowly (DummyPeer *peer, gpointer user_data)
{
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      g_free (line);
      g_usleep (G_USEC_PER_SEC);
      dummy_peer_write (peer, "ok\n\n");
    }
}

/* It may take longer than the timeout, as long as something happens. */
static void
test_slow (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_slowly, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsBatch) batch = make_batch (5);
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 4000);
  g_assert_true (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

  g_test_add_func ("/batch/many", test_many);
  g_test_add_func ("/batch/both-directions", test_both_directions);
  g_test_add_func ("/batch/refusals", test_refusals);
  g_test_add_func ("/batch/connection-lost", test_connection_lost);
  g_test_add_func ("/batch/empty", test_empty);
  g_test_add_func ("/batch/cancel", test_cancel);
  g_test_add_func ("/batch/change-under-way", test_change_under_way);
  g_test_add_func ("/batch/too-many-answers", test_too_many_answers);
  g_test_add_func ("/batch/slow", test_slow);

  return g_test_run ();
}
