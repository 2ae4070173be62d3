/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include <math.h>
#include <metrics-glib/metrics-glib.h>

/* Each request: what goes over the wire, and what is made of the answer; synchronously and asynchronously. */

#define REFUSAL "error\nnot what was expected\n\n"

/* A server that expects one line, over and over, and has one answer to it. */
typedef struct
{
  const char *request;
  const char *answer;
} Exchange;

static void
serve_exchange (DummyPeer *peer, gpointer user_data)
{
  const Exchange *exchange = user_data;
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gboolean is_expected = g_strcmp0 (line, exchange->request) == 0;

      if (!is_expected)
        g_test_message ("'%s' instead of '%s'", line, exchange->request);
      dummy_peer_write (peer, is_expected ? exchange->answer : REFUSAL);
      g_free (line);
    }
}

typedef struct
{
  Exchange exchange;
  DummyServer *server;
  MetricsClient *client;
  GAsyncResult *result;
  GError *error;
} Fixture;

static void
fixture_expect (Fixture *self, const char *request, const char *answer)
{
  self->exchange = (Exchange){ request, answer };
}

static void
fixture_set_up (Fixture *self, gconstpointer user_data)
{
  self->server = dummy_server_new (serve_exchange, &self->exchange);
  self->client = metrics_client_new (dummy_server_get_address (self->server));
}

static void
fixture_tear_down (Fixture *self, gconstpointer user_data)
{
  g_clear_object (&self->result);
  g_object_unref (self->client);
  dummy_server_free (self->server);
}

static GAsyncResult *
fixture_wait (Fixture *self)
{
  return async_result_wait (&self->result);
}

static void
fixture_next (Fixture *self)
{
  g_assert_no_error (self->error);
  g_clear_object (&self->result);
}

static void
assert_sample (GPtrArray *samples, guint i, const char *key, double value, gint64 timestamp)
{
  const MetricsSample *sample;

  g_assert_cmpuint (i, <, samples->len);
  sample = samples->pdata[i];
  g_assert_cmpstr (sample->key, ==, key);
  g_assert_true (sample->value == value && signbit (sample->value) == signbit (value));
  g_assert_cmpint (sample->timestamp, ==, timestamp);
}

static void
test_ping (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "ping", "ok\n\n");
  g_assert_true (metrics_client_ping (f->client, NULL, &f->error));
  fixture_next (f);

  metrics_client_ping_async (f->client, NULL, async_result_store, &f->result);
  g_assert_true (metrics_client_ping_finish (f->client, fixture_wait (f), &f->error));
  fixture_next (f);
}

static void
test_put (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "put caf\303\251 12.5 -3", "ok\n\n");
  g_assert_true (metrics_client_put (f->client, "caf\303\251", 12.5, -3, NULL, &f->error));
  fixture_next (f);

  metrics_client_put_async (f->client, "caf\303\251", 12.5, -3, NULL, async_result_store, &f->result);
  g_assert_true (metrics_client_put_finish (f->client, fixture_wait (f), &f->error));
  fixture_next (f);

  fixture_expect (f, "put k 1e+300 9223372036854775807", "ok\n\n");
  g_assert_true (metrics_client_put (f->client, "k", 1e300, G_MAXINT64, NULL, &f->error));
  fixture_next (f);
  fixture_expect (f, "put k -0.0 -9223372036854775808", "ok\n\n");
  g_assert_true (metrics_client_put (f->client, "k", -0.0, G_MININT64, NULL, &f->error));
  fixture_next (f);
}

static void
serve_clock (DummyPeer *peer, gpointer user_data)
{
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gint64 now = g_get_real_time () / G_USEC_PER_SEC;
      const char *start = "put k 1.0 ";
      gint64 timestamp
          = g_str_has_prefix (line, start) ? g_ascii_strtoll (line + strlen (start), NULL, 10) : 0;

      /* Between the request and here a machine may sleep; it does not go back. */
      dummy_peer_write (peer, timestamp > now - 600 && timestamp <= now ? "ok\n\n" : REFUSAL);
      g_free (line);
    }
}

static void
test_put_now (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_clock, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_client_put_now (client, "k", 1, NULL, &error));
  g_assert_no_error (error);
  metrics_client_put_now_async (client, "k", 1, NULL, async_result_store, &result);
  g_assert_true (metrics_client_put_now_finish (client, async_result_wait (&result), &error));
  g_assert_no_error (error);
}

static void
check_samples (Fixture *f, GPtrArray *samples)
{
  fixture_next (f);
  g_assert_nonnull (samples);
  g_assert_cmpuint (samples->len, ==, 3);
  assert_sample (samples, 0, "k", 13.0, -1503319739);
  assert_sample (samples, 1, "k", -0.0, G_MAXINT64);
  assert_sample (samples, 2, "k", 5e-324, 0);
  g_ptr_array_unref (samples);
}

#define SAMPLES "ok\nk 13.0 -1503319739\nk -0.0 9223372036854775807\nk 5e-324 0\n\n"

static void
test_get (Fixture *f, gconstpointer user_data)
{
  GPtrArray *samples;

  fixture_expect (f, "get k", SAMPLES);
  check_samples (f, metrics_client_get (f->client, "k", NULL, &f->error));
  metrics_client_get_async (f->client, "k", NULL, async_result_store, &f->result);
  check_samples (f, metrics_client_get_finish (f->client, fixture_wait (f), &f->error));

  fixture_expect (f, "get unknown", "ok\n\n");
  samples = metrics_client_get (f->client, "unknown", NULL, &f->error);
  fixture_next (f);
  g_assert_cmpuint (samples->len, ==, 0);
  g_ptr_array_unref (samples);
}

static void
check_keys_apart (Fixture *f, GPtrArray *samples)
{
  fixture_next (f);
  g_assert_nonnull (samples);
  g_assert_cmpuint (samples->len, ==, 5);
  /* Keys of which one is the start of the other, in both orders. */
  assert_sample (samples, 0, "k", 1, 1);
  assert_sample (samples, 1, "k1", 2, 2);
  assert_sample (samples, 2, "k", 3, 3);
  assert_sample (samples, 3, "k", 4, 4);
  assert_sample (samples, 4, "\343\202\255\343\203\274", 5, 5);
  g_ptr_array_unref (samples);
}

#define KEYS_APART "ok\nk 1.0 1\nk1 2.0 2\nk 3.0 3\nk 4.0 4\n\343\202\255\343\203\274 5.0 5\n\n"

static void
test_get_all (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "get *", KEYS_APART);
  check_keys_apart (f, metrics_client_get_all (f->client, NULL, &f->error));
  metrics_client_get_all_async (f->client, NULL, async_result_store, &f->result);
  check_keys_apart (f, metrics_client_get_all_finish (f->client, fixture_wait (f), &f->error));
}

static void
test_last (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "last k?\\**", KEYS_APART);
  check_keys_apart (f, metrics_client_last (f->client, "k?\\**", NULL, &f->error));
  metrics_client_last_async (f->client, "k?\\**", NULL, async_result_store, &f->result);
  check_keys_apart (f, metrics_client_last_finish (f->client, fixture_wait (f), &f->error));
}

static void
test_range (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "range * -5 7", KEYS_APART);
  check_keys_apart (f, metrics_client_range (f->client, "*", -5, 7, NULL, &f->error));
  metrics_client_range_async (f->client, "*", -5, 7, NULL, async_result_store, &f->result);
  check_keys_apart (f, metrics_client_range_finish (f->client, fixture_wait (f), &f->error));

  fixture_expect (f, "range * - -", KEYS_APART);
  check_keys_apart (f, metrics_client_range (f->client, "*", METRICS_TIME_MIN, METRICS_TIME_MAX, NULL,
                                             &f->error));
}

static void
test_range_buckets (Fixture *f, gconstpointer user_data)
{
  g_autoptr (GEnumClass) functions = g_type_class_ref (METRICS_TYPE_FUNCTION);
  static const char *const names[]
      = { "avg", "min", "max", "sum", "count", "first", "last", "median", "p95", "p99", "rate" };

  fixture_expect (f, "range k 0 - 60 p95", SAMPLES);
  check_samples (f, metrics_client_range_buckets (f->client, "k", 0, METRICS_TIME_MAX, 60,
                                                  METRICS_FUNCTION_P95, NULL, &f->error));
  metrics_client_range_buckets_async (f->client, "k", 0, METRICS_TIME_MAX, 60, METRICS_FUNCTION_P95, NULL,
                                      async_result_store, &f->result);
  check_samples (f, metrics_client_range_buckets_finish (f->client, fixture_wait (f), &f->error));

  g_assert_cmpuint (functions->n_values, ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < functions->n_values; i++)
    g_assert_cmpstr (functions->values[i].value_nick, ==, names[i]);
}

static void
check_key_infos (Fixture *f, GPtrArray *infos)
{
  MetricsKeyInfo *first, *second;

  fixture_next (f);
  g_assert_nonnull (infos);
  g_assert_cmpuint (infos->len, ==, 2);
  first = metrics_key_info_copy (infos->pdata[0]);
  second = infos->pdata[1];
  g_assert_cmpstr (first->key, ==, "a");
  g_assert_cmpuint (first->n_points, ==, 3);
  g_assert_cmpint (first->first, ==, -10);
  g_assert_cmpint (first->last, ==, 20);
  g_assert_cmpstr (second->key, ==, "b");
  g_assert_cmpint (second->first, ==, second->last);
  metrics_key_info_free (first);
  g_ptr_array_unref (infos);
}

static void
test_keys (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "keys *", "ok\na 3 -10 20\nb 1 5 5\n\n");
  check_key_infos (f, metrics_client_keys (f->client, "*", NULL, &f->error));
  metrics_client_keys_async (f->client, "*", NULL, async_result_store, &f->result);
  check_key_infos (f, metrics_client_keys_finish (f->client, fixture_wait (f), &f->error));
}

static void
test_delete (Fixture *f, gconstpointer user_data)
{
  guint64 n_points = 0;

  fixture_expect (f, "del a*", "ok\n42\n\n");
  g_assert_true (metrics_client_delete (f->client, "a*", &n_points, NULL, &f->error));
  fixture_next (f);
  g_assert_cmpuint (n_points, ==, 42);
  g_assert_true (metrics_client_delete (f->client, "a*", NULL, NULL, &f->error));
  fixture_next (f);

  n_points = 0;
  metrics_client_delete_async (f->client, "a*", NULL, async_result_store, &f->result);
  g_assert_true (metrics_client_delete_finish (f->client, fixture_wait (f), &n_points, &f->error));
  fixture_next (f);
  g_assert_cmpuint (n_points, ==, 42);
}

static void
test_delete_range (Fixture *f, gconstpointer user_data)
{
  guint64 n_points = 1;

  fixture_expect (f, "del a* - 7", "ok\n0\n\n");
  g_assert_true (metrics_client_delete_range (f->client, "a*", METRICS_TIME_MIN, 7, &n_points, NULL,
                                              &f->error));
  fixture_next (f);
  g_assert_cmpuint (n_points, ==, 0);

  n_points = 1;
  metrics_client_delete_range_async (f->client, "a*", METRICS_TIME_MIN, 7, NULL, async_result_store,
                                     &f->result);
  g_assert_true (metrics_client_delete_range_finish (f->client, fixture_wait (f), &n_points, &f->error));
  fixture_next (f);
  g_assert_cmpuint (n_points, ==, 0);
}

/* "-" is open at either end: what ends at the first moment, or starts at the last one, is not to be all. */
static void
test_ends_of_time (Fixture *f, gconstpointer user_data)
{
  guint64 n_points = 1;

  fixture_expect (f, "del * 9223372036854775807 -", "ok\n0\n\n");
  g_assert_true (metrics_client_delete_range (f->client, "*", METRICS_TIME_MAX, METRICS_TIME_MAX, &n_points,
                                              NULL, &f->error));
  fixture_next (f);
  fixture_expect (f, "del * - -9223372036854775808", "ok\n0\n\n");
  g_assert_true (metrics_client_delete_range (f->client, "*", METRICS_TIME_MIN, METRICS_TIME_MIN, &n_points,
                                              NULL, &f->error));
  fixture_next (f);
  g_assert_cmpuint (n_points, ==, 0);
}

static void
check_figures (Fixture *f, GHashTable *figures)
{
  fixture_next (f);
  g_assert_nonnull (figures);
  g_assert_cmpuint (g_hash_table_size (figures), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (figures, "uptime"), ==, "5");
  g_assert_cmpstr (g_hash_table_lookup (figures, "version"), ==, "0.1");
  g_hash_table_unref (figures);
}

static void
test_stats (Fixture *f, gconstpointer user_data)
{
  fixture_expect (f, "stats", "ok\nuptime 5\nversion 0.1\n\n");
  check_figures (f, metrics_client_stats (f->client, NULL, &f->error));
  metrics_client_stats_async (f->client, NULL, async_result_store, &f->result);
  check_figures (f, metrics_client_stats_finish (f->client, fixture_wait (f), &f->error));
}

static gboolean
keep_sample (const MetricsSample *sample, gpointer user_data)
{
  g_ptr_array_add (user_data, metrics_sample_copy (sample));
  return TRUE;
}

static void
check_foreach (Fixture *f, gint64 from, gint64 to)
{
  GPtrArray *samples = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_sample_free);

  g_assert_true (metrics_client_foreach (f->client, "*", from, to, keep_sample, samples, NULL, &f->error));
  check_keys_apart (f, samples);
}

static void
test_foreach (Fixture *f, gconstpointer user_data)
{
  /* Everything is asked for in the way that any server knows. */
  fixture_expect (f, "get *", KEYS_APART);
  check_foreach (f, METRICS_TIME_MIN, METRICS_TIME_MAX);
  fixture_expect (f, "range * - 7", KEYS_APART);
  check_foreach (f, METRICS_TIME_MIN, 7);
}

static void
test_unix_socket (void)
{
  Exchange exchange = { "ping", "ok\n\n" };
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_exchange, &exchange);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsClient) client_of_path
      = metrics_client_new (dummy_server_get_address (server) + strlen ("unix:"));
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (metrics_client_ping (client_of_path, NULL, &error));
  g_assert_no_error (error);
}

/* Nothing of this reaches the server, which would refuse it in its own words. */
static void
test_invalid_arguments (Fixture *f, gconstpointer user_data)
{
  static const char *const bad_keys[]
      = { "", "*", "a b", "a\tb", "a\nping", "a\302\240b", "\377", "a\033[2J" };
  static const char *const bad_patterns[] = { "", "a b", "a\nping", "\377", "a\\" };
  g_autofree char *long_key = g_strnfill (1025, 'k');
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();

#define ASSERT_INVALID(expression)                                                                           \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_assert_false (expression);                                                                             \
    g_assert_error (f->error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT);                                \
    g_assert_true (g_str_is_ascii (f->error->message) && strpbrk (f->error->message, "\033\n") == NULL);     \
    g_clear_error (&f->error);                                                                               \
  }                                                                                                          \
  G_STMT_END

  fixture_expect (f, "nothing", "");
  for (guint i = 0; i < G_N_ELEMENTS (bad_keys); i++)
    {
      ASSERT_INVALID (metrics_client_put (f->client, bad_keys[i], 1, 1, NULL, &f->error));
      ASSERT_INVALID (metrics_client_get (f->client, bad_keys[i], NULL, &f->error) != NULL);
      ASSERT_INVALID (metrics_batch_add (batch, bad_keys[i], 1, 1, &f->error));
    }
  ASSERT_INVALID (metrics_client_put (f->client, long_key, 1, 1, NULL, &f->error));
  for (guint i = 0; i < G_N_ELEMENTS (bad_patterns); i++)
    {
      ASSERT_INVALID (metrics_client_last (f->client, bad_patterns[i], NULL, &f->error) != NULL);
      ASSERT_INVALID (metrics_client_keys (f->client, bad_patterns[i], NULL, &f->error) != NULL);
      ASSERT_INVALID (metrics_client_delete (f->client, bad_patterns[i], NULL, NULL, &f->error));
      ASSERT_INVALID (metrics_client_foreach (f->client, bad_patterns[i], 0, 1, keep_sample, NULL, NULL,
                                              &f->error));
    }
  ASSERT_INVALID (metrics_client_put (f->client, "k", NAN, 1, NULL, &f->error));
  ASSERT_INVALID (metrics_client_put_now (f->client, "k", -INFINITY, NULL, &f->error));
  ASSERT_INVALID (metrics_batch_add (batch, "k", INFINITY, 1, &f->error));
  ASSERT_INVALID (metrics_client_range_buckets (f->client, "k", 0, 1, 0, METRICS_FUNCTION_AVG, NULL,
                                                &f->error)
                  != NULL);
  ASSERT_INVALID (metrics_client_range_buckets (f->client, "k", 0, 1, 60, (MetricsFunction) 99, NULL,
                                                &f->error)
                  != NULL);
  g_assert_cmpuint (metrics_batch_get_n_points (batch), ==, 0);

  metrics_client_put_async (f->client, "a b", 1, 1, NULL, async_result_store, &f->result);
  ASSERT_INVALID (metrics_client_put_finish (f->client, fixture_wait (f), &f->error));
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

#define ADD(name, function)                                                                                  \
  g_test_add ("/requests/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)
  ADD ("ping", test_ping);
  ADD ("put", test_put);
  g_test_add_func ("/requests/put-now", test_put_now);
  ADD ("get", test_get);
  ADD ("get-all", test_get_all);
  ADD ("last", test_last);
  ADD ("range", test_range);
  ADD ("range-buckets", test_range_buckets);
  ADD ("keys", test_keys);
  ADD ("delete", test_delete);
  ADD ("delete-range", test_delete_range);
  ADD ("ends-of-time", test_ends_of_time);
  ADD ("stats", test_stats);
  ADD ("foreach", test_foreach);
  ADD ("invalid-arguments", test_invalid_arguments);
  g_test_add_func ("/requests/unix-socket", test_unix_socket);

  return g_test_run ();
}
