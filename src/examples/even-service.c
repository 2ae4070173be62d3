/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "even.h"

#include <glib/gi18n.h>

static gboolean use_system;

static const GOptionEntry entries[] = {
  { "system", 0, 0, G_OPTION_ARG_NONE, &use_system,
    N_ ("Serve on the system bus (whose policy must permit the name), not on the session bus"), NULL },
  { NULL },
};

/* What the service can do: callers can ask for it, and GDBus compares each call with it. */
static const char description[] = "<node>"
                                  "  <interface name='" EVEN_INTERFACE "'>"
                                  "    <!-- IsEven: whether a number can be divided by two."
                                  "         @number: the number"
                                  "         @even: whether it is even -->"
                                  "    <method name='IsEven'>"
                                  "      <arg type='x' name='number' direction='in'/>"
                                  "      <arg type='b' name='even' direction='out'/>"
                                  "    </method>"
                                  "  </interface>"
                                  "</node>";

typedef struct
{
  Example *example;
  GCancellable *cancellable;   /* (owned) */
  GDBusConnection *connection; /* (owned) (nullable) */
  EvenWatch *watch;            /* (owned) (nullable) */
  guint object;
  guint name;
  gboolean busy; /* the bus is being connected to */
} Service;

/* Answers a call. There is one method, which has one argument: all else was refused before, with the errors
 * that the bus has for that. */
static void
method_call_cb (GDBusConnection *connection,
                const char *sender,
                const char *path,
                const char *interface,
                const char *method,
                GVariant *parameters,
                GDBusMethodInvocation *invocation,
                gpointer user_data)
{
  Service *self = user_data;
  gint64 since = even_watch_get_time (g_dbus_method_invocation_get_message (invocation));
  gint64 number;

  even_watch_add_caller (self->watch, sender);
  g_variant_get (parameters, "(x)", &number);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(b)", number % 2 == 0));
  /* Its bytes are counted when they leave. */
  example_report_answered (example_get_report (self->example), 0, since);
}

static void
name_acquired_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_print ("listening on %s\n", name);
}

/* The name could not be had, or the bus has gone, and with it all who could call. */
static void
name_lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Service *self = user_data;

  if (connection == NULL)
    g_printerr (_ ("%s: the bus has gone\n"), g_get_prgname ());
  else
    g_printerr (_ ("%s: cannot have the name %s: it is taken, or the bus does not permit it\n"),
                g_get_prgname (), name);
  example_quit (self->example, 1);
}

/* There is a connection to the bus. The object is there before the name: who sees the name can call. */
static void
bus_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = method_call_cb };
  Service *self = user_data;
  g_autoptr (GDBusNodeInfo) node = NULL;
  g_autoptr (GError) error = NULL;

  self->busy = FALSE;
  self->connection = g_bus_get_finish (result, &error);
  if (self->connection == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_printerr (_ ("%s: cannot reach the bus: %s\n"), g_get_prgname (), error->message);
      example_quit (self->example, 1);
      return;
    }
  /* GDBus would end the process without a word: name_lost_cb() says why. */
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  self->watch = even_watch_new (self->connection, example_get_report (self->example));
  node = g_dbus_node_info_new_for_xml (description, NULL);
  self->object = g_dbus_connection_register_object (self->connection, EVEN_PATH, node->interfaces[0], &vtable,
                                                    self, NULL, NULL);
  self->name = g_bus_own_name_on_connection (self->connection, EVEN_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                             name_acquired_cb, name_lost_cb, self, NULL);
}

/* Serves until a signal, or something that is wrong, ends the program. */
static int
service_run (Service *self)
{
  int status;

  self->cancellable = g_cancellable_new ();
  self->busy = TRUE;
  g_bus_get (use_system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, self->cancellable, bus_cb, self);
  status = example_run (self->example);
  g_cancellable_cancel (self->cancellable);
  while (self->busy)
    g_main_context_iteration (NULL, TRUE);
  if (self->connection != NULL)
    {
      g_bus_unown_name (self->name);
      g_dbus_connection_unregister_object (self->connection, self->object);
      even_watch_free (self->watch);
      g_object_unref (self->connection);
    }
  g_object_unref (self->cancellable);
  return status;
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "even-service",
    .summary = N_ ("Says on D-Bus whether numbers are even."),
    .entries = entries,
    .is_server = TRUE,
  };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  Service service = { .example = example };

  return service_run (&service);
}
