/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-listener-private.h"

#include "server/metrics-unix-socket.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* How many clients may wait to be accepted; the kernel takes less where net.core.somaxconn is less. */
#define BACKLOG 4096

/* Another port is tried this often where the system chose one that is taken on another address of the host.
 */
#define MAX_PORT_TRIES 16

G_DEFINE_FINAL_TYPE (MetricsListener, metrics_listener, G_TYPE_OBJECT)

static void
metrics_listener_dispose (GObject *object)
{
  MetricsListener *self = METRICS_LISTENER (object);

  metrics_listener_close (self);

  G_OBJECT_CLASS (metrics_listener_parent_class)->dispose (object);
}

static void
metrics_listener_finalize (GObject *object)
{
  MetricsListener *self = METRICS_LISTENER (object);

  g_ptr_array_unref (self->sockets);
  g_strfreev (self->hosts);
  g_free (self->path);
  g_free (self->passed_name);

  G_OBJECT_CLASS (metrics_listener_parent_class)->finalize (object);
}

static void
metrics_listener_class_init (MetricsListenerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = metrics_listener_dispose;
  object_class->finalize = metrics_listener_finalize;
}

static void
metrics_listener_init (MetricsListener *self)
{
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->owner = METRICS_UNIX_OWNER_DEFAULT;
}

/**
 * metrics_listener_new_tcp:
 * @host: a name or an address
 * @port: a port, 0 for any that is free
 *
 * Returns: (transfer full): a listener for all addresses of a host, with all rights
 */
MetricsListener *
metrics_listener_new_tcp (const char *host, guint16 port)
{
  MetricsListener *self = g_object_new (METRICS_TYPE_LISTENER, NULL);
  const char *hosts[] = { host, NULL };

  self->hosts = g_strdupv ((GStrv) hosts);
  self->port = port;
  self->rights = METRICS_RIGHTS_ALL;
  return self;
}

/**
 * metrics_listener_new_loopback:
 * @port: a port, 0 for any that is free on both addresses
 *
 * Returns: (transfer full): a listener for 127.0.0.1 and ::1, with all rights
 */
MetricsListener *
metrics_listener_new_loopback (guint16 port)
{
  MetricsListener *self = metrics_listener_new_tcp ("127.0.0.1", port);
  const char *hosts[] = { "127.0.0.1", "::1", NULL };

  g_strfreev (self->hosts);
  self->hosts = g_strdupv ((GStrv) hosts);
  return self;
}

/**
 * metrics_listener_new_passed:
 * @name: a name that the service manager gave to sockets
 *
 * Returns: (transfer full): a listener for sockets that it gets by metrics_listener_adopt(). At those of TCP
 * one reads and puts; at unix sockets the credentials of the peer decide.
 */
MetricsListener *
metrics_listener_new_passed (const char *name)
{
  MetricsListener *self = g_object_new (METRICS_TYPE_LISTENER, NULL);

  self->passed_name = g_strdup (name);
  return self;
}

/**
 * metrics_listener_set_default_rights:
 * @self: a listener
 * @rights: what those who connect there over TCP may do, unless it was made with rights of its own
 */
void
metrics_listener_set_default_rights (MetricsListener *self, MetricsRights rights)
{
  g_return_if_fail (METRICS_IS_LISTENER (self));

  if (self->hosts != NULL && !self->has_rights)
    self->rights = rights;
}

/* All addresses that the hosts stand for, each once, with the port still to be set. */
static GPtrArray *
resolve (MetricsListener *self, GError **error)
{
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  for (guint i = 0; self->hosts[i] != NULL; i++)
    {
      GList *found = g_resolver_lookup_by_name (resolver, self->hosts[i], NULL, error);

      if (found == NULL)
        {
          /* Translators: an address; the reason follows */
          g_prefix_error (error, _ ("cannot listen on %s: "), self->hosts[i]);
          return NULL;
        }
      for (GList *l = found; l != NULL; l = l->next)
        if (!g_ptr_array_find_with_equal_func (addresses, l->data, (GEqualFunc) g_inet_address_equal, NULL))
          g_ptr_array_add (addresses, g_object_ref (l->data));
      g_resolver_free_addresses (found);
    }
  return g_steal_pointer (&addresses);
}

/* As g_socket_bind(), with an error that says no more than the reason and tells an address that this machine
 * lacks. */
static gboolean
bind_socket (GSocket *socket, GSocketAddress *address, GError **error)
{
  struct sockaddr_storage native;
  int saved_errno;

  if (!g_socket_set_option (socket, SOL_SOCKET, SO_REUSEADDR, TRUE, error)
      || !g_socket_address_to_native (address, &native, sizeof native, error))
    return FALSE;
  if (bind (g_socket_get_fd (socket), (struct sockaddr *) &native, g_socket_address_get_native_size (address))
      == 0)
    return TRUE;

  saved_errno = errno;
  g_set_error_literal (error, G_IO_ERROR,
                       saved_errno == EADDRNOTAVAIL ? G_IO_ERROR_NOT_FOUND
                                                    : g_io_error_from_errno (saved_errno),
                       g_strerror (saved_errno));
  return FALSE;
}

/* What accepted sockets inherit. A reply is whole when it is written, and nothing is gained by holding it
 * back. A machine that was unplugged says nothing: the kernel finds out within two minutes, not within the
 * two hours of its default. */
static gboolean
tune_socket (GSocket *socket, GError **error)
{
  /* A client that has gone again before it is accepted must not stop the loop. */
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_keepalive (socket, TRUE);
  return g_socket_get_family (socket) == G_SOCKET_FAMILY_UNIX
         || (g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, error)
             && g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, 60, error)
             && g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, 10, error)
             && g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, 6, error));
}

static GSocket *
open_socket (GSocketAddress *address, GError **error)
{
  GSocketFamily family = g_socket_address_get_family (address);
  g_autoptr (GSocket) socket = g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);

  if (socket == NULL)
    return NULL;
  /* What is said to be listened on is what is listened on: [::] is not 0.0.0.0 as well. */
  if (family == G_SOCKET_FAMILY_IPV6 && !g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, TRUE, error))
    return NULL;
  if (!tune_socket (socket, error))
    return NULL;
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!bind_socket (socket, address, error) || !g_socket_listen (socket, error))
    return NULL;
  return g_steal_pointer (&socket);
}

static guint16
get_bound_port (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);

  return address != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)) : 0;
}

/* Whether the machine lacks the address, or its whole family: other addresses of the host may do. */
static gboolean
is_missing (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* Opens one socket for each address, all on the same port. */
static gboolean
open_addresses (MetricsListener *self, GPtrArray *addresses, GError **error)
{
  g_autoptr (GError) missing = NULL;
  guint16 port = self->port;

  for (guint i = 0; i < addresses->len; i++)
    {
      g_autoptr (GSocketAddress) address = g_inet_socket_address_new (addresses->pdata[i], port);
      g_autoptr (GError) local_error = NULL;
      GSocket *socket = open_socket (address, &local_error);

      if (socket != NULL)
        {
          g_ptr_array_add (self->sockets, socket);
          port = get_bound_port (socket);
          continue;
        }

      if (!is_missing (local_error))
        {
          g_autofree char *text = metrics_listener_describe_address (address);

          /* Translators: an address; the reason follows */
          g_propagate_prefixed_error (error, g_steal_pointer (&local_error), _ ("cannot listen on %s: "),
                                      text);
          return FALSE;
        }
      if (missing == NULL)
        missing = g_steal_pointer (&local_error);
    }

  if (self->sockets->len > 0)
    return TRUE;
  /* Translators: an address; the reason follows */
  g_propagate_prefixed_error (error, g_steal_pointer (&missing), _ ("cannot listen on %s: "), self->hosts[0]);
  return FALSE;
}

static gboolean
open_tcp (MetricsListener *self, GError **error)
{
  g_autoptr (GPtrArray) addresses = resolve (self, error);

  if (addresses == NULL)
    return FALSE;

  for (guint i = 1;; i++)
    {
      g_autoptr (GError) local_error = NULL;
      gboolean retry;

      if (open_addresses (self, addresses, &local_error))
        return TRUE;

      retry = self->port == 0 && self->sockets->len > 0 && i < MAX_PORT_TRIES
              && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
      metrics_listener_close (self);
      if (!retry)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
}

static gboolean
open_unix (MetricsListener *self, GError **error)
{
  GSocket *socket = metrics_unix_socket_open (self->path, &self->owner, BACKLOG, &self->identity, error);

  if (socket == NULL)
    {
      /* Translators: an address; the reason follows */
      g_prefix_error (error, _ ("cannot listen on %s: "), self->path);
      return FALSE;
    }
  g_ptr_array_add (self->sockets, socket);
  return TRUE;
}

/* Whether clients come to it whom one can talk to. */
static gboolean
check_passed (GSocket *socket, GError **error)
{
  GSocketFamily family = g_socket_get_family (socket);
  gint is_listening = 0;

  if (g_socket_get_socket_type (socket) == G_SOCKET_TYPE_STREAM
      && (family == G_SOCKET_FAMILY_UNIX || family == G_SOCKET_FAMILY_IPV4 || family == G_SOCKET_FAMILY_IPV6)
      && g_socket_get_option (socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, NULL) && is_listening != 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       _ ("not a stream socket, of TCP or unix, that listens"));
  return FALSE;
}

/**
 * metrics_listener_adopt:
 * @self: a listener of passed sockets
 * @fd: (transfer full): a descriptor that was passed; it is closed where it is refused, too
 * @error: return location for a #GError
 *
 * Has the listener listen on a socket that others made. Its file, if it has one, is theirs and stays.
 *
 * Returns: %FALSE where it is not a stream socket, unix or TCP, that listens
 */
gboolean
metrics_listener_adopt (MetricsListener *self, int fd, GError **error)
{
  g_autoptr (GSocket) socket = NULL;

  g_return_val_if_fail (METRICS_IS_LISTENER (self), FALSE);
  g_return_val_if_fail (self->passed_name != NULL, FALSE);

  socket = g_socket_new_from_fd (fd, error);
  if (socket == NULL)
    {
      close (fd);
      return FALSE;
    }
  if (!check_passed (socket, error) || !tune_socket (socket, error))
    return FALSE;
  g_ptr_array_add (self->sockets, g_steal_pointer (&socket));
  return TRUE;
}

static gboolean
open_passed (MetricsListener *self, GError **error)
{
  if (self->sockets->len > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               _ ("cannot listen on %s: the service manager passed no socket of that name"),
               self->passed_name);
  return FALSE;
}

/**
 * metrics_listener_open:
 * @self: a listener that is not open
 * @error: return location for a #GError
 *
 * Begins to listen. Clients that connect from now on wait to be accepted.
 *
 * Returns: %FALSE where that is not possible; nothing is open then
 */
gboolean
metrics_listener_open (MetricsListener *self, GError **error)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), FALSE);

  if (self->passed_name != NULL)
    return open_passed (self, error);
  g_return_val_if_fail (self->sockets->len == 0, FALSE);
  return self->path != NULL ? open_unix (self, error) : open_tcp (self, error);
}

/**
 * metrics_listener_close:
 * @self: a listener, open or not
 *
 * Listens no more. The file of a unix socket is removed if it is still the same one.
 */
void
metrics_listener_close (MetricsListener *self)
{
  g_return_if_fail (METRICS_IS_LISTENER (self));

  if (self->path != NULL && self->sockets->len > 0)
    metrics_unix_socket_unlink (self->path, &self->identity);
  for (guint i = 0; i < self->sockets->len; i++)
    g_socket_close (self->sockets->pdata[i], NULL);
  g_ptr_array_set_size (self->sockets, 0);
}

/**
 * metrics_listener_get_passed_name:
 * @self: a listener
 *
 * Returns: (transfer none) (nullable): the name of the passed sockets that it is for; %NULL where it is for
 * others
 */
const char *
metrics_listener_get_passed_name (MetricsListener *self)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), NULL);

  return self->passed_name;
}

/**
 * metrics_listener_get_sockets:
 * @self: a listener
 *
 * Returns: (transfer none) (element-type GSocket): what it listens on; empty while it is not open
 */
GPtrArray *
metrics_listener_get_sockets (MetricsListener *self)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), NULL);

  return self->sockets;
}

/**
 * metrics_listener_get_rights:
 * @self: a listener
 * @peer: the socket of a client that it accepted
 *
 * Returns: what the client may do
 */
MetricsRights
metrics_listener_get_rights (MetricsListener *self, GSocket *peer)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), METRICS_RIGHTS_NONE);

  /* A peer without credentials reads and puts. */
  return self->rights != METRICS_RIGHTS_NONE ? self->rights : metrics_rights_of_peer (peer);
}

/**
 * metrics_listener_set_http:
 * @self: a listener
 *
 * Says that clients speak HTTP there, and not the line protocol.
 */
void
metrics_listener_set_http (MetricsListener *self)
{
  g_return_if_fail (METRICS_IS_LISTENER (self));

  self->is_http = TRUE;
}

/**
 * metrics_listener_is_http:
 * @self: a listener
 *
 * Returns: whether clients speak HTTP there
 */
gboolean
metrics_listener_is_http (MetricsListener *self)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), FALSE);

  return self->is_http;
}

/**
 * metrics_listener_set_default:
 * @self: a listener
 *
 * Says that it is there only since nobody has said where to listen: it makes room for sockets that are
 * passed.
 */
void
metrics_listener_set_default (MetricsListener *self)
{
  g_return_if_fail (METRICS_IS_LISTENER (self));

  self->is_default = TRUE;
}

/**
 * metrics_listener_is_default:
 * @self: a listener
 *
 * Returns: whether it is there only since nobody has said where to listen
 */
gboolean
metrics_listener_is_default (MetricsListener *self)
{
  g_return_val_if_fail (METRICS_IS_LISTENER (self), FALSE);

  return self->is_default;
}
