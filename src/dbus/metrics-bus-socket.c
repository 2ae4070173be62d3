/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-socket.h"

#include "dbus/metrics-bus-arguments.h"
#include "dbus/metrics-bus-authority.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <sys/socket.h>

/* Connections of the line protocol that are handed out: a pair of sockets, one end of which is a client of
 * the server as any other. What it may do is decided when it is made, and holds as long as it is open. */

static gboolean
make_pair (GSocketConnection **ours, int *theirs, GError **error)
{
  g_autoptr (GSocket) socket = NULL;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
      return FALSE;
    }
  socket = g_socket_new_from_fd (fds[0], error);
  if (socket == NULL)
    {
      close (fds[0]);
      close (fds[1]);
      return FALSE;
    }
  *ours = g_socket_connection_factory_create_connection (socket);
  *theirs = fds[1];
  return TRUE;
}

static void
hand_out (MetricsBusCall *call, MetricsRights rights)
{
  const MetricsBusHost *host = &call->object->host;
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  if (!make_pair (&stream, &fd, &error))
    {
      metrics_bus_call_fail (call, METRICS_BUS_ERROR_LIMIT_REACHED, "%s", error->message);
      return;
    }
  /* The list closes it. */
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  if (!host->adopt (stream, call->caller->name, rights, &error, host->user_data))
    {
      metrics_bus_call_fail (call,
                             g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED)
                                 ? METRICS_BUS_ERROR_STOPPING
                                 : METRICS_BUS_ERROR_LIMIT_REACHED,
                             "%s", error->message);
      return;
    }
  g_dbus_method_invocation_return_value_with_unix_fd_list (g_steal_pointer (&call->invocation),
                                                           g_variant_new ("(h)", 0), fds);
  metrics_bus_call_free (call);
}

static void
open_reader (MetricsBusCall *call)
{
  hand_out (call, METRICS_RIGHTS_READ);
}

static void
open_writer (MetricsBusCall *call)
{
  hand_out (call, metrics_bus_authority_is_trusted (call) ? METRICS_RIGHTS_ALL
                                                          : METRICS_RIGHTS_READ | METRICS_RIGHTS_PUT);
}

static gboolean
handle (MetricsBusService *service,
        GDBusMethodInvocation *invocation,
        GVariant *options,
        MetricsBusNextFunc next)
{
  g_autoptr (GError) error = NULL;
  MetricsBusCall *call;

  if (!metrics_bus_arguments_check_options (options, &error))
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return TRUE;
    }
  if ((g_dbus_connection_get_capabilities (g_dbus_method_invocation_get_connection (invocation))
       & G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING)
      == 0)
    {
      g_dbus_method_invocation_return_error_literal (invocation, G_DBUS_ERROR, G_DBUS_ERROR_NOT_SUPPORTED,
                                                     "the bus does not pass file descriptors");
      return TRUE;
    }
  call = metrics_bus_call_new (METRICS_BUS_OBJECT (service), invocation);
  if (call != NULL)
    next (call);
  return TRUE;
}

static void
identify_writer (MetricsBusCall *call)
{
  metrics_bus_authority_identify (call, open_writer);
}

/**
 * metrics_bus_socket_handle_reader:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @fd_list: (nullable): not used
 * @options: options
 *
 * Handles OpenReader().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_socket_handle_reader (MetricsBusService *service,
                                  GDBusMethodInvocation *invocation,
                                  GUnixFDList *fd_list,
                                  GVariant *options)
{
  return handle (service, invocation, options, open_reader);
}

/**
 * metrics_bus_socket_handle_writer:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @fd_list: (nullable): not used
 * @options: options
 *
 * Handles OpenWriter().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_socket_handle_writer (MetricsBusService *service,
                                  GDBusMethodInvocation *invocation,
                                  GUnixFDList *fd_list,
                                  GVariant *options)
{
  return handle (service, invocation, options, identify_writer);
}
