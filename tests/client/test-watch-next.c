/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "watching.h"
#include <string.h>

/* Points that are asked for batch by batch; and what waits for a program that takes none. */

#define OK "ok\n\n"

/* Writes what came: `|`, behind what is to be known of what was before, and the points' values. */
static void
append (GString *text, GPtrArray *samples, guint64 n_dropped, gboolean gap)
{
  g_assert_nonnull (samples);
  g_string_append (text, gap ? "gap " : "");
  if (n_dropped > 0)
    g_string_append_printf (text, "dropped:%d ", (int) n_dropped);
  for (guint i = 0; i < samples->len; i++)
    g_string_append_printf (text, "%g ", ((MetricsSample *) samples->pdata[i])->value);
}

static void
take (MetricsWatch *watch, GString *text)
{
  guint64 n_dropped;
  gboolean gap;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) samples = metrics_watch_next (watch, &n_dropped, &gap, NULL, &error);

  g_assert_no_error (error);
  append (text, samples, n_dropped, gap);
}

static const WatchVisit two_visits[] = {
  { 1, OK "ok\nk 1.0 1\nk 2.0 2\n\nerror\n5 points dropped\n\nok\nk 3.0 3\n\n" },
  { 1, OK },
  { 1, OK "ok\nk 4.0 4\n\n", TRUE },
};

#define TWO_VISITS_TEXT "1 2 dropped:5 3 gap 4 "

static void
test_sync (void)
{
  WatchScript script = WATCH_SCRIPT (two_visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsWatch) watch = watch_server (server, "k", NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  while (strstr (text->str, "4") == NULL)
    take (watch, text);
  /* A gap can be told before there are points behind it, and then once more. */
  g_assert_true (g_str_equal (text->str, TWO_VISITS_TEXT)
                 || g_str_equal (text->str, "1 2 dropped:5 3 gap gap 4 "));
  g_free (script.line);
}

typedef struct
{
  GString *text; /* (owned) */
  GMainLoop *loop;
} Iteration;

static void
on_next (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Iteration *self = user_data;
  MetricsWatch *watch = METRICS_WATCH (source);
  guint64 n_dropped;
  gboolean gap;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) samples = metrics_watch_next_finish (watch, result, &n_dropped, &gap, &error);

  g_assert_no_error (error);
  append (self->text, samples, n_dropped, gap);
  if (strstr (self->text->str, "4") != NULL)
    g_main_loop_quit (self->loop);
  else
    metrics_watch_next_async (watch, NULL, on_next, self);
}

static void
fail_at_points (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
count_connected (MetricsWatch *watch, gboolean gap, gpointer user_data)
{
  guint *n = user_data;

  *n += 1;
}

static void
test_async (void)
{
  WatchScript script = WATCH_SCRIPT (two_visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsWatch) watch = watch_server (server, "k", NULL);
  Iteration self = { g_string_new (NULL), g_main_loop_new (NULL, FALSE) };
  guint n_connected = 0;

  g_signal_connect (watch, "points", G_CALLBACK (fail_at_points), NULL);
  g_signal_connect (watch, "connected", G_CALLBACK (count_connected), &n_connected);
  metrics_watch_next_async (watch, NULL, on_next, &self);
  g_main_loop_run (self.loop);
  g_assert_true (g_str_equal (self.text->str, TWO_VISITS_TEXT)
                 || g_str_equal (self.text->str, "1 2 dropped:5 3 gap gap 4 "));
  /* The other signals are there all the same. */
  while (n_connected < 3)
    g_main_context_iteration (NULL, TRUE);
  g_main_loop_unref (self.loop);
  g_string_free (self.text, TRUE);
  g_free (script.line);
}

/* Sends points when it is let. */
typedef struct
{
  DummyEvent asked;
  DummyEvent let;
} Gate;

static void
serve_at_gate (DummyPeer *peer, gpointer user_data)
{
  Gate *gate = user_data;

  g_free (dummy_peer_read_line (peer));
  dummy_peer_write (peer, OK);
  dummy_event_set (&gate->asked);
  dummy_event_wait (&gate->let);
  dummy_peer_write (peer, "ok\nk 1.0 1\n\n");
  dummy_peer_wait_for_end (peer);
}

static gpointer
cancel_in_thread (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return NULL;
}

/* What is cancelled loses nothing: the next one has it. */
static void
test_cancel (void)
{
  Gate gate = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_at_gate, &gate);
  g_autoptr (MetricsWatch) watch = watch_server (server, "k", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  metrics_watch_next_async (watch, cancellable, async_result_store, &first);
  /* One at a time. */
  metrics_watch_next_async (watch, NULL, async_result_store, &second);
  g_assert_null (metrics_watch_next_finish (watch, async_result_wait (&second), NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_null (metrics_watch_next (watch, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);

  dummy_event_wait (&gate.asked);
  thread = g_thread_new (NULL, cancel_in_thread, cancellable);
  g_assert_null (metrics_watch_next_finish (watch, async_result_wait (&first), NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  g_cancellable_reset (cancellable);
  thread = g_thread_new (NULL, cancel_in_thread, cancellable);
  g_assert_null (metrics_watch_next (watch, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  dummy_event_set (&gate.let);
  samples = metrics_watch_next (watch, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, ==, 1);
}

static gpointer
close_in_thread (gpointer user_data)
{
  metrics_watch_close (user_data);
  return NULL;
}

static void
test_close (void)
{
  const WatchVisit visits[] = { { 1, OK, TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  MetricsWatch *watch = watch_server (server, "k", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new (NULL, close_in_thread, watch);

  g_assert_null (metrics_watch_next (watch, NULL, NULL, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  g_clear_error (&error);
  g_thread_join (thread);
  g_clear_object (&watch);

  watch = watch_server (server, "k", NULL);
  metrics_watch_next_async (watch, NULL, async_result_store, &result);
  metrics_watch_close (watch);
  g_assert_null (metrics_watch_next_finish (watch, async_result_wait (&result), NULL, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  g_object_unref (watch);
  g_free (script.line);
}

#define N_EARLY 100000

/* Says yes to the first pattern alone, and then tells of points as if there were no second. */
static void
serve_early (DummyPeer *peer, gpointer user_data)
{
  g_autoptr (GString) text = g_string_new (OK "ok\n");

  for (guint i = 0; i < 2; i++)
    g_free (dummy_peer_read_line (peer));
  for (int i = 0; i < N_EARLY; i++)
    g_string_append_printf (text, "k %d.0 %d\n", i, i);
  dummy_peer_write (peer, text->str);
  dummy_peer_wait_for_end (peer);
}

/* What comes before all is watched is kept back, but not without a limit. */
static void
test_early (void)
{
  g_autoptr (DummyServer) server = dummy_server_new (serve_early, NULL);
  g_autoptr (MetricsWatch) watch = watch_server (server, "k", "l", NULL);
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;

  samples = metrics_watch_next (watch, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, >, 0);
  g_assert_false (metrics_watch_get_online (watch));
}

#define N_FLOOD 50000
#define LIMIT 1000

/* Sends a flood of points and hangs up. Who comes again has read all of it. */
static void
serve_flood (DummyPeer *peer, gpointer user_data)
{
  DummyEvent *is_read = user_data;
  g_autoptr (GString) text = g_string_new (OK);

  g_free (dummy_peer_read_line (peer));
  if (dummy_peer_get_number (peer) > 0)
    {
      dummy_event_set (is_read);
      dummy_peer_wait_for_end (peer);
      return;
    }
  for (int i = 0; i < N_FLOOD; i++)
    g_string_append_printf (text, i % 100 == 0 ? "ok\nk %d.0 %d\n\n" : "ok\nl %d.0 %d\n\n", i, i);
  dummy_peer_write (peer, text->str);
}

static MetricsWatch *
watch_flood (DummyServer *server)
{
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  const char *patterns[] = { "*", NULL };
  MetricsWatch *watch;

  watch
      = g_object_new (METRICS_TYPE_WATCH, "client", client, "patterns", patterns, "queue-limit", LIMIT, NULL);
  g_assert_cmpuint (metrics_watch_get_queue_limit (watch), ==, LIMIT);
  return watch;
}

/* The newest points are there, and how many are missing. */
static void
test_bound (void)
{
  DummyEvent is_read = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_flood, &is_read);
  g_autoptr (MetricsWatch) watch = watch_flood (server);
  guint64 n_all_dropped = 0;
  guint n_samples = 0;

  dummy_event_wait (&is_read);
  while (n_samples < LIMIT)
    {
      guint64 n_dropped;
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) samples = metrics_watch_next (watch, &n_dropped, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_true (n_samples == 0 || n_dropped == 0);
      n_all_dropped += n_dropped;
      for (guint i = 0; i < samples->len; i++)
        g_assert_cmpfloat (((MetricsSample *) samples->pdata[i])->value, ==, N_FLOOD - LIMIT + n_samples++);
    }
  g_assert_cmpuint (n_samples, ==, LIMIT);
  g_assert_cmpuint (n_all_dropped, ==, N_FLOOD - LIMIT);
}

typedef struct
{
  guint64 n_dropped;
  guint n_samples;
} Sum;

static void
add_dropped (MetricsWatch *watch, guint64 n_points, gpointer user_data)
{
  Sum *sum = user_data;

  sum->n_dropped += n_points;
}

static void
add_points (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
{
  Sum *sum = user_data;

  sum->n_samples += samples->len;
}

/* The same of a program whose main context is busy with something else. */
static void
test_bound_of_signals (void)
{
  DummyEvent is_read = { 0 };
  g_autoptr (DummyServer) server = dummy_server_new (serve_flood, &is_read);
  g_autoptr (MetricsWatch) watch = watch_flood (server);
  Sum sum = { 0 };

  g_signal_connect (watch, "dropped", G_CALLBACK (add_dropped), &sum);
  g_signal_connect (watch, "points", G_CALLBACK (add_points), &sum);
  dummy_event_wait (&is_read);
  while (sum.n_samples < LIMIT)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (sum.n_samples, ==, LIMIT);
  g_assert_cmpuint (sum.n_dropped, ==, N_FLOOD - LIMIT);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);

  g_test_add_func ("/watch-next/sync", test_sync);
  g_test_add_func ("/watch-next/async", test_async);
  g_test_add_func ("/watch-next/cancel", test_cancel);
  g_test_add_func ("/watch-next/close", test_close);
  g_test_add_func ("/watch-next/early", test_early);
  g_test_add_func ("/watch-next/bound", test_bound);
  g_test_add_func ("/watch-next/bound-of-signals", test_bound_of_signals);

  return g_test_run ();
}
