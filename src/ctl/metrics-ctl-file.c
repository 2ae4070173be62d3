/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct _MetricsCtlFile
{
  char *path;      /* (owned): the name that it is to have */
  char *temporary; /* (owned): the name that it has until then, in the same directory */
  int fd;          /* (owned): -1 once it is closed */
};

static gboolean
fail (GError **error, const char *path)
{
  int number = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (number), _ ("cannot write %s: %s"), path,
               g_strerror (number));
  return FALSE;
}

/* Fills in the names. A link stays one: it is the file behind it that is replaced. */
static gboolean
choose_names (MetricsCtlFile *self, const char *path, GError **error)
{
  g_autofree char *directory = NULL;
  g_autofree char *base = NULL;
  g_autofree char *name = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      char *target = realpath (path, NULL);

      if (target == NULL)
        return fail (error, path);
      self->path = g_strdup (target);
      free (target);
    }
  else
    self->path = g_strdup (path);

  directory = g_path_get_dirname (self->path);
  base = g_path_get_basename (self->path);
  name = g_strdup_printf (".%s.XXXXXX", base);
  self->temporary = g_build_filename (directory, name, NULL);
  return TRUE;
}

/* Creates the file under its temporary name. */
static gboolean
create (MetricsCtlFile *self, GError **error)
{
  struct stat status;
  gboolean exists = stat (self->path, &status) == 0;

  if (exists && !S_ISREG (status.st_mode))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, _ ("cannot write %s: not a regular file"),
                   self->path);
      return FALSE;
    }
  self->fd = g_mkstemp_full (self->temporary, O_RDWR | O_CLOEXEC, 0666);
  if (self->fd < 0)
    return fail (error, self->path);
  /* The one that it replaces may have been readable for fewer. */
  if (exists && fchmod (self->fd, status.st_mode & 0777) != 0)
    return fail (error, self->path);
  return TRUE;
}

/**
 * metrics_ctl_file_new:
 * @path: the name that the file is to have
 * @error: return location for a #GError
 *
 * Opens an empty file beside the one that it is to be, or to replace.
 *
 * Returns: (transfer full) (nullable): the file, or %NULL with an error of %G_FILE_ERROR
 */
MetricsCtlFile *
metrics_ctl_file_new (const char *path, GError **error)
{
  g_autoptr (MetricsCtlFile) self = g_new0 (MetricsCtlFile, 1);

  self->fd = -1;
  if (!choose_names (self, path, error) || !create (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * metrics_ctl_file_free:
 * @self: (transfer full) (nullable): a file; where it was not committed, nothing is left of it
 */
void
metrics_ctl_file_free (MetricsCtlFile *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    {
      close (self->fd);
      g_unlink (self->temporary);
    }
  g_free (self->temporary);
  g_free (self->path);
  g_free (self);
}

/**
 * metrics_ctl_file_get_fd:
 * @self: a file that was not committed
 *
 * Returns: its file descriptor, which stays the file's
 */
int
metrics_ctl_file_get_fd (MetricsCtlFile *self)
{
  return self->fd;
}

/* A name is on the disk when the directory is. Some file systems cannot do this, which is no harm here: the
 * content was written before the name. */
static void
sync_directory (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

/**
 * metrics_ctl_file_commit:
 * @self: a file that is complete
 * @error: return location for a #GError
 *
 * Waits until the content is on the disk, then gives the file its name.
 *
 * Returns: %FALSE with an error of %G_FILE_ERROR where that failed; what had the name before still has it
 */
gboolean
metrics_ctl_file_commit (MetricsCtlFile *self, GError **error)
{
  if (fsync (self->fd) != 0 || g_rename (self->temporary, self->path) != 0)
    return fail (error, self->path);
  /* What close() could still complain of, fsync() has found. */
  close (self->fd);
  self->fd = -1;
  sync_directory (self->path);
  return TRUE;
}
