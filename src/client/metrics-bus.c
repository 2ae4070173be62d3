/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-bus.h"

#include "common/metrics-names.h"
#include <glib/gi18n-lib.h>
#include <string.h>

/* A call to the server on the bus, over a connection to the bus that is made for it and closed behind it.
 *
 * Not over the one that g_bus_get() shares: that ends the process when the bus goes, which a program that has
 * nothing else to do with the bus does not expect of a library. Calls are rare, one for each connection to
 * the server, and so there is nothing here that could have grown stale. A call that is cancelled takes its
 * connection with it: so the bus and the server know that nobody waits any more. */

#define BUS_ERROR "org.freedesktop.DBus.Error."

typedef struct
{
  GBusType bus;
  const char *method;     /* (unowned) (static) */
  GVariant *arguments;    /* (owned) */
  const char *reply_type; /* (unowned) (static) */
  GDBusCallFlags flags;
  GDBusConnection *connection; /* (owned) (nullable) */
  GUnixFDList *fds;            /* (owned) (nullable): what came with the reply */
} Call;

static void
call_free (gpointer data)
{
  Call *self = data;

  if (self->connection != NULL)
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
  g_clear_object (&self->fds);
  g_variant_unref (self->arguments);
  g_free (self);
}

static void
return_no_bus (GTask *task, GBusType bus, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_new_error (task, METRICS_ERROR, METRICS_ERROR_CONNECT,
                             bus == G_BUS_TYPE_SESSION ? _ ("there is no session bus: %s")
                                                       : _ ("there is no system bus: %s"),
                             error->message);
}

/* In a thread of its own: to find the session bus GIO may have to start one. */
static void
find_bus (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Call *call = data;
  GError *error = NULL;
  char *address = g_dbus_address_get_for_bus_sync (call->bus, cancellable, &error);

  if (address != NULL)
    g_task_return_pointer (task, address, g_free);
  else
    g_task_return_error (task, error);
}

static void
on_replied (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *reply = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), &call->fds,
                                                                     result, &error);

  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  call->connection = g_dbus_connection_new_for_address_finish (result, &error);
  if (call->connection == NULL)
    {
      return_no_bus (task, call->bus, error);
      return;
    }
  if ((g_dbus_connection_get_capabilities (call->connection) & G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING) == 0)
    {
      g_task_return_new_error (task, METRICS_ERROR, METRICS_ERROR_CONNECT, "%s",
                               _ ("the bus does not hand over sockets: it is not on this machine"));
      return;
    }
  /* How long to wait is whoever waits to say, by cancelling. */
  g_dbus_connection_call_with_unix_fd_list (call->connection, METRICS_BUS_NAME, METRICS_BUS_PATH,
                                            METRICS_BUS_INTERFACE, call->method, call->arguments,
                                            G_VARIANT_TYPE (call->reply_type), call->flags, G_MAXINT, NULL,
                                            g_task_get_cancellable (task), on_replied, g_object_ref (task));
}

/* The connection is made here, and not in the thread that has found the address: a GDBusConnection says that
 * it was closed in the main context of the thread that made it, and keeps itself until that is said. In the
 * other thread that is the program's default context, which a program need not ever run. */
static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *address = g_task_propagate_pointer (G_TASK (result), &error);

  if (address == NULL)
    {
      return_no_bus (task, call->bus, error);
      return;
    }
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                         | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, g_task_get_cancellable (task), on_connected, g_object_ref (task));
}

/**
 * metrics_bus_call_async:
 * @bus: which bus
 * @method: a method of the server's interface; static
 * @arguments: (transfer none): what to call it with
 * @reply_type: of what type its reply is; static
 * @is_interactive: whether the user may be asked for leave
 * @cancellable: what gives the call up; nothing else bounds its time
 * @callback: what to call in the thread-default main context
 * @user_data: what to call it with
 *
 * Calls the server on the bus, which starts it where it does not run. Does not block.
 */
void
metrics_bus_call_async (GBusType bus,
                        const char *method,
                        GVariant *arguments,
                        const char *reply_type,
                        gboolean is_interactive,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  Call *call = g_new0 (Call, 1);
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GTask) finder = g_task_new (NULL, cancellable, on_found, g_object_ref (task));

  call->bus = bus;
  call->method = method;
  call->arguments = g_variant_ref_sink (arguments);
  call->reply_type = reply_type;
  call->flags = is_interactive ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION : G_DBUS_CALL_FLAGS_NONE;
  g_task_set_source_tag (task, metrics_bus_call_async);
  g_task_set_task_data (task, call, call_free);
  g_task_set_source_tag (finder, find_bus);
  g_task_set_task_data (finder, call, NULL);
  g_task_run_in_thread (finder, find_bus);
}

/**
 * metrics_bus_call_finish:
 * @result: what the callback was given
 * @fds: (out) (transfer full) (nullable): the descriptors that came with the reply
 * @error: return location for a #GError, which metrics_bus_describe() explains
 *
 * Returns: (transfer full) (nullable): the reply
 */
GVariant *
metrics_bus_call_finish (GAsyncResult *result, GUnixFDList **fds, GError **error)
{
  Call *call;
  GVariant *reply;

  g_assert (g_async_result_is_tagged (result, metrics_bus_call_async));

  call = g_task_get_task_data (G_TASK (result));
  reply = g_task_propagate_pointer (G_TASK (result), error);
  *fds = reply != NULL ? g_steal_pointer (&call->fds) : NULL;
  return reply;
}

static gboolean
is_one_of (const char *name, const char *prefix, const char *const *names)
{
  return g_str_has_prefix (name, prefix) && g_strv_contains (names, name + strlen (prefix));
}

static gboolean
is_denial (const char *name)
{
  static const char *const of_bus[]
      = { "AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired", NULL };

  return is_one_of (name, BUS_ERROR, of_bus)
         || g_str_equal (name, METRICS_BUS_ERROR_PREFIX "PermissionDenied");
}

/**
 * metrics_bus_is_denied:
 * @error: how a call failed
 *
 * Returns: whether the bus or the server has forbidden it
 */
gboolean
metrics_bus_is_denied (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);

  return name != NULL && is_denial (name);
}

/**
 * metrics_bus_is_leaving:
 * @error: how a call failed
 *
 * Returns: whether it met a server that was about to end, so that the bus starts another one for the next
 * call
 */
gboolean
metrics_bus_is_leaving (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);

  return name != NULL
         && (g_str_equal (name, BUS_ERROR "NoReply")
             || g_str_equal (name, METRICS_BUS_ERROR_PREFIX "Stopping"));
}

static MetricsError
describe_remote (const char *name, const char *message, char **reason)
{
  static const char *const unknown[] = { "ServiceUnknown", "NameHasNoOwner", NULL };
  static const char *const gone[] = { "NoReply", "Disconnected", NULL };
  static const char *const other[]
      = { "UnknownMethod", "UnknownObject", "UnknownInterface", "InvalidArgs", NULL };

  if (is_one_of (name, BUS_ERROR, unknown))
    {
      *reason = g_strdup_printf (_ ("metricsd is not there, and the bus cannot start it: %s"), message);
      return METRICS_ERROR_CONNECT;
    }
  if (g_str_has_prefix (name, BUS_ERROR "Spawn.") || g_str_equal (name, BUS_ERROR "TimedOut")
      || g_str_has_prefix (name, "org.freedesktop.systemd1."))
    {
      *reason = g_strdup_printf (_ ("metricsd could not be started: %s"), message);
      return METRICS_ERROR_CONNECT;
    }
  if (g_str_has_prefix (name, BUS_ERROR) && is_denial (name))
    {
      *reason = g_strdup_printf (_ ("the bus does not allow it: %s"), message);
      return METRICS_ERROR_REFUSED;
    }
  *reason = g_strdup (message);
  if (is_one_of (name, BUS_ERROR, gone))
    return METRICS_ERROR_CLOSED;
  return is_one_of (name, BUS_ERROR, other) ? METRICS_ERROR_PROTOCOL : METRICS_ERROR_REFUSED;
}

/**
 * metrics_bus_describe:
 * @error: how a call failed
 * @reason: (out) (transfer full): the same in words, as people want to read it
 *
 * Returns: %METRICS_ERROR_CONNECT where there is no bus, or no server on it and none can be started;
 *   %METRICS_ERROR_REFUSED where the bus or the server said no; %METRICS_ERROR_CLOSED where the server or the
 *   bus went away, so that nobody knows what became of the call; %METRICS_ERROR_PROTOCOL where it is no such
 *   server
 */
MetricsError
metrics_bus_describe (const GError *error, char **reason)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_autoptr (GError) stripped = g_error_copy (error);

  g_dbus_error_strip_remote_error (stripped);
  if (name != NULL)
    return describe_remote (name, stripped->message, reason);

  *reason = g_strdup (error->message);
  if (error->domain == METRICS_ERROR)
    return (MetricsError) error->code;
  /* That is how GDBus calls a reply of a wrong type. */
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT) ? METRICS_ERROR_PROTOCOL
                                                                          : METRICS_ERROR_CLOSED;
}
