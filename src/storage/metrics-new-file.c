/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For renameat2(). */
#define _GNU_SOURCE

#include "config.h"

#include "storage/metrics-new-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* Whoever finds a file under its name may rely on it: it is written under another one, is on disk before it
 * is renamed, and takes the place of nothing. A process that is killed leaves at most the other name, which
 * says what it is. */

struct _MetricsNewFile
{
  char *path;      /* (owned): what it will be called */
  char *temporary; /* (owned) (nullable): what it is called; %NULL when there is none any more */
  int fd;
};

static gboolean
set_error (GError **error, const char *path, int code)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "'%s': %s", path, g_strerror (code));
  return FALSE;
}

/**
 * metrics_new_file_begin:
 * @path: (type filename): a name in a folder that is there, and that nothing has
 * @error: return location for a #GError
 *
 * Makes an empty file beside it, for nobody else to read.
 *
 * Returns: (transfer full) (nullable): it
 */
MetricsNewFile *
metrics_new_file_begin (const char *path, GError **error)
{
  g_autoptr (MetricsNewFile) self = g_new0 (MetricsNewFile, 1);
  GStatBuf status;
  int code;

  self->fd = -1;
  self->path = g_strdup (path);
  if (g_lstat (path, &status) == 0)
    {
      set_error (error, path, EEXIST);
      return NULL;
    }
  self->temporary = g_strconcat (path, ".part-XXXXXX", NULL);
  self->fd = g_mkstemp_full (self->temporary, O_RDWR | O_CLOEXEC, 0600);
  code = errno;
  if (self->fd >= 0)
    return g_steal_pointer (&self);
  g_clear_pointer (&self->temporary, g_free);
  set_error (error, path, code);
  return NULL;
}

/**
 * metrics_new_file_get_path:
 * @self: a new file
 *
 * Returns: (transfer none) (type filename): what it is called until it is finished
 */
const char *
metrics_new_file_get_path (MetricsNewFile *self)
{
  return self->temporary;
}

/* Returns: 0, or what was wrong as in errno */
static int
rename_to_free_name (const char *from, const char *to)
{
  GStatBuf status;

  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return 0;
  /* Some file systems know no such thing. */
  if (errno != EINVAL && errno != ENOSYS)
    return errno;
  if (g_lstat (to, &status) == 0)
    return EEXIST;
  return g_rename (from, to) == 0 ? 0 : errno;
}

/* So that the name is there after a loss of power, too. */
static int
sync_folder_of (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int code = fd < 0 || fsync (fd) < 0 ? errno : 0;

  if (fd >= 0)
    close (fd);
  /* There are file systems that cannot, and do not need it. */
  return code == EINVAL ? 0 : code;
}

/**
 * metrics_new_file_finish:
 * @self: a new file that is written and that nobody has open
 * @error: return location for a #GError
 *
 * Brings it to the disk and gives it its name.
 *
 * Returns: %FALSE where that is not possible, or where something else has the name by now
 */
gboolean
metrics_new_file_finish (MetricsNewFile *self, GError **error)
{
  int code = fsync (self->fd) == 0 ? 0 : errno;

  if (code == 0)
    code = rename_to_free_name (self->temporary, self->path);
  if (code != 0)
    return set_error (error, self->path, code);
  g_clear_pointer (&self->temporary, g_free);
  code = sync_folder_of (self->path);
  return code == 0 || set_error (error, self->path, code);
}

/**
 * metrics_new_file_free:
 * @self: (transfer full) (nullable): a new file
 *
 * Frees it. Where it is not finished nothing is left of it.
 */
void
metrics_new_file_free (MetricsNewFile *self)
{
  static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

  if (self == NULL)
    return;
  for (guint i = 0; self->temporary != NULL && i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = g_strconcat (self->temporary, suffixes[i], NULL);

      g_unlink (path);
    }
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->temporary);
  g_free (self->path);
  g_free (self);
}
