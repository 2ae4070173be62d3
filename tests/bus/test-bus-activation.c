/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-names.h"
#include "dbus/metrics-bus-interface.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* metricsd on a session bus that starts it when it is called, by a service file as the one that is installed.
 * What it is asked here, it is asked by the proxy that GDBus makes of the interface's description, and by
 * `gdbus call`. */

static const char *services; /* the folder of the service file */

typedef struct
{
  char *folder; /* (owned): where points last */
  GTestDBus *bus;
  GDBusConnection *connection;
  MetricsBusService *proxy;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("bus-activation-XXXXXX", &error);
  g_assert_no_error (error);
  /* The bus hands its environment on to those that it starts. */
  g_setenv ("STATE_DIRECTORY", self->folder, TRUE);
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_add_service_dir (self->bus, services);
  g_test_dbus_up (self->bus);
  self->connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  self->proxy = metrics_bus_service_proxy_new_sync (self->connection,
                                                    G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES
                                                        | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                                    METRICS_BUS_NAME, METRICS_BUS_PATH, NULL, &error);
  g_assert_no_error (error);
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (self->proxy), 60000);
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_remove (file);
    }
  g_rmdir (path);
}

/* Returns: 0 where there is no server */
static guint
get_pid (Fixture *self)
{
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_sync (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                                     g_variant_new ("(s)", METRICS_BUS_NAME), G_VARIANT_TYPE ("(u)"),
                                     G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  guint pid = 0;

  if (reply != NULL)
    g_variant_get (reply, "(u)", &pid);
  return pid;
}

static gboolean
has_owner (MetricsBusService *proxy)
{
  g_autofree char *owner = g_dbus_proxy_get_name_owner (G_DBUS_PROXY (proxy));

  return owner != NULL;
}

/* Ends the server as a service manager does, and waits until its process is gone. */
static void
stop_server (Fixture *self)
{
  guint pid = get_pid (self);
  struct pollfd process = { .events = POLLIN };

  if (pid == 0)
    return;
  process.fd = pidfd_open (pid, 0);
  g_assert_cmpint (process.fd, >=, 0);
  g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
  g_assert_cmpint (poll (&process, 1, 60000), ==, 1);
  close (process.fd);
  /* Else the proxy would go on calling the one that was there. */
  while (has_owner (self->proxy))
    g_main_context_iteration (NULL, TRUE);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  stop_server (self);
  g_clear_object (&self->proxy);
  g_clear_object (&self->connection);
  g_test_dbus_down (self->bus);
  g_clear_object (&self->bus);
  remove_folder (self->folder);
  g_free (self->folder);
}

static GVariant *
no_options (void)
{
  return g_variant_new ("a{sv}", NULL);
}

static void
allow_start (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  MetricsBusService *proxy
      = metrics_bus_service_proxy_new_sync (self->connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES,
                                            METRICS_BUS_NAME, METRICS_BUS_PATH, NULL, &error);

  g_assert_no_error (error);
  g_set_object (&self->proxy, proxy);
  g_object_unref (proxy);
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (self->proxy), 60000);
}

static void
assert_points (Fixture *self, const char *key, const char *expected)
{
  g_autoptr (GVariant) points = NULL;
  g_autoptr (GVariant) wanted = g_variant_ref_sink (g_variant_new_parsed (expected));
  g_autoptr (GError) error = NULL;

  metrics_bus_service_call_get_sync (self->proxy, key, no_options (), &points, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (points, wanted);
}

static void
test_first_call (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (get_pid (self), ==, 0);
  /* Who does not want it started gets an error. */
  g_assert_false (metrics_bus_service_call_put_sync (self->proxy, "a", 1.5, 100, no_options (), NULL,
                                                     &error));
  g_assert_nonnull (error);
  g_clear_error (&error);

  allow_start (self);
  metrics_bus_service_call_put_sync (self->proxy, "a", 1.5, 100, no_options (), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (get_pid (self), !=, 0);
  assert_points (self, "a", "[(1.5, int64 100)]");
}

static void
test_started_again (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint pid;

  allow_start (self);
  metrics_bus_service_call_put_sync (self->proxy, "a", 1, 1, no_options (), NULL, &error);
  g_assert_no_error (error);
  pid = get_pid (self);
  stop_server (self);
  g_assert_cmpuint (get_pid (self), ==, 0);
  metrics_bus_service_call_put_sync (self->proxy, "a", 2, 2, no_options (), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (get_pid (self), !=, pid);
  assert_points (self, "a", "[(1.0, int64 1), (2.0, int64 2)]");
}

static char *
gdbus_call (const char *method, const char *arguments)
{
  g_autofree char *command
      = g_strconcat ("gdbus call --session --timeout 60 --dest " METRICS_BUS_NAME
                     " --object-path " METRICS_BUS_PATH " --method " METRICS_BUS_INTERFACE ".",
                     method, " ", arguments, NULL);
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  int status;

  g_spawn_command_line_sync (command, &output, &errors, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    {
      g_free (output);
      return g_steal_pointer (&errors);
    }
  return output;
}

static void
test_gdbus (Fixture *self, gconstpointer data)
{
  g_autofree char *put = gdbus_call ("Put", "room.temperature 21.5 1700000000 {}");
  g_autofree char *got = gdbus_call ("Get", "room.temperature {}");
  g_autofree char *last = gdbus_call ("Last", "'*' {}");
  g_autofree char *wrong = gdbus_call ("Put", "'*' 21.5 1700000000 {}");

  g_assert_cmpstr (put, ==, "()\n");
  g_assert_cmpstr (got, ==, "([(21.5, int64 1700000000)],)\n");
  g_assert_cmpstr (last, ==, "([('room.temperature', 21.5, int64 1700000000)],)\n");
  g_assert_nonnull (strstr (wrong, METRICS_BUS_ERROR_PREFIX "InvalidKey"));
}

static void
test_properties (Fixture *self, gconstpointer data)
{
  g_autoptr (MetricsBusService) proxy = NULL;
  g_autoptr (GError) error = NULL;

  allow_start (self);
  metrics_bus_service_call_put_sync (self->proxy, "a", 1, 1, no_options (), NULL, &error);
  g_assert_no_error (error);
  proxy = metrics_bus_service_proxy_new_sync (self->connection, G_DBUS_PROXY_FLAGS_NONE, METRICS_BUS_NAME,
                                              METRICS_BUS_PATH, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (metrics_bus_service_get_version (proxy), ==, PACKAGE_VERSION);
  g_assert_cmpuint (g_strv_length ((GStrv) metrics_bus_service_get_addresses (proxy)), ==, 0);
  g_assert_cmpuint (metrics_bus_service_get_series_count (proxy), ==, 1);
  g_assert_cmpuint (metrics_bus_service_get_point_count (proxy), ==, 1);
}

int
main (int argc, char **argv)
{
  /* No test touches the bus, or the points, of whoever runs it. */
  g_test_dbus_unset ();
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  services = argv[1];

  g_test_add ("/bus/activation/first-call", Fixture, NULL, set_up, test_first_call, tear_down);
  g_test_add ("/bus/activation/again", Fixture, NULL, set_up, test_started_again, tear_down);
  g_test_add ("/bus/activation/gdbus", Fixture, NULL, set_up, test_gdbus, tear_down);
  g_test_add ("/bus/activation/properties", Fixture, NULL, set_up, test_properties, tear_down);
  return g_test_run ();
}
