/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <sys/file.h>
#include <unistd.h>

/* SQLite's own locks last for a transaction; this one lasts as long as the server. The kernel drops it with
 * the process, however that ends, so the file itself may stay. */

/**
 * metrics_lock_take:
 * @folder: where the files are
 * @error: return location for a #GError
 *
 * Keeps other servers off a folder.
 *
 * Returns: what metrics_lock_release() takes, or -1 where another server has the folder
 */
int
metrics_lock_take (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "lock", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int saved_errno;

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  saved_errno = errno;
  if (fd >= 0)
    close (fd);
  if (fd >= 0 && saved_errno == EWOULDBLOCK)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, _ ("'%s' is in use by another server"), folder);
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "'%s': %s", path,
                 g_strerror (saved_errno));
  return -1;
}

/**
 * metrics_lock_release:
 * @fd: what metrics_lock_take() has returned
 *
 * Leaves the folder to others.
 */
void
metrics_lock_release (int fd)
{
  if (fd >= 0)
    close (fd);
}
