/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-bus.h"
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <metrics-glib/metrics-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that is reached over a bus: how it is asked for a socket, what can be wrong with what it hands
 * over, and the requests that are calls there. */

#define ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"

static void
refuse (GDBusMethodInvocation *invocation, const char *name, const char *message)
{
  g_dbus_method_invocation_return_dbus_error (invocation, name, message);
}

static gboolean
is_method (GDBusMethodInvocation *invocation, const char *method)
{
  return g_str_equal (g_dbus_method_invocation_get_method_name (invocation), method);
}

/* Hands over a socket of the DummyServer that it is given. */
static void
open_any (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fd = dummy_bus_connect (user_data);

  dummy_bus_hand_over (invocation, 0, &fd, 1);
}

static void
open_reader (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  if (is_method (invocation, "OpenWriter"))
    refuse (invocation, ACCESS_DENIED, "not for you");
  else
    open_any (bus, invocation, user_data);
}

static void
serve_ok (DummyPeer *peer, gpointer user_data)
{
  dummy_peer_answer_all (peer, "ok\n\n");
}

static void
ping (MetricsClient *client)
{
  g_autoptr (GError) error = NULL;

  metrics_client_ping (client, NULL, &error);
  g_assert_no_error (error);
}

/* Checks that a ping fails, and what is said of it. */
static void
fail_to_ping (MetricsClient *client, MetricsError code, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_ping (client, NULL, &error));
  g_assert_error (error, METRICS_ERROR, (int) code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, text));
}

static void
test_writer (gconstpointer data)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_ok, NULL);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new (data);

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, open_any, server);
  g_assert_cmpstr (metrics_client_get_address (client), ==, data);
  for (guint i = 0; i < 100; i++)
    ping (client);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenWriter"), ==, 1);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenReader"), ==, 0);
}

static void
test_new_for_bus (void)
{
  g_autoptr (MetricsClient) session = metrics_client_new_for_bus (G_BUS_TYPE_SESSION);
  g_autoptr (MetricsClient) system = metrics_client_new_for_bus (G_BUS_TYPE_SYSTEM);

  g_assert_cmpstr (metrics_client_get_address (session), ==, "bus:session");
  g_assert_cmpstr (metrics_client_get_address (system), ==, "bus:system");
}

static void
test_reader (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_ok, NULL);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:system");

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, open_reader, server);
  ping (client);
  ping (client);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenWriter"), ==, 1);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenReader"), ==, 1);
}

/* Ends the connection behind each answer, as a server does that leaves when nobody needs it. */
static void
serve_once (DummyPeer *peer, gpointer user_data)
{
  g_free (dummy_peer_read_line (peer));
  dummy_peer_write (peer, "ok\n\n");
}

static void
test_reconnect (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_once, NULL);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");
  g_autoptr (GError) error = NULL;
  guint n_pinged = 0;

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, open_any, server);
  while (dummy_bus_count (bus, "OpenWriter") < 3)
    {
      /* What was sent just before the end came may have been done or not. */
      if (metrics_client_ping (client, NULL, &error))
        n_pinged++;
      else
        g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
      g_clear_error (&error);
    }
  g_assert_cmpuint (n_pinged, >=, 2);
}

static void
test_no_bus (void)
{
  g_autoptr (MetricsClient) session = metrics_client_new ("bus:session");
  g_autoptr (MetricsClient) system = metrics_client_new ("bus:system");

  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  fail_to_ping (session, METRICS_ERROR_CONNECT, "cannot connect to bus:session: there is no session bus: ");
  fail_to_ping (system, METRICS_ERROR_CONNECT, "cannot connect to bus:system: there is no system bus: ");
  g_unsetenv ("DBUS_SESSION_BUS_ADDRESS");
  g_unsetenv ("DBUS_SYSTEM_BUS_ADDRESS");
}

static void
test_no_such_bus (void)
{
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:other");

  fail_to_ping (client, METRICS_ERROR_INVALID_ARGUMENT, "no such bus: 'bus:other'");
}

static void
test_no_service (void)
{
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, NULL, NULL);
  fail_to_ping (client, METRICS_ERROR_CONNECT, "metricsd is not there, and the bus cannot start it: ");
}

static void
test_service_that_does_not_start (void)
{
  g_autofree char *dir = g_dir_make_tmp ("dummy-bus-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "org.metricsd.Metrics1.service", NULL);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

  if (!dummy_bus_is_possible ())
    return;
  g_assert_true (g_file_set_contents (path,
                                      "[D-BUS "
                                      "Service]\nName=org.metricsd.Metrics1\nExec=/nonexistent/metricsd\n",
                                      -1, NULL));
  bus = dummy_bus_new (dir, NULL, NULL);
  fail_to_ping (client, METRICS_ERROR_CONNECT, "metricsd could not be started: ");
  g_unlink (path);
  g_rmdir (dir);
}

typedef struct
{
  const char *name;
  const char *message;
  MetricsError code;
  const char *text;
} Reply;

static const Reply replies[] = {
  { ACCESS_DENIED, "not for you", METRICS_ERROR_CONNECT, "cannot connect to bus:session: the bus does not" },
  { "org.metricsd.Metrics1.Error.LimitReached", "too many", METRICS_ERROR_CONNECT, "bus:session: too many" },
  { "org.freedesktop.DBus.Error.UnknownMethod", "no such thing", METRICS_ERROR_PROTOCOL, "no such thing" },
  { "org.freedesktop.DBus.Error.NoReply", "it went", METRICS_ERROR_CONNECT, "bus:session: it went" },
  { "org.example.Odd", "\001", METRICS_ERROR_CONNECT, "cannot connect" },
};

static void
reply_error (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  const Reply *reply = user_data;

  refuse (invocation, reply->name, reply->message);
}

static void
test_error_replies (void)
{
  if (!dummy_bus_is_possible ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      g_autoptr (DummyBus) bus = dummy_bus_new (NULL, reply_error, (gpointer) &replies[i]);
      g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

      fail_to_ping (client, replies[i].code, replies[i].text);
      /* It is asked again the next time. */
      fail_to_ping (client, replies[i].code, replies[i].text);
    }
}

/* A server that leaves is asked again: the next one is started. */
static void
leave_twice (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  guint count = dummy_bus_count (bus, "OpenWriter");

  if (count <= 2)
    refuse (invocation,
            count == 1 ? "org.metricsd.Metrics1.Error.Stopping" : "org.freedesktop.DBus.Error.NoReply",
            "bye");
  else
    open_any (bus, invocation, user_data);
}

static void
test_leaving (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_ok, NULL);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, leave_twice, server);
  ping (client);
  g_assert_cmpuint (dummy_bus_count (bus, "OpenWriter"), ==, 3);
}

static void
hand_over_nothing (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  dummy_bus_hand_over (invocation, 0, NULL, 0);
}

static void
hand_over_another (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fd = dummy_bus_connect (user_data);

  dummy_bus_hand_over (invocation, 7, &fd, 1);
}

static void
hand_over_negative (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fd = dummy_bus_connect (user_data);

  dummy_bus_hand_over (invocation, -1, &fd, 1);
}

static void
hand_over_pipe (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  dummy_bus_hand_over (invocation, 0, fds, 2);
}

static void
hand_over_datagrams (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  dummy_bus_hand_over (invocation, 0, fds, 2);
}

static void
reply_nothing (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  /* A reply of a type that the method does not have, which GDBus would not let pass as its reply. */
  g_autoptr (GDBusMessage) reply
      = g_dbus_message_new_method_reply (g_dbus_method_invocation_get_message (invocation));

  g_dbus_message_set_body (reply, g_variant_new ("(s)", "socket"));
  g_dbus_connection_send_message (g_dbus_method_invocation_get_connection (invocation), reply,
                                  G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  g_object_unref (invocation);
}

static void
hand_over_closed (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  close (fds[1]);
  dummy_bus_hand_over (invocation, 0, fds, 1);
}

typedef struct
{
  DummyBusHandler handler;
  MetricsError code;
  const char *text;
} Gift;

static const Gift gifts[] = {
  { hand_over_nothing, METRICS_ERROR_PROTOCOL, "it handed over no socket" },
  { hand_over_another, METRICS_ERROR_PROTOCOL, "it handed over no socket" },
  { hand_over_negative, METRICS_ERROR_PROTOCOL, "it handed over no socket" },
  { hand_over_pipe, METRICS_ERROR_PROTOCOL, "no stream socket" },
  { hand_over_datagrams, METRICS_ERROR_PROTOCOL, "no stream socket" },
  { reply_nothing, METRICS_ERROR_PROTOCOL, "(s)" },
  { hand_over_closed, METRICS_ERROR_CLOSED, "bus:session closed the connection" },
};

static void
test_bad_gifts (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_ok, NULL);

  if (!dummy_bus_is_possible ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (gifts); i++)
    {
      g_autoptr (DummyBus) bus = dummy_bus_new (NULL, gifts[i].handler, server);
      g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

      fail_to_ping (client, gifts[i].code, gifts[i].text);
    }
}

typedef struct
{
  DummyServer *server;
  int pipe[2]; /* (owned) */
} MoreThanOne;

static void
hand_over_two (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  MoreThanOne *more = user_data;
  int fds[2] = { more->pipe[1], dummy_bus_connect (more->server) };

  dummy_bus_hand_over (invocation, 1, fds, 2);
}

/* The one that is meant is used; the other one is not kept open. */
static void
test_two_descriptors (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_ok, NULL);
  MoreThanOne more = { server, { -1, -1 } };
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");
  char byte;

  if (!dummy_bus_is_possible ())
    return;
  g_assert_true (g_unix_open_pipe (more.pipe, FD_CLOEXEC, NULL));
  bus = dummy_bus_new (NULL, hand_over_two, &more);
  ping (client);
  g_assert_cmpint (read (more.pipe[0], &byte, 1), ==, 0);
  close (more.pipe[0]);
}

/* Keeps the call, and says that it has come. */
static void
never_answer (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  DummyEvent *has_come = user_data;

  dummy_event_set (has_come);
}

static void
test_no_answer_in_time (void)
{
  DummyEvent has_come = { 0 };
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, never_answer, &has_come);
  metrics_client_set_timeout (client, 20);
  fail_to_ping (client, METRICS_ERROR_TIMED_OUT, "no connection to bus:session within 0.02 seconds");
}

static void
test_cancel_opening (void)
{
  DummyEvent has_come = { 0 };
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, never_answer, &has_come);
  metrics_client_ping_async (client, cancellable, async_result_store, &result);
  dummy_event_wait (&has_come);
  g_cancellable_cancel (cancellable);
  g_assert_false (metrics_client_ping_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_close_while_opening (void)
{
  DummyEvent has_come = { 0 };
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!dummy_bus_is_possible ())
    return;
  bus = dummy_bus_new (NULL, never_answer, &has_come);
  metrics_client_ping_async (client, NULL, async_result_store, &result);
  dummy_event_wait (&has_come);
  metrics_client_close (client);
  g_assert_false (metrics_client_ping_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
}

/* The program that this is, as a service that the bus starts: one answer, and it ends; at once, for it has
 * the output open that the test has, and what it leaves behind is of no interest. */
static void
serve_and_leave (void)
{
  g_autoptr (DummyServer) server = dummy_server_new_unix (serve_once, NULL);
  const char *address = g_getenv ("DBUS_STARTER_ADDRESS");

  _exit (dummy_bus_serve_once (address, dummy_bus_connect (server)) ? 0 : 1);
}

static void
test_activation (gconstpointer program)
{
  g_autofree char *dir = g_dir_make_tmp ("dummy-bus-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "org.metricsd.Metrics1.service", NULL);
  g_autofree char *text = g_strdup_printf ("[D-BUS Service]\nName=org.metricsd.Metrics1\nExec=%s --serve\n",
                                           (const char *) program);
  g_autoptr (DummyBus) bus = NULL;
  g_autoptr (MetricsClient) client = metrics_client_new ("bus:session");
  guint n_pinged = 0;

  if (!dummy_bus_is_possible ())
    return;
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  bus = dummy_bus_new (dir, NULL, NULL);
  while (n_pinged < 5)
    {
      g_autoptr (GError) error = NULL;

      if (metrics_client_ping (client, NULL, &error))
        n_pinged++;
      else if (!g_error_matches (error, METRICS_ERROR, METRICS_ERROR_CONNECT))
        g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
    }
  g_unlink (path);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  g_autofree char *program = g_canonicalize_filename (argv[0], NULL);

  if (argc == 2 && g_str_equal (argv[1], "--serve"))
    serve_and_leave ();

  dummy_test_init (&argc, &argv);
  dummy_bus_prepare ();

  g_test_add_data_func ("/bus/writer/session", "bus:session", test_writer);
  g_test_add_data_func ("/bus/writer/system", "bus:system", test_writer);
  g_test_add_func ("/bus/new-for-bus", test_new_for_bus);
  g_test_add_func ("/bus/reader", test_reader);
  g_test_add_func ("/bus/reconnect", test_reconnect);
  g_test_add_func ("/bus/no-bus", test_no_bus);
  g_test_add_func ("/bus/no-such-bus", test_no_such_bus);
  g_test_add_func ("/bus/no-service", test_no_service);
  g_test_add_func ("/bus/service-that-does-not-start", test_service_that_does_not_start);
  g_test_add_func ("/bus/error-replies", test_error_replies);
  g_test_add_func ("/bus/leaving", test_leaving);
  g_test_add_func ("/bus/bad-gifts", test_bad_gifts);
  g_test_add_func ("/bus/two-descriptors", test_two_descriptors);
  g_test_add_func ("/bus/no-answer-in-time", test_no_answer_in_time);
  g_test_add_func ("/bus/cancel-opening", test_cancel_opening);
  g_test_add_func ("/bus/close-while-opening", test_close_while_opening);
  g_test_add_data_func ("/bus/activation", program, test_activation);

  return g_test_run ();
}
