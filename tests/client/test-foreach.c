/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-server.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* Long answers, sample by sample. */

#define ROW "some.key 1.5 1700000000\n"
#define ROWS_A_WRITE 1000

typedef struct
{
  guint n_rows;     /* so many are sent; 0 is without end */
  gsize n_sent;     /* (atomic) bytes of the answer that were taken from the server */
  DummyEvent ended; /* the client has closed the connection */
} Source;

static gboolean
write_rows (DummyPeer *peer, Source *source, guint n_rows)
{
  g_autoptr (GString) rows = g_string_new (NULL);

  for (guint i = 0; i < n_rows; i++)
    g_string_append (rows, ROW);
  if (!dummy_peer_write (peer, rows->str))
    return FALSE;
  g_atomic_pointer_add (&source->n_sent, rows->len);
  return TRUE;
}

/* Answers "get *" with many rows, and anything else with "ok". */
static void
serve_rows (DummyPeer *peer, gpointer user_data)
{
  Source *source = user_data;
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gboolean is_get = strcmp (line, "get *") == 0;

      g_free (line);
      dummy_peer_write (peer, "ok\n");
      for (guint n = 0; is_get && (source->n_rows == 0 || n < source->n_rows); n += ROWS_A_WRITE)
        {
          if (!write_rows (peer, source, ROWS_A_WRITE))
            {
              dummy_event_set (&source->ended);
              return;
            }
        }
      dummy_peer_write (peer, "\n");
    }
}

typedef struct
{
  guint n_samples;
  guint n_wanted; /* the call is ended by this one; 0 is never */
  GThread *thread;
  Source *source;
  gsize n_sent; /* by the source, when it had had time to send without end */
} Sink;

static gboolean
take_sample (const MetricsSample *sample, gpointer user_data)
{
  Sink *sink = user_data;

  g_assert_true (g_thread_self () == sink->thread);
  g_assert_cmpstr (sample->key, ==, "some.key");
  g_assert_cmpfloat (sample->value, ==, 1.5);
  g_assert_cmpint (sample->timestamp, ==, 1700000000);
  return ++sink->n_samples != sink->n_wanted;
}

static gboolean
run (MetricsClient *client, MetricsSampleFunc func, gpointer sink, GCancellable *cancellable, GError **error)
{
  return metrics_client_foreach (client, "*", METRICS_TIME_MIN, METRICS_TIME_MAX, func, sink, cancellable,
                                 error);
}

static void
test_all (void)
{
  Source source = { .n_rows = 300000 };
  Sink sink = { .thread = g_thread_self () };
  g_autoptr (DummyServer) server = dummy_server_new (serve_rows, &source);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  run (client, take_sample, &sink, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sink.n_samples, ==, source.n_rows);
}

/* Of an answer without end, what was not wanted is not read either. */
static void
test_end_early (void)
{
  Source source = { 0 };
  Sink sink = { .thread = g_thread_self (), .n_wanted = 12345 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_rows, &source);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  run (client, take_sample, &sink, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sink.n_samples, ==, sink.n_wanted);
  dummy_event_wait (&source.ended);

  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
}

/* Makes another request, whose answer has to come after this one; when it has certainly been sent, many reads
 * from the socket later, wants no more. */
typedef struct
{
  MetricsClient *client;
  GAsyncResult *result;
  guint n_samples;
} Interruption;

static gboolean
interrupt (const MetricsSample *sample, gpointer user_data)
{
  Interruption *self = user_data;

  if (self->n_samples++ == 0)
    metrics_client_ping_async (self->client, NULL, async_result_store, &self->result);
  return self->n_samples < 150000;
}

/* Where others wait, the rest is thrown away instead. */
static void
test_end_early_before_others (void)
{
  Source source = { .n_rows = 600000 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_rows, &source);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  Interruption interruption = { .client = client };
  g_autoptr (GError) error = NULL;

  run (client, interrupt, &interruption, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (metrics_client_ping_finish (client, async_result_wait (&interruption.result), &error));
  g_assert_no_error (error);
  g_object_unref (interruption.result);
  g_assert_cmpuint ((gsize) g_atomic_pointer_get (&source.n_sent), ==, source.n_rows * strlen (ROW));
}

/* Waits, at the first sample, for longer than the timeout. */
static gboolean
dawdle (const MetricsSample *sample, gpointer user_data)
{
  Sink *sink = user_data;

  if (sink->n_samples == 0)
    {
      g_usleep (5 * G_USEC_PER_SEC);
      sink->n_sent = (gsize) g_atomic_pointer_get (&sink->source->n_sent);
    }
  return take_sample (sample, sink);
}

/* It is not the server that is slow here, and it is made to wait: memory stays bounded, and no time is over.
 */
static void
test_slow_function (void)
{
  Source source = { 0 };
  Sink sink = { .thread = g_thread_self (), .n_wanted = 1000000, .source = &source };
  g_autoptr (DummyServer) server = dummy_server_new (serve_rows, &source);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (client, 4000);
  run (client, dawdle, &sink, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sink.n_samples, ==, sink.n_wanted);
  /* What both sockets hold, 10 MB or so at most, and a few reads more. */
  g_assert_cmpuint (sink.n_sent, <, 20 * 1024 * 1024);
}

static gboolean
cancel_at_sample (const MetricsSample *sample, gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return TRUE;
}

static void
test_cancel (void)
{
  Source source = { .n_rows = 300000 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_rows, &source);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (run (client, cancel_at_sample, cancellable, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_assert_true (metrics_client_ping (client, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

  g_test_add_func ("/foreach/all", test_all);
  g_test_add_func ("/foreach/end-early", test_end_early);
  g_test_add_func ("/foreach/end-early-before-others", test_end_early_before_others);
  g_test_add_func ("/foreach/slow-function", test_slow_function);
  g_test_add_func ("/foreach/cancel", test_cancel);

  return g_test_run ();
}
