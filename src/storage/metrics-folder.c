/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-folder.h"

#include "storage/metrics-database.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files around a database, and what has to be there before SQLite opens it. */

/**
 * metrics_folder_ensure:
 * @folder: where the files are to be
 * @error: return location for a #GError
 *
 * Makes the folder where there is none. SQLite syncs what is in it, but not its name: a loss of power could
 * take all of it.
 *
 * Returns: whether it is there
 */
gboolean
metrics_folder_ensure (const char *folder, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (folder);
  int fd;

  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_mkdir_with_parents (folder, 0700) < 0)
    {
      int saved_errno = errno;
      g_autofree char *name = g_filename_display_name (folder);

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                   _ ("cannot make the folder '%s': %s"), name, g_strerror (saved_errno));
      return FALSE;
    }
  fd = g_open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
  return TRUE;
}

/* An empty file is a new one for SQLite, which then deletes a write-ahead log that is there. */
static gboolean
has_lost_file (int fd, const char *path, GError **error)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  struct stat file;
  struct stat log;

  if (fstat (fd, &file) < 0 || file.st_size > 0 || stat (log_path, &log) < 0 || log.st_size == 0)
    return FALSE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("'%s' is empty, but '%s' is not: both have to be there, or none"), path, log_path);
  metrics_database_add_advice (error);
  return TRUE;
}

/**
 * metrics_folder_ensure_file:
 * @path: a database
 * @error: return location for a #GError
 *
 * Makes the file where there is none, for nobody else to read: SQLite would let everybody, and gives the
 * files that it makes beside it the same rights. Whoever may not write it learns of it here and not at the
 * first commit.
 *
 * Returns: whether it can be opened
 */
gboolean
metrics_folder_ensure_file (const char *path, GError **error)
{
  int fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int saved_errno = errno;

  if (fd >= 0)
    {
      gboolean good = !has_lost_file (fd, path, error);

      close (fd);
      return good;
    }
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "'%s': %s", path,
               g_strerror (saved_errno));
  return FALSE;
}

static guint64
get_file_size (const char *path)
{
  GStatBuf about;

  return g_stat (path, &about) == 0 ? about.st_size : 0;
}

/**
 * metrics_folder_get_size:
 * @path: a database
 *
 * Returns: how many bytes it has on disk, its write-ahead log included
 */
guint64
metrics_folder_get_size (const char *path)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);

  return get_file_size (path) + get_file_size (log_path);
}
