/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a service and its manager have to say to each other, as sd_notify(3), sd_watchdog_enabled(3) and
 * sd_listen_fds(3) describe it: variables of the environment and a datagram, which systemd promises to keep,
 * and others speak as well. libsystemd would do the same, with seven libraries behind it that compress and
 * encrypt, and more than a megabyte resident, an eighth of all that an idle server has. */

/* As the end of all numbers of descriptors, for what nobody passes. */
#define MAX_SOCKETS 65536

static gboolean
parse_number (const char *name, guint64 max, guint64 *number)
{
  const char *text = g_getenv (name);

  return text != NULL && g_ascii_string_to_unsigned (text, 10, 1, max, number, NULL);
}

/* What is inherited from somebody for whom it was meant is not meant for this process. */
static gboolean
is_for_us (const char *pid_name)
{
  guint64 pid = 0;

  return parse_number (pid_name, G_MAXINT, &pid) && (pid_t) pid == getpid ();
}

static gboolean
set_errno (GError **error, int saved_errno)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), g_strerror (saved_errno));
  return FALSE;
}

/* The address is a path, or after @ a name in the kernel's own room. */
static socklen_t
make_address (const char *path, struct sockaddr_un *address)
{
  gsize len = strlen (path);

  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof address->sun_path)
    return 0;
  memcpy (address->sun_path, path, len);
  if (path[0] == '@')
    {
      address->sun_path[0] = '\0';
      return offsetof (struct sockaddr_un, sun_path) + len;
    }
  return offsetof (struct sockaddr_un, sun_path) + len + 1;
}

/**
 * metrics_systemd_notify:
 * @text: assignments, a line each, see sd_notify(3)
 * @error: return location for a #GError
 *
 * Tells the service manager, where there is one that listens. Waits while it has not read what was told
 * before; from any thread.
 *
 * Returns: %FALSE where it listens and cannot be told
 */
gboolean
metrics_systemd_notify (const char *text, GError **error)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  gsize len = strlen (text);
  struct sockaddr_un address;
  socklen_t address_len;
  gssize sent;
  int saved_errno;
  int fd;

  if (path == NULL)
    return TRUE;
  address_len = make_address (path, &address);
  if (address_len == 0)
    return set_errno (error, EINVAL);
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return set_errno (error, errno);
  do
    sent = sendto (fd, text, len, MSG_NOSIGNAL, (struct sockaddr *) &address, address_len);
  while (sent < 0 && errno == EINTR);
  saved_errno = errno;
  close (fd);
  return sent >= 0 || set_errno (error, saved_errno);
}

/**
 * metrics_systemd_get_watchdog_time:
 *
 * Returns: microseconds within which the service manager wants to hear something, each time; 0 where it does
 * not
 */
guint64
metrics_systemd_get_watchdog_time (void)
{
  guint64 usec = 0;

  if (g_getenv ("WATCHDOG_PID") != NULL && !is_for_us ("WATCHDOG_PID"))
    return 0;
  return parse_number ("WATCHDOG_USEC", G_MAXUINT64 - 1, &usec) ? usec : 0;
}

/**
 * metrics_systemd_has_sockets:
 *
 * Returns: whether any were passed to this process, and nobody has taken them yet
 */
gboolean
metrics_systemd_has_sockets (void)
{
  guint64 n = 0;

  return is_for_us ("LISTEN_PID") && parse_number ("LISTEN_FDS", MAX_SOCKETS, &n);
}

/* One for each; where the manager says none it is "unknown", as there. */
static GStrv
make_names (guint n)
{
  const char *text = g_getenv ("LISTEN_FDNAMES");
  g_autoptr (GStrvBuilder) builder = NULL;

  if (text != NULL)
    return g_strsplit (text, ":", -1);
  builder = g_strv_builder_new ();
  for (guint i = 0; i < n; i++)
    g_strv_builder_add (builder, "unknown");
  return g_strv_builder_end (builder);
}

static gboolean
read_sockets (GStrv *names, GError **error)
{
  g_auto (GStrv) all = NULL;
  guint64 n = 0;

  if (g_getenv ("LISTEN_PID") == NULL || g_getenv ("LISTEN_FDS") == NULL)
    return TRUE;
  if (!parse_number ("LISTEN_PID", G_MAXINT, &n))
    return set_errno (error, EINVAL);
  if (!is_for_us ("LISTEN_PID"))
    return TRUE;
  if (!parse_number ("LISTEN_FDS", MAX_SOCKETS, &n))
    return set_errno (error, EINVAL);
  all = make_names (n);
  if (g_strv_length (all) != n)
    return set_errno (error, EINVAL);
  /* Programs that this one starts get none of them. */
  for (guint i = 0; i < n; i++)
    if (fcntl (METRICS_SYSTEMD_FIRST_FD + i, F_SETFD, FD_CLOEXEC) < 0)
      return set_errno (error, errno);
  *names = g_steal_pointer (&all);
  return TRUE;
}

/**
 * metrics_systemd_take_sockets:
 * @names: (out) (transfer full) (nullable): the names of the sockets that were passed, from descriptor
 *   %METRICS_SYSTEMD_FIRST_FD on; %NULL where there are none
 * @error: return location for a #GError
 *
 * Takes the sockets that were passed to this process. The variables are unset, for nobody else may take the
 * same descriptors for theirs: so it is to be called once, before there are threads.
 *
 * Returns: %FALSE where the variables make no sense
 */
gboolean
metrics_systemd_take_sockets (GStrv *names, GError **error)
{
  gboolean good;

  *names = NULL;
  good = read_sockets (names, error);
  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDS");
  g_unsetenv ("LISTEN_FDNAMES");
  return good;
}
