/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "faulty-vfs.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

/* The real VFS opens files; their methods are then replaced by a copy in which some can fail. */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static const sqlite3_io_methods *real_methods;
/* Those of a database: it has locks and shared memory. What counts writes may have put itself before them. */
static const sqlite3_io_methods *real_main;

/* Files with locks and those without have methods of their own, which write alike. */
static const sqlite3_io_methods *known[4];
static sqlite3_io_methods methods[4];

/* Calls come from the thread that writes, too. */
static gint kinds_that_fail;
static gint n_calls;
static gint fail_at;
static gint fail_all;
static char *reserve; /* (owned) (nullable): no file grows while this one has something */

static gboolean
fails (FaultyKinds kind)
{
  gint n;
  gint at = g_atomic_int_get (&fail_at);

  if (!(g_atomic_int_get (&kinds_that_fail) & kind))
    return FALSE;
  n = g_atomic_int_add (&n_calls, 1) + 1;
  return at > 0 && (n == at || (n > at && g_atomic_int_get (&fail_all)));
}

/* Whether a write goes beyond the end of a file while there is no space. */
static gboolean
lacks_space (sqlite3_file *file, sqlite3_int64 end)
{
  const char *path = g_atomic_pointer_get (&reserve);
  sqlite3_int64 size = 0;
  GStatBuf attributes;

  if (path == NULL || g_stat (path, &attributes) < 0 || attributes.st_size == 0)
    return FALSE;
  real_methods->xFileSize (file, &size);
  return end > size;
}

static int
faulty_write (sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
  if (lacks_space (file, offset + size))
    return SQLITE_FULL;
  /* Half of it gets there, as on a full disk. */
  if (fails (FAULTY_WRITES))
    return real_methods->xWrite (file, data, size / 2, offset) == SQLITE_OK ? SQLITE_FULL
                                                                            : SQLITE_IOERR_WRITE;
  return real_methods->xWrite (file, data, size, offset);
}

static int
faulty_sync (sqlite3_file *file, int flags)
{
  return fails (FAULTY_WRITES) ? SQLITE_IOERR_FSYNC : real_methods->xSync (file, flags);
}

static int
faulty_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  return fails (FAULTY_WRITES) ? SQLITE_IOERR_TRUNCATE : real_methods->xTruncate (file, size);
}

static int
faulty_read (sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
  return fails (FAULTY_READS) ? SQLITE_IOERR_READ : real_methods->xRead (file, data, size, offset);
}

static int
faulty_lock (sqlite3_file *file, int level)
{
  return fails (FAULTY_READS) ? SQLITE_IOERR_LOCK : real_main->xLock (file, level);
}

static int
faulty_shm_map (sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
  return fails (FAULTY_READS) ? SQLITE_IOERR_SHMMAP : real_main->xShmMap (file, page, size, extend, memory);
}

static int
faulty_shm_lock (sqlite3_file *file, int offset, int n, int flags)
{
  /* What was locked can always be unlocked. */
  return !(flags & SQLITE_SHM_UNLOCK) && fails (FAULTY_READS) ? SQLITE_IOERR_SHMLOCK
                                                              : real_main->xShmLock (file, offset, n, flags);
}

static int
faulty_delete (sqlite3_vfs *self, const char *name, int syncs_folder)
{
  return fails (FAULTY_READS) ? SQLITE_IOERR_DELETE : real_vfs->xDelete (real_vfs, name, syncs_folder);
}

static const sqlite3_io_methods *
wrap (const sqlite3_io_methods *real, gboolean is_main)
{
  guint i = 0;

  while (known[i] != NULL && known[i] != real)
    g_assert_cmpuint (++i, <, G_N_ELEMENTS (known));
  if (known[i] == real)
    return &methods[i];
  if (real_methods == NULL)
    real_methods = real;
  g_assert_true (!is_main || real_main == NULL);
  if (is_main)
    real_main = real;
  g_assert_true (real->xWrite == real_methods->xWrite && real->xSync == real_methods->xSync
                 && real->xTruncate == real_methods->xTruncate && real->xRead == real_methods->xRead);
  known[i] = real;
  methods[i] = *real;
  methods[i].xWrite = faulty_write;
  methods[i].xSync = faulty_sync;
  methods[i].xTruncate = faulty_truncate;
  methods[i].xRead = faulty_read;
  if (is_main)
    {
      methods[i].xLock = faulty_lock;
      methods[i].xShmMap = faulty_shm_map;
      methods[i].xShmLock = faulty_shm_lock;
    }
  return &methods[i];
}

static int
faulty_open (sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
  int result;

  if (fails (FAULTY_WRITES))
    {
      file->pMethods = NULL;
      return SQLITE_CANTOPEN;
    }
  result = real_vfs->xOpen (real_vfs, name, file, flags, out_flags);
  if (file->pMethods == NULL)
    return result;
  file->pMethods = wrap (file->pMethods, flags & SQLITE_OPEN_MAIN_DB);
  return result;
}

void
faulty_vfs_install (void)
{
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.xOpen = faulty_open;
  vfs.xDelete = faulty_delete;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, TRUE), ==, SQLITE_OK);
}

void
faulty_vfs_fail_at (FaultyKinds kinds, gint n, gboolean all_following)
{
  g_atomic_int_set (&n_calls, 0);
  g_atomic_int_set (&kinds_that_fail, kinds);
  g_atomic_int_set (&fail_all, all_following);
  g_atomic_int_set (&fail_at, n);
}

/* From now on no file grows but while another one is empty, which holds all the space that there is. */
void
faulty_vfs_fill (const char *path)
{
  g_atomic_pointer_set (&reserve, g_strdup (path));
}

/* Returns: how many calls there were */
gint
faulty_vfs_stop (void)
{
  g_atomic_int_set (&fail_at, 0);
  g_free (g_atomic_pointer_get (&reserve));
  g_atomic_pointer_set (&reserve, NULL);
  return g_atomic_int_get (&n_calls);
}
