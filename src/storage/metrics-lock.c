/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-lock.h"

#include "common/metrics-log.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <sys/file.h>
#include <unistd.h>

/* SQLite's own locks last for a transaction; this one lasts as long as the server. The kernel drops it with
 * the process, however that ends, so the file itself may stay.
 *
 * A server that starts while another one is just leaving waits for it: who calls a name on the bus that has
 * been given up gets a new server, while the old one still writes what it was told. flock() knows no time
 * after which it gives up, but for a signal, and signals are not a library's; so it is asked again and again.
 * Nothing else goes on in the process by then, and a signal ends it at once. */

#define SHORTEST_PAUSE (G_TIME_SPAN_MILLISECOND)
#define LONGEST_PAUSE (20 * G_TIME_SPAN_MILLISECOND)
/* A server that leaves takes less than that, as a rule, and nothing has to be said. */
#define PATIENCE (G_TIME_SPAN_SECOND)

static gboolean
wait_for_lock (int fd, const char *folder, gint64 timeout)
{
  gint64 begin = g_get_monotonic_time ();
  gint64 pause = SHORTEST_PAUSE;
  gboolean said = FALSE;

  while (flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      gint64 passed = g_get_monotonic_time () - begin;

      if (errno != EWOULDBLOCK)
        return FALSE;
      if (passed >= timeout)
        {
          errno = EWOULDBLOCK;
          return FALSE;
        }
      if (passed >= PATIENCE && !said)
        {
          said = TRUE;
          metrics_log (METRICS_EVENT_FOLDER_AWAITED, METRICS_FIELDS (METRICS_TEXT (FILE, folder)),
                       _ ("waiting for another server to leave '%s'"), folder);
        }
      g_usleep (MIN (pause, timeout - passed));
      pause = MIN (pause * 2, LONGEST_PAUSE);
    }
  return TRUE;
}

/**
 * metrics_lock_take:
 * @folder: where the files are
 * @timeout: how long to wait for another server to leave it, in microseconds
 * @error: return location for a #GError
 *
 * Keeps other servers off a folder. It blocks until then.
 *
 * Returns: what metrics_lock_release() takes, or -1 where another server has the folder
 */
int
metrics_lock_take (const char *folder, gint64 timeout, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "lock", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int saved_errno;

  if (fd >= 0 && wait_for_lock (fd, folder, timeout))
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
