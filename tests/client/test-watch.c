/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-bus.h"
#include "watching.h"
#include <string.h>

/* A watch and its connection: what the signals tell, in what order, and what becomes of a watch that cannot
 * go on. */

#define OK "ok\n\n"
#define DEAF -1

/* Blocks between the answers, points of one key and of several, and what was dropped. */
static void
test_points (void)
{
  const WatchVisit visits[] = { { 2, OK "ok\na 1.0 1\na 2.0 2\nb 3.0 3\n\n" OK "error\n5 points dropped\n\n"
                                        "ok\na 4.0 -4\n\n" },
                                { 2, OK OK "error\n1 points dropped\n\nok\nb 5.0 5\n\n", TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsWatch) watch = watch_server (server, "a*", "b", NULL);
  WatchLog log;

  watch_log_begin (&log, watch);
  /* Whether a block waits for the next one or not, what each has is told in order. */
  while (strstr (log.text->str, "b=5@5") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (log.text->str, ==,
                   "online + a=1@1 a=2@2 b=3@3| dropped:5 a=4@-4| online -2 online +gap dropped:1 b=5@5| ");
  g_assert_cmpstr (script.line, ==, "watch a*");
  g_assert_cmpuint (g_atomic_int_get (&script.n_lines), ==, 4);
  g_assert_true (metrics_watch_get_online (watch));

  metrics_watch_close (watch);
  g_assert_false (metrics_watch_get_online (watch));
  dummy_event_wait (&script.ended);
  watch_log_end (&log);
  g_free (script.line);
}

static void
test_close_before_answer (void)
{
  const WatchVisit visits[] = { { 1, "", TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new_unix (watch_script_serve, &script);
  g_autoptr (MetricsWatch) watch = watch_server (server, "*", NULL);

  /* A watch that is not yet answered is closed as well. */
  while (g_atomic_int_get (&script.n_lines) == 0)
    g_thread_yield ();
  g_clear_object (&watch);
  dummy_event_wait (&script.ended);
  g_free (script.line);
}

/* Each attempt fails for a reason that may pass; it is told once, and the watch is there at last. */
static void
test_many_attempts (void)
{
  const WatchVisit visits[] = { { 0, "error\ntoo many connections\n\n" },
                                { 1, "" },
                                { 1, "error\ntoo many connections\n\n" },
                                { 1, OK "ok\nk 1.0 1\n\nerror\nidle timeout\n\n" },
                                { 1, OK "ok\nk 2.0 2\n" },
                                { 1, OK "ok\nk 3.0 3\n\n", TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsWatch) watch = watch_server (server, "k", NULL);
  WatchLog log;

  watch_log_begin (&log, watch);
  while (strstr (log.text->str, "k=3@3") == NULL)
    g_main_context_iteration (NULL, TRUE);
  /* What the first attempt meets is refused or closed, as the line comes before its end or behind it. */
  g_assert_true (g_str_has_prefix (log.text->str, "-2 ") || g_str_has_prefix (log.text->str, "-3 "));
  g_assert_cmpstr (log.text->str + strlen ("-2 "), ==,
                   "online + k=1@1| online -2 online +gap k=2@2| online -2 online +gap k=3@3| ");
  g_assert_cmpuint (g_atomic_int_get (&script.n_connections), ==, G_N_ELEMENTS (visits));
  watch_log_end (&log);
  g_free (script.line);
}

static void
test_server_comes_later (void)
{
  g_autofree char *address = dummy_make_dead_address ();
  g_autoptr (MetricsClient) client = metrics_client_new (address);
  const char *patterns[] = { "*", NULL };
  g_autoptr (MetricsWatch) watch = metrics_watch_new (client, patterns);
  WatchLog log;

  watch_log_begin (&log, watch);
  watch_log_wait (&log, "-0 ");
  g_assert_false (metrics_watch_get_online (watch));
  watch_log_end (&log);
}

typedef struct
{
  const char *patterns[4];
  WatchVisit visit;
  MetricsError code;
  guint n_connections;
} Failure;

static const Failure failures[] = {
  { { "a b" }, { 0, "" }, METRICS_ERROR_INVALID_ARGUMENT, 0 },
  { { "k", "" }, { 0, "" }, METRICS_ERROR_INVALID_ARGUMENT, 0 },
  { { NULL }, { 0, "" }, METRICS_ERROR_INVALID_ARGUMENT, 0 },
  { { "k" }, { 1, "error\nwatch limit reached\n\n" }, METRICS_ERROR_REFUSED, 1 },
  { { "k", "l" }, { 2, OK "error\nwatch limit reached\n\n" }, METRICS_ERROR_REFUSED, 1 },
  { { "k" }, { 1, "error\npermission denied\n\n" }, METRICS_ERROR_REFUSED, 1 },
  { { "k" }, { 1, "error\n5 points dropped\n\n" }, METRICS_ERROR_REFUSED, 1 },
  { { "k" }, { 1, "HTTP/1.1 400 Bad Request\r\n\r\n" }, METRICS_ERROR_PROTOCOL, 1 },
  { { "k" }, { 1, "ok\nk 1.0 1\n\n" }, METRICS_ERROR_PROTOCOL, 1 },
  { { "k" }, { 1, OK OK }, METRICS_ERROR_PROTOCOL, 1 },
  { { "k" }, { 1, OK "ok\nk 1.0\n\n" }, METRICS_ERROR_PROTOCOL, 1 },
};

static void
test_failure (gconstpointer data)
{
  const Failure *failure = data;
  WatchScript script = { .visits = &failure->visit, .n_visits = 1 };
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (MetricsWatch) watch = metrics_watch_new (client, failure->patterns);
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (GError) error = NULL;
  WatchLog log;

  watch_log_begin (&log, watch);
  while (strchr (log.text->str, '!') == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (atoi (strchr (log.text->str, '!') + 1), ==, failure->code);
  g_assert_cmpuint (g_atomic_int_get (&script.n_connections), ==, failure->n_connections);

  /* Who asks is told the same, as often as it asks. */
  for (guint i = 0; i < 2; i++)
    {
      g_assert_null (metrics_watch_next (watch, NULL, NULL, NULL, &error));
      g_assert_error (error, METRICS_ERROR, (int) failure->code);
      g_clear_error (&error);
    }
  watch_log_end (&log);
  g_free (script.line);
}

static void
test_bad_address (void)
{
  g_autoptr (MetricsClient) client = metrics_client_new ("no port:70000");
  const char *patterns[] = { "*", NULL };
  g_autoptr (MetricsWatch) watch = metrics_watch_new (client, patterns);
  g_autoptr (GError) error = NULL;

  g_assert_null (metrics_watch_next (watch, NULL, NULL, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT);
}

static void
test_without_reconnect (void)
{
  const WatchVisit visits[] = { { 1, OK "ok\nk 1.0 1\n\n" } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  const char *patterns[] = { "k", NULL };
  g_autoptr (MetricsWatch) watch
      = g_object_new (METRICS_TYPE_WATCH, "client", client, "patterns", patterns, "reconnect", FALSE, NULL);
  WatchLog log;

  g_assert_false (metrics_watch_get_reconnect (watch));
  g_assert_true (metrics_watch_get_client (watch) == client);
  g_assert_cmpstr (metrics_watch_get_patterns (watch)[0], ==, "k");
  watch_log_begin (&log, watch);
  watch_log_wait (&log, "online + k=1@1| online !2 ");
  g_assert_cmpuint (g_atomic_int_get (&script.n_connections), ==, 1);
  watch_log_end (&log);
  g_free (script.line);
}

/* A server that has nothing to tell is asked whether it is there, and may be silent for as long as it is. */
static void
serve_silence (DummyPeer *peer, gpointer user_data)
{
  int *n_pings = user_data;
  char *line;
  int n = 0;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      gboolean is_ping = strcmp (line, "ping") == 0;

      g_free (line);
      n += is_ping;
      if (dummy_peer_get_number (peer) > 0 && is_ping)
        g_atomic_int_set (n_pings, DEAF);
      if (dummy_peer_get_number (peer) == 0 && n == 3)
        break;
      if (g_atomic_int_get (n_pings) != DEAF)
        dummy_peer_write (peer, is_ping ? OK : "ok\n\nok\nk 1.0 1\n\n");
    }
  dummy_peer_wait_for_end (peer);
}

static void
test_silence (void)
{
  int n_pings = 0;
  g_autoptr (DummyServer) server = dummy_server_new (serve_silence, &n_pings);
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  const char *patterns[] = { "k", NULL };
  g_autoptr (MetricsWatch) watch = NULL;
  WatchLog log;

  /* In this time the server has to answer. */
  metrics_client_set_timeout (client, 400);
  watch = metrics_watch_new (client, patterns);
  watch_log_begin (&log, watch);
  /* Two are answered, the third is not; of the next connection the first is not. */
  watch_log_wait (&log, "online + k=1@1| online -1 online +gap k=1@1| online -1 ");
  metrics_watch_close (watch);
  watch_log_end (&log);
}

static void
close_at_points (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
{
  guint *n_points = user_data;

  *n_points += samples->len;
  metrics_watch_close (watch);
}

/* Nothing is told after the end, and all that is left of the watch is let go. */
static void
test_close_in_handler (void)
{
  const WatchVisit visits[] = { { 1,
                                  OK "error\n2 points dropped\n\nok\nk 1.0 1\n\nerror\n7 points dropped\n\n"
                                     "ok\nk 2.0 2\n\n",
                                  TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  MetricsWatch *watch = watch_server (server, "k", NULL);
  guint n_points = 0;
  g_autoptr (GError) error = NULL;

  g_signal_connect (watch, "points", G_CALLBACK (close_at_points), &n_points);
  while (n_points == 0)
    g_main_context_iteration (NULL, TRUE);
  dummy_event_wait (&script.ended);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (n_points, ==, 1);
  g_assert_null (metrics_watch_next (watch, NULL, NULL, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  metrics_watch_close (watch);

  g_object_add_weak_pointer (G_OBJECT (watch), (gpointer *) &watch);
  g_object_unref (watch);
  g_assert_null (watch);
  g_free (script.line);
}

static void
unref_at_connected (MetricsWatch *watch, gboolean gap, gpointer user_data)
{
  MetricsWatch **owned = user_data;

  g_clear_object (owned);
}

static void
test_unref_in_handler (void)
{
  const WatchVisit visits[] = { { 1, OK, TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  MetricsWatch *watch = watch_server (server, "k", NULL);

  g_signal_connect (watch, "connected", G_CALLBACK (unref_at_connected), &watch);
  while (watch != NULL)
    g_main_context_iteration (NULL, TRUE);
  dummy_event_wait (&script.ended);
  g_free (script.line);
}

static gpointer
run_thread (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (MetricsWatch) watch = NULL;
  WatchLog log;

  g_main_context_push_thread_default (context);
  watch = watch_server (user_data, "k", NULL);
  watch_log_begin (&log, watch);
  watch_log_wait (&log, "online + k=1@1| ");
  watch_log_end (&log);
  g_clear_object (&watch);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_threads (void)
{
  const WatchVisit visits[] = { { 1, OK "ok\nk 1.0 1\n\n", TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new (watch_script_serve, &script);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, run_thread, server);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (g_atomic_int_get (&script.n_connections), ==, G_N_ELEMENTS (threads));
  g_free (script.line);
}

static void
open_any (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fd = dummy_bus_connect (user_data);

  dummy_bus_hand_over (invocation, 0, &fd, 1);
}

/* Who only reads asks for no more. */
static void
test_bus (gconstpointer data)
{
  const WatchVisit visits[] = { { 1, OK "ok\nk 1.0 1\n\n" }, { 1, OK "ok\nk 2.0 2\n\n", TRUE } };
  WatchScript script = WATCH_SCRIPT (visits);
  g_autoptr (DummyServer) server = dummy_server_new_unix (watch_script_serve, &script);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new (data);
  const char *patterns[] = { "k", NULL };
  g_autoptr (MetricsWatch) watch = NULL;
  WatchLog log;

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, open_any, server);
  watch = metrics_watch_new (client, patterns);
  watch_log_begin (&log, watch);
  watch_log_wait (&log, "online + k=1@1| online -2 online +gap k=2@2| ");
  g_assert_cmpuint (dummy_bus_count (bus, "OpenReader"), ==, 2);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenWriter"), ==, 0);
  watch_log_end (&log);
  g_free (script.line);
}

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);
  dummy_bus_prepare ();

  g_test_add_func ("/watch/points", test_points);
  g_test_add_func ("/watch/close-before-answer", test_close_before_answer);
  g_test_add_func ("/watch/many-attempts", test_many_attempts);
  g_test_add_func ("/watch/server-comes-later", test_server_comes_later);
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path = g_strdup_printf ("/watch/failure/%u", i);

      g_test_add_data_func (path, &failures[i], test_failure);
    }
  g_test_add_func ("/watch/bad-address", test_bad_address);
  g_test_add_func ("/watch/without-reconnect", test_without_reconnect);
  g_test_add_func ("/watch/silence", test_silence);
  g_test_add_func ("/watch/close-in-handler", test_close_in_handler);
  g_test_add_func ("/watch/unref-in-handler", test_unref_in_handler);
  g_test_add_func ("/watch/threads", test_threads);
  g_test_add_data_func ("/watch/bus/session", "bus:session", test_bus);
  g_test_add_data_func ("/watch/bus/system", "bus:system", test_bus);

  return g_test_run ();
}
