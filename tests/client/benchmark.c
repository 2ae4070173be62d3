/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "real-server.h"
#include <metrics-glib/metrics-glib.h>
#include <time.h>

/* How fast the library is with a server of its own machine; both run at the same time. */

#define N_KEYS 100
#define N_POINTS 1000000
#define N_ROUND_TRIPS 20000

/* The second rate is that of the client's own work: what it could do if it never had to wait. */
typedef struct
{
  gint64 time;
  clock_t processor_time;
} Start;

static Start
start_now (void)
{
  return (Start){ g_get_monotonic_time (), clock () };
}

static void
report (const char *what, guint n, Start start)
{
  double seconds = (g_get_monotonic_time () - start.time) / (double) G_TIME_SPAN_SECOND;
  double processor_seconds = (clock () - start.processor_time) / (double) CLOCKS_PER_SEC;

  g_print ("%-28s %9.0f a second, %9.0f a second of processor time\n", what, n / seconds,
           n / processor_seconds);
}

static MetricsBatch *
make_batch (void)
{
  MetricsBatch *batch = metrics_batch_new ();
  Start start = start_now ();

  for (guint i = 0; i < N_POINTS; i++)
    {
      char key[32];
      g_autoptr (GError) error = NULL;

      g_snprintf (key, sizeof key, "host.example.cpu%u.user", i % N_KEYS);
      metrics_batch_add (batch, key, (i % 1000) / 10.0, 1700000000 + i / N_KEYS, &error);
      g_assert_no_error (error);
    }
  report ("points added to a batch", N_POINTS, start);
  return batch;
}

static gboolean
count_sample (const MetricsSample *sample, gpointer user_data)
{
  (*(guint *) user_data)++;
  return TRUE;
}

static void
measure_long_answers (MetricsClient *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  guint n = 0;
  Start start = start_now ();

  samples = metrics_client_get_all (client, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, ==, N_POINTS);
  report ("points got", N_POINTS, start);

  start = start_now ();
  g_clear_pointer (&samples, g_ptr_array_unref);
  report ("points freed", N_POINTS, start);

  start = start_now ();
  metrics_client_foreach (client, "*", METRICS_TIME_MIN, METRICS_TIME_MAX, count_sample, &n, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, N_POINTS);
  report ("points taken one by one", N_POINTS, start);
}

static void
measure_round_trips (MetricsClient *client)
{
  Start start = start_now ();

  for (guint i = 0; i < N_ROUND_TRIPS; i++)
    {
      g_autoptr (GError) error = NULL;

      metrics_client_put (client, "single", i, i, NULL, &error);
      g_assert_no_error (error);
    }
  report ("points put, each awaited", N_ROUND_TRIPS, start);
}

static void
on_put (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *n_left = user_data;
  g_autoptr (GError) error = NULL;

  metrics_client_put_finish (METRICS_CLIENT (source), result, &error);
  g_assert_no_error (error);
  (*n_left)--;
}

static void
measure_async (MetricsClient *client)
{
  guint n_left = N_ROUND_TRIPS;
  Start start = start_now ();

  for (guint i = 0; i < N_ROUND_TRIPS; i++)
    metrics_client_put_async (client, "many", i, i, NULL, on_put, &n_left);
  while (n_left > 0)
    g_main_context_iteration (NULL, TRUE);
  report ("points put, none awaited", N_ROUND_TRIPS, start);
}

int
main (int argc, char **argv)
{
  g_autoptr (RealServer) server = real_server_start (argv[1], "127.0.0.1:0");
  g_autoptr (MetricsClient) client = metrics_client_new (server->address);
  g_autoptr (MetricsBatch) batch = make_batch ();
  g_autoptr (GError) error = NULL;
  Start start = start_now ();

  metrics_client_put_batch (client, batch, NULL, &error);
  g_assert_no_error (error);
  report ("points put as a batch", N_POINTS, start);

  measure_long_answers (client);
  measure_round_trips (client);
  measure_async (client);
  return 0;
}
