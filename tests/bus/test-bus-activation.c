/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-interface.h"
#include "session.h"

#include <string.h>

/* metricsd on a session bus that starts it when it is called. What it is asked here, it is asked by the proxy
 * that GDBus makes of the interface's description, and by `gdbus call`. */

static const char *services; /* the folder of the service file */

static void
set_up (Session *self, gconstpointer data)
{
  session_up (self, services);
}

static void
tear_down (Session *self, gconstpointer data)
{
  session_down (self);
}

static MetricsBusService *
make_proxy (Session *self, GDBusProxyFlags flags)
{
  g_autoptr (GError) error = NULL;
  MetricsBusService *proxy = metrics_bus_service_proxy_new_sync (self->connection, flags, METRICS_BUS_NAME,
                                                                 METRICS_BUS_PATH, NULL, &error);

  g_assert_no_error (error);
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (proxy), 60000);
  return proxy;
}

/* Who does not want it started gets an error. */
static void
assert_not_there (Session *self)
{
  g_autoptr (GError) error = NULL;

  g_dbus_connection_call_sync (self->connection, METRICS_BUS_NAME, METRICS_BUS_PATH, METRICS_BUS_INTERFACE,
                               "Stats", g_variant_new ("(@a{sv})", session_no_options ()), NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, 60000, NULL, &error);
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
  g_assert_cmpuint (session_get_pid (self), ==, 0);
}

static void
test_first_call (Session *self, gconstpointer data)
{
  GDBusProxyFlags flags
      = G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION;
  g_autoptr (MetricsBusService) proxy = make_proxy (self, flags);
  g_autoptr (GVariant) points = NULL;
  g_autoptr (GVariant) wanted = g_variant_ref_sink (g_variant_new_parsed ("[(1.5, int64 100)]"));
  g_autoptr (GError) error = NULL;

  assert_not_there (self);
  metrics_bus_service_call_put_sync (proxy, "a", 1.5, 100, session_no_options (), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (session_get_pid (self), !=, 0);
  metrics_bus_service_call_get_sync (proxy, "a", session_no_options (), &points, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (points, wanted);
}

static void
test_started_again (Session *self, gconstpointer data)
{
  guint pid;

  session_put (self, "a", 1, 1);
  pid = session_get_pid (self);
  session_stop_server (self);
  g_assert_cmpuint (session_get_pid (self), ==, 0);
  session_put (self, "a", 2, 2);
  g_assert_cmpuint (session_get_pid (self), !=, pid);
  session_assert_points (self, "a", "[(1.0, int64 1), (2.0, int64 2)]");
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
test_gdbus (Session *self, gconstpointer data)
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
test_properties (Session *self, gconstpointer data)
{
  g_autoptr (MetricsBusService) proxy = NULL;

  session_put (self, "a", 1, 1);
  proxy = make_proxy (self, G_DBUS_PROXY_FLAGS_NONE);
  g_assert_cmpstr (metrics_bus_service_get_version (proxy), ==, PACKAGE_VERSION);
  g_assert_cmpuint (g_strv_length ((GStrv) metrics_bus_service_get_addresses (proxy)), ==, 0);
  g_assert_cmpuint (metrics_bus_service_get_series_count (proxy), ==, 1);
  g_assert_cmpuint (metrics_bus_service_get_point_count (proxy), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_dbus_unset ();
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  services = argv[1];

  g_test_add ("/bus/activation/first-call", Session, NULL, set_up, test_first_call, tear_down);
  g_test_add ("/bus/activation/again", Session, NULL, set_up, test_started_again, tear_down);
  g_test_add ("/bus/activation/gdbus", Session, NULL, set_up, test_gdbus, tear_down);
  g_test_add ("/bus/activation/properties", Session, NULL, set_up, test_properties, tear_down);
  return g_test_run ();
}
