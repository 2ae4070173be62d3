/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* close_range() */

#include "config.h"

#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long anything may take, in milliseconds. */
#define WATCHDOG 60000

/* A server writes to the pipe what it says, which is not read. What counts is that the pipe has no writer
 * when no server is left: a process that has given back its name is not found on the bus any more, and still
 * has the folder. */
static void
make_pipe (Session *self)
{
  g_autofree char *path = g_build_filename (self->folder, "servers", NULL);

  g_assert_no_errno (mkfifo (path, 0600));
  self->servers = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (self->servers, >=, 0);
  g_setenv ("SERVERS_PIPE", path, TRUE);
}

void
session_up (Session *self, const char *services)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("bus-session-XXXXXX", &error);
  g_assert_no_error (error);
  self->state = g_build_filename (self->folder, "state", NULL);
  make_pipe (self);
  g_setenv ("STATE_DIRECTORY", self->state, TRUE);
  g_setenv ("XDG_CONFIG_HOME", self->folder, TRUE);
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_add_service_dir (self->bus, services);
  g_test_dbus_up (self->bus);
  /* A process of GTestDBus's ends the bus of a test that aborts, which it notices by a pipe. The next bus
   * would inherit that, and keep it open. */
  close_range (3, G_MAXINT, CLOSE_RANGE_CLOEXEC);
  self->connection = session_connect (self);
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      remove_all (file);
    }
  g_assert_no_errno (g_remove (path));
}

void
session_down (Session *self)
{
  session_stop_server (self);
  session_disconnect (self->connection);
  g_test_dbus_down (self->bus);
  g_object_unref (self->bus);
  close (self->servers);
  remove_all (self->folder);
  g_free (self->folder);
  g_free (self->state);
}

void
session_wait_for_end (Session *self)
{
  struct pollfd servers = { .fd = self->servers, .events = POLLIN };
  char said[4096];
  ssize_t n;

  while ((n = read (self->servers, said, sizeof said)) != 0)
    if (n < 0)
      {
        g_assert_cmpint (errno, ==, EAGAIN);
        g_assert_cmpint (poll (&servers, 1, WATCHDOG), ==, 1);
      }
}

void
session_stop_server (Session *self)
{
  guint pid = session_get_pid (self);

  /* It may be about to leave anyway. */
  if (pid != 0)
    kill (pid, SIGTERM);
  session_wait_for_end (self);
}

guint
session_get_pid (Session *self)
{
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_sync (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                                     g_variant_new ("(s)", METRICS_BUS_NAME), G_VARIANT_TYPE ("(u)"),
                                     G_DBUS_CALL_FLAGS_NONE, WATCHDOG, NULL, NULL);
  guint pid = 0;

  if (reply != NULL)
    g_variant_get (reply, "(u)", &pid);
  return pid;
}

GDBusConnection *
session_connect (Session *self)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection
      = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (self->bus),
                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                    | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

void
session_disconnect (GDBusConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_dbus_connection_close_sync (connection, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (connection);
}

GVariant *
session_call (GDBusConnection *caller, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer
      = g_dbus_connection_call_sync (caller, METRICS_BUS_NAME, METRICS_BUS_PATH, METRICS_BUS_INTERFACE,
                                     method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, WATCHDOG, NULL, &error);

  g_assert_no_error (error);
  return answer;
}

void
session_put (Session *self, const char *key, double value, gint64 time)
{
  g_variant_unref (session_call (self->connection, "Put",
                                 g_variant_new ("(sdx@a{sv})", key, value, time, session_no_options ())));
}

void
session_assert_points (Session *self, const char *key, const char *expected)
{
  g_autoptr (GVariant) wanted = g_variant_ref_sink (g_variant_new ("(@*)", g_variant_new_parsed (expected)));
  g_autoptr (GVariant) answer
      = session_call (self->connection, "Get", g_variant_new ("(s@a{sv})", key, session_no_options ()));

  g_assert_cmpvariant (answer, wanted);
}

GVariant *
session_no_options (void)
{
  return g_variant_new ("a{sv}", NULL);
}
