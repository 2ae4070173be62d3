/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-unix-socket.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (int saved_errno, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), g_strerror (saved_errno));
  return FALSE;
}

/**
 * metrics_unix_owner_parse_mode:
 * @self: what to change
 * @text: permissions in octal digits
 * @error: return location for a #GError
 *
 * Returns: %FALSE where the text is no permissions
 */
gboolean
metrics_unix_owner_parse_mode (MetricsUnixOwner *self, const char *text, GError **error)
{
  char *end;
  guint64 mode = g_ascii_strtoull (text, &end, 8);

  if (!g_ascii_isdigit (text[0]) || *end != '\0' || mode > 0777)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   _ ("'mode=%s': expected octal digits, 0 to 0777"), text);
      return FALSE;
    }
  self->mode = mode;
  return TRUE;
}

/**
 * metrics_unix_owner_parse_owner:
 * @self: what to change
 * @text: `USER`, `USER:GROUP` or `:GROUP`, by name or number
 * @error: return location for a #GError
 *
 * Returns: %FALSE where there is no such user or group
 */
gboolean
metrics_unix_owner_parse_owner (MetricsUnixOwner *self, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);
  const char *user = parts[0] != NULL ? parts[0] : "";
  const char *group = parts[0] != NULL && parts[1] != NULL ? parts[1] : "";
  guint64 number;

  if (user[0] == '\0' && group[0] == '\0')
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   _ ("'owner=%s': expected USER, USER:GROUP or :GROUP"), text);
      return FALSE;
    }
  if (g_ascii_string_to_unsigned (user, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    self->uid = number;
  else if (user[0] != '\0')
    {
      struct passwd *entry = getpwnam (user);

      if (entry == NULL)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("'owner=%s': no such user"), text);
          return FALSE;
        }
      self->uid = entry->pw_uid;
      self->gid = entry->pw_gid;
    }

  if (g_ascii_string_to_unsigned (group, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    self->gid = number;
  else if (group[0] != '\0')
    {
      struct group *entry = getgrnam (group);

      if (entry == NULL)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("'owner=%s': no such group"), text);
          return FALSE;
        }
      self->gid = entry->gr_gid;
    }
  return TRUE;
}

/* Removes a socket that a server left behind that is no more; nothing else is ever removed. */
static gboolean
remove_stale (const char *path, GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) probe = NULL;
  g_autoptr (GError) local_error = NULL;
  struct stat status;

  if (lstat (path, &status) < 0)
    return errno == ENOENT ? TRUE : fail (errno, error);
  if (!S_ISSOCK (status.st_mode))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, _ ("there is a file that is not a socket"));
      return FALSE;
    }

  probe = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  if (probe == NULL)
    return FALSE;
  g_socket_set_blocking (probe, FALSE);
  if (!g_socket_connect (probe, address, NULL, &local_error)
      && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return g_unlink (path) == 0 || errno == ENOENT ? TRUE : fail (errno, error);
  return fail (EADDRINUSE, error);
}

static gboolean
set_owner (const char *path, const MetricsUnixOwner *owner, MetricsUnixIdentity *identity, GError **error)
{
  struct stat status;

  if (lstat (path, &status) < 0)
    return fail (errno, error);
  identity->device = status.st_dev;
  identity->inode = status.st_ino;

  if ((owner->uid != (uid_t) -1 || owner->gid != (gid_t) -1) && lchown (path, owner->uid, owner->gid) < 0)
    return fail (errno, error);
  return TRUE;
}

/**
 * metrics_unix_socket_open:
 * @path: where
 * @owner: who may connect
 * @backlog: how many clients may wait to be accepted
 * @identity: (out caller-allocates): which file it is
 * @error: return location for a #GError
 *
 * Makes a unix socket and listens on it. One that a server left behind that is no more is replaced.
 *
 * Returns: (transfer full): the socket, or %NULL
 */
GSocket *
metrics_unix_socket_open (const char *path,
                          const MetricsUnixOwner *owner,
                          int backlog,
                          MetricsUnixIdentity *identity,
                          GError **error)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocket) socket = NULL;
  gboolean bound;
  mode_t old_mask;

  if (!remove_stale (path, address, error))
    return NULL;
  socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  if (socket == NULL)
    return NULL;
  g_socket_set_listen_backlog (socket, backlog);
  g_socket_set_blocking (socket, FALSE);

  /* The mode is set by the mask, for chmod() would follow a link that somebody put in the socket's place.
   * Nobody can connect before g_socket_listen(), and its owner is set by then. */
  old_mask = umask (0777 & ~owner->mode);
  bound = g_socket_bind (socket, address, FALSE, error);
  umask (old_mask);
  if (!bound)
    return NULL;

  if (!set_owner (path, owner, identity, error) || !g_socket_listen (socket, error))
    {
      g_unlink (path);
      return NULL;
    }
  return g_steal_pointer (&socket);
}

/**
 * metrics_unix_socket_unlink:
 * @path: where a socket was made
 * @identity: which file it was
 *
 * Removes the file of a socket, unless another one has taken its place.
 */
void
metrics_unix_socket_unlink (const char *path, const MetricsUnixIdentity *identity)
{
  struct stat status;

  if (lstat (path, &status) == 0 && status.st_dev == identity->device && status.st_ino == identity->inode)
    g_unlink (path);
}
