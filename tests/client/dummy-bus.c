/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-bus.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <unistd.h>

struct _DummyBus
{
  GTestDBus *bus; /* (owned) */
  DummyBusHandler handler;
  gpointer user_data;
  GMainContext *context; /* (owned): the thread's */
  GMainLoop *loop;       /* (owned) */
  GThread *thread;       /* (owned) (nullable) */
  DummyEvent is_there;   /* the service has its name */
  GMutex mutex;
  GHashTable *counts; /* (owned) (element-type utf8 guint): guarded by `mutex` */
};

static const char introspection[] = "<node><interface name='org.metricsd.Metrics1'>"
                                    "<method name='OpenReader'><arg type='a{sv}'/>"
                                    "<arg direction='out' type='h'/></method>"
                                    "<method name='OpenWriter'><arg type='a{sv}'/>"
                                    "<arg direction='out' type='h'/></method>"
                                    "<method name='Flush'><arg type='a{sv}'/></method>"
                                    "<method name='Delete'><arg type='s'/><arg type='x'/><arg type='x'/>"
                                    "<arg type='a{sv}'/><arg direction='out' type='t'/></method>"
                                    "</interface></node>";

static void
on_call (GDBusConnection *connection,
         const char *sender,
         const char *path,
         const char *interface,
         const char *method,
         GVariant *arguments,
         GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  DummyBus *self = user_data;
  guint count;

  g_mutex_lock (&self->mutex);
  count = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, method));
  g_hash_table_insert (self->counts, g_strdup (method), GUINT_TO_POINTER (count + 1));
  g_mutex_unlock (&self->mutex);
  self->handler (self, invocation, self->user_data);
}

static void
own_name (GDBusConnection *connection)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "RequestName",
                                     g_variant_new ("(su)", DUMMY_BUS_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE,
                                     -1, NULL, &error);

  g_assert_no_error (error);
}

static gpointer
service_run (gpointer data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  DummyBus *self = data;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (self->context);
  connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (self->bus),
                                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                       NULL, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (connection, DUMMY_BUS_PATH, node->interfaces[0], &vtable, self, NULL,
                                     &error);
  g_assert_no_error (error);
  own_name (connection);
  dummy_event_set (&self->is_there);
  g_main_loop_run (self->loop);
  g_dbus_connection_close_sync (connection, NULL, NULL);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/**
 * dummy_bus_is_possible:
 *
 * Returns: whether there can be a bus; where not, the test is marked as skipped
 */
gboolean
dummy_bus_is_possible (void)
{
  g_autofree char *program = g_find_program_in_path ("dbus-daemon");

  if (program == NULL)
    g_test_skip ("there is no dbus-daemon");
  return program != NULL;
}

/**
 * dummy_bus_prepare:
 *
 * To be called before there are threads. GTestDBus forks at the first bus, for a process that ends the buses
 * of a test which crashes, and has the output open as long as this one runs: it must not have a lock that
 * another thread held just then, or never comes to its end under a sanitizer, which looks for leaks there.
 */
void
dummy_bus_prepare (void)
{
  g_autofree char *program = g_find_program_in_path ("dbus-daemon");
  g_autoptr (GTestDBus) bus = NULL;

  if (program == NULL)
    return;
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  g_test_dbus_down (bus);
}

/**
 * dummy_bus_new:
 * @service_dir: (nullable): a folder with service files
 * @handler: (nullable): is called for each call of a method; without it nobody has the name
 * @user_data: what to call it with
 *
 * Starts a bus and, where there is a handler, the service on it, and waits until it is there.
 *
 * Returns: (transfer full): the bus
 */
DummyBus *
dummy_bus_new (const char *service_dir, DummyBusHandler handler, gpointer user_data)
{
  DummyBus *self = g_new0 (DummyBus, 1);

  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  if (service_dir != NULL)
    g_test_dbus_add_service_dir (self->bus, service_dir);
  g_test_dbus_up (self->bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (self->bus), TRUE);

  self->handler = handler;
  self->user_data = user_data;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&self->mutex);
  if (handler != NULL)
    {
      self->thread = g_thread_new ("dummy-bus", service_run, self);
      dummy_event_wait (&self->is_there);
    }
  return self;
}

static gboolean
quit (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

/**
 * dummy_bus_free:
 * @self: (transfer full): a bus
 *
 * Ends the service and the bus.
 */
void
dummy_bus_free (DummyBus *self)
{
  if (self->thread != NULL)
    {
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_callback (source, quit, self->loop, NULL);
      g_source_attach (source, self->context);
      g_thread_join (self->thread);
    }
  g_test_dbus_down (self->bus);
  g_unsetenv ("DBUS_SYSTEM_BUS_ADDRESS");
  g_object_unref (self->bus);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_hash_table_unref (self->counts);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * dummy_bus_count:
 * @self: a bus
 * @method: a method of the service
 *
 * Returns: how often it was called
 */
guint
dummy_bus_count (DummyBus *self, const char *method)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, method));
}

/**
 * dummy_bus_connect:
 * @server: a server on a unix socket
 *
 * Returns: a socket that is connected to it
 */
int
dummy_bus_connect (DummyServer *server)
{
  const char *path = dummy_server_get_address (server) + strlen ("unix:");
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);

  g_assert_no_error (error);
  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  return dup (g_socket_get_fd (socket));
}

/**
 * dummy_bus_hand_over:
 * @invocation: (transfer full): a call of a method that opens
 * @handle: which of the descriptors the answer says that it is
 * @fds: (array length=n_fds): what comes with the answer; closed here
 * @n_fds: how many
 */
void
dummy_bus_hand_over (GDBusMethodInvocation *invocation, int handle, const int *fds, guint n_fds)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new_from_array (fds, n_fds);

  g_dbus_method_invocation_return_value_with_unix_fd_list (invocation, g_variant_new ("(h)", handle),
                                                           n_fds > 0 ? list : NULL);
}

typedef struct
{
  GMainLoop *loop; /* (unowned) */
  int fd;
} Once;

static void
on_only_call (GDBusConnection *connection,
              const char *sender,
              const char *path,
              const char *interface,
              const char *method,
              GVariant *arguments,
              GDBusMethodInvocation *invocation,
              gpointer user_data)
{
  Once *once = user_data;

  dummy_bus_hand_over (invocation, 0, &once->fd, 1);
  g_main_loop_quit (once->loop);
}

/**
 * dummy_bus_serve_once:
 * @address: a bus
 * @fd: (transfer full): a connected socket
 *
 * As a process of its own: has the name until a first call has come, and answers that with the socket.
 *
 * Returns: whether the answer was sent
 */
gboolean
dummy_bus_serve_once (const char *address, int fd)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_only_call };
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  g_autoptr (GDBusConnection) connection = NULL;
  Once once = { loop, fd };

  connection = g_dbus_connection_new_for_address_sync (address,
                                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                       NULL, NULL, NULL);
  if (connection == NULL)
    return FALSE;
  /* Nobody calls any more when the bus is gone. */
  g_signal_connect_swapped (connection, "closed", G_CALLBACK (g_main_loop_quit), loop);
  if (g_dbus_connection_register_object (connection, DUMMY_BUS_PATH, node->interfaces[0], &vtable, &once,
                                         NULL, NULL)
      == 0)
    return FALSE;
  own_name (connection);
  g_main_loop_run (loop);
  return g_dbus_connection_flush_sync (connection, NULL, NULL);
}
