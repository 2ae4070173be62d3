/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include "real-server.h"
#include <glib/gstdio.h>
#include <metrics-glib/metrics-glib.h>

/* All requests, with metricsd itself. */

static const char *program; /* (unowned): the path of metricsd */

static void
put_all (MetricsClient *client, const char *key, guint n)
{
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    g_assert_true (metrics_batch_add (batch, key, i / 8.0, i, NULL));
  g_assert_true (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (metrics_batch_get_n_accepted (batch), ==, n);
}

static void
assert_samples (GPtrArray *samples, GError *error, guint n, const char *first_key, double first_value)
{
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, ==, n);
  if (n > 0)
    {
      const MetricsSample *first = samples->pdata[0];

      g_assert_cmpstr (first->key, ==, first_key);
      g_assert_cmpfloat (first->value, ==, first_value);
    }
  g_ptr_array_unref (samples);
}

static void
test_requests (void)
{
  g_autoptr (RealServer) server = real_server_start (program, "127.0.0.1:0");
  g_autoptr (MetricsClient) client = metrics_client_new (server->address);
  g_autoptr (GPtrArray) infos = NULL;
  g_autoptr (GHashTable) figures = NULL;
  g_autoptr (GError) error = NULL;
  const MetricsKeyInfo *info;
  guint64 n_points = 0;

  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
  put_all (client, "first", 1000);
  put_all (client, "second*", 10);

  assert_samples (metrics_client_get (client, "second*", NULL, &error), error, 10, "second*", 0);
  assert_samples (metrics_client_get_all (client, NULL, &error), error, 1010, "first", 0);
  assert_samples (metrics_client_last (client, "second\\*", NULL, &error), error, 1, "second*", 9 / 8.0);
  assert_samples (metrics_client_range (client, "*", 8, METRICS_TIME_MAX, NULL, &error), error, 994, "first",
                  1);
  for (guint i = METRICS_FUNCTION_AVG; i <= METRICS_FUNCTION_RATE; i++)
    {
      g_autoptr (GPtrArray) samples
          = metrics_client_range_buckets (client, "first", METRICS_TIME_MIN, 999, 100, i, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (samples->len, ==, 10);
    }

  infos = metrics_client_keys (client, "*", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (infos->len, ==, 2);
  info = infos->pdata[0];
  g_assert_cmpuint (info->n_points, ==, 1000);
  g_assert_cmpint (info->last, ==, 999);

  figures = metrics_client_stats (client, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_hash_table_lookup (figures, "points"), ==, "1010");

  g_assert_true (metrics_client_delete_range (client, "first", 0, 499, &n_points, NULL, &error));
  g_assert_cmpuint (n_points, ==, 500);
  g_assert_true (metrics_client_delete (client, "*", &n_points, NULL, &error));
  g_assert_cmpuint (n_points, ==, 510);
  g_assert_no_error (error);
}

static gboolean
take_sample (const MetricsSample *sample, gpointer user_data)
{
  guint *n = user_data;

  g_assert_cmpint (sample->timestamp, ==, *n);
  g_assert_cmpfloat (sample->value, ==, *n / 8.0);
  (*n)++;
  return TRUE;
}

#define MANY 300000

static void
test_many_points (void)
{
  g_autoptr (RealServer) server = real_server_start (program, "127.0.0.1:0");
  g_autoptr (MetricsClient) client = metrics_client_new (server->address);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  put_all (client, "k", MANY);
  assert_samples (metrics_client_get (client, "k", NULL, &error), error, MANY, "k", 0);
  g_assert_true (metrics_client_foreach (client, "*", METRICS_TIME_MIN, METRICS_TIME_MAX, take_sample, &n,
                                         NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, MANY);
}

static void
test_restart (void)
{
  g_autofree char *directory = g_dir_make_tmp ("client-real-server-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "socket", NULL);
  g_autofree char *address = g_strconcat ("unix:", path, NULL);
  g_autoptr (MetricsClient) client = metrics_client_new (address);
  g_autoptr (GError) error = NULL;
  RealServer *server;

  for (guint i = 0; i < 3; i++)
    {
      g_assert_false (metrics_client_ping (client, NULL, &error));
      g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CONNECT);
      g_clear_error (&error);

      server = real_server_start (program, address);
      put_all (client, "k", 10);
      real_server_stop (server);
    }
  g_rmdir (directory);
}

#define N_WATCHES 200
#define N_ROUNDS 50

typedef struct
{
  guint number;
  guint n_seen;
  guint *n_all_seen;
} Room;

/* Each round puts a point into each room, and its own is the only one that a room is told of. */
static void
see_points (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
{
  Room *room = user_data;

  for (guint i = 0; i < samples->len; i++)
    {
      const MetricsSample *sample = samples->pdata[i];

      g_assert_cmpfloat (sample->value, ==, room->number);
      g_assert_cmpint (sample->timestamp, ==, room->n_seen++);
      *room->n_all_seen += 1;
    }
}

static void
lose_points (MetricsWatch *watch, guint64 n_points, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
put_round (MetricsClient *client, guint round)
{
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_WATCHES; i++)
    {
      g_autofree char *key = g_strdup_printf ("room%u.temperature", i);

      g_assert_true (metrics_batch_add (batch, key, i, round, NULL));
    }
  g_assert_true (metrics_client_put_batch (client, batch, NULL, &error));
  g_assert_no_error (error);
}

static void
test_many_watches (void)
{
  g_autoptr (RealServer) server = real_server_start (program, "127.0.0.1:0");
  g_autoptr (MetricsClient) client = metrics_client_new (server->address);
  g_autoptr (GPtrArray) watches = g_ptr_array_new_with_free_func (g_object_unref);
  Room rooms[N_WATCHES];
  guint n_seen = 0;

  for (guint i = 0; i < N_WATCHES; i++)
    {
      g_autofree char *pattern = g_strdup_printf ("room%u.*", i);
      const char *patterns[] = { pattern, NULL };
      MetricsWatch *watch = metrics_watch_new (client, patterns);

      rooms[i] = (Room){ i, 0, &n_seen };
      g_signal_connect (watch, "points", G_CALLBACK (see_points), &rooms[i]);
      g_signal_connect (watch, "dropped", G_CALLBACK (lose_points), NULL);
      g_ptr_array_add (watches, watch);
    }
  for (guint i = 0; i < N_WATCHES; i++)
    while (!metrics_watch_get_online (watches->pdata[i]))
      g_main_context_iteration (NULL, TRUE);

  for (guint round = 0; round < N_ROUNDS; round++)
    put_round (client, round);
  while (n_seen < N_WATCHES * N_ROUNDS)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);
  program = argv[1];

  g_test_add_func ("/real-server/requests", test_requests);
  g_test_add_func ("/real-server/many-points", test_many_points);
  g_test_add_func ("/real-server/restart", test_restart);
  g_test_add_func ("/real-server/many-watches", test_many_watches);

  return g_test_run ();
}
