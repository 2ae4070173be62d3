/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "faulty-vfs.h"

#include <sqlite3.h>
#include <string.h>

/* The real VFS opens files; their methods are then replaced by a copy in which some can fail. */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static const sqlite3_io_methods *real_methods;

/* Files with locks and those without have methods of their own, which write alike. */
static const sqlite3_io_methods *known[4];
static sqlite3_io_methods methods[4];

/* Calls come from the thread that writes, too. */
static gint n_calls;
static gint fail_at;
static gint fail_all;

static gboolean
fails (void)
{
  gint n = g_atomic_int_add (&n_calls, 1) + 1;
  gint at = g_atomic_int_get (&fail_at);

  return at > 0 && (n == at || (n > at && g_atomic_int_get (&fail_all)));
}

static int
faulty_write (sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
  /* Half of it gets there, as on a full disk. */
  if (fails ())
    return real_methods->xWrite (file, data, size / 2, offset) == SQLITE_OK ? SQLITE_FULL
                                                                            : SQLITE_IOERR_WRITE;
  return real_methods->xWrite (file, data, size, offset);
}

static int
faulty_sync (sqlite3_file *file, int flags)
{
  return fails () ? SQLITE_IOERR_FSYNC : real_methods->xSync (file, flags);
}

static int
faulty_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  return fails () ? SQLITE_IOERR_TRUNCATE : real_methods->xTruncate (file, size);
}

static const sqlite3_io_methods *
wrap (const sqlite3_io_methods *real)
{
  guint i = 0;

  while (known[i] != NULL && known[i] != real)
    g_assert_cmpuint (++i, <, G_N_ELEMENTS (known));
  if (known[i] == real)
    return &methods[i];
  if (real_methods == NULL)
    real_methods = real;
  g_assert_true (real->xWrite == real_methods->xWrite && real->xSync == real_methods->xSync
                 && real->xTruncate == real_methods->xTruncate);
  known[i] = real;
  methods[i] = *real;
  methods[i].xWrite = faulty_write;
  methods[i].xSync = faulty_sync;
  methods[i].xTruncate = faulty_truncate;
  return &methods[i];
}

static int
faulty_open (sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
  int result;

  if (fails ())
    {
      file->pMethods = NULL;
      return SQLITE_CANTOPEN;
    }
  result = real_vfs->xOpen (real_vfs, name, file, flags, out_flags);
  if (file->pMethods == NULL)
    return result;
  file->pMethods = wrap (file->pMethods);
  return result;
}

void
faulty_vfs_install (void)
{
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.xOpen = faulty_open;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, TRUE), ==, SQLITE_OK);
}

void
faulty_vfs_fail_at (gint n, gboolean all_following)
{
  g_atomic_int_set (&n_calls, 0);
  g_atomic_int_set (&fail_all, all_following);
  g_atomic_int_set (&fail_at, n);
}

/* Returns: how many calls there were */
gint
faulty_vfs_stop (void)
{
  g_atomic_int_set (&fail_at, 0);
  return g_atomic_int_get (&n_calls);
}
