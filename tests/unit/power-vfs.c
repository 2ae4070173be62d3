/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "power-vfs.h"

#include <sqlite3.h>
#include <string.h>

/* The real VFS does the work, but for the syncs; beside that, all that a disk would have to do is noted.
 *
 * After a loss of power a file has what was synced, and of what was done since any part, in any order, of
 * each write any sectors. The names in the folder are synced with the first sync of a journal that was made,
 * and where a deletion asks for it; of what was done to a name since, any state may be there. What processes
 * share in memory is gone. */

#define SECTOR 512

typedef struct
{
  gint64 offset; /* or the new size */
  GBytes *data;  /* (owned) (nullable): none where the file is cut */
} Operation;

typedef struct
{
  GByteArray *synced;    /* (owned) */
  GPtrArray *operations; /* (owned) (element-type Operation): since then */
  gboolean syncs_folder; /* at its next sync */
} Inode;

static sqlite3_vfs *real_vfs;
static GHashTable
    *real_of_files; /* (element-type sqlite3_file sqlite3_io_methods): how each was to be called */
static sqlite3_vfs vfs;
static const sqlite3_io_methods *real_methods;
static const sqlite3_io_methods *known[4];
static sqlite3_io_methods methods[4];

static GMutex mutex;       /* guards what follows */
static char *folder;       /* (owned) (nullable): what is recorded */
static GHashTable *names;  /* (owned) (element-type utf8 GPtrArray): each the states since the last sync */
static GHashTable *files;  /* (owned) (element-type sqlite3_file Inode): open ones */
static GPtrArray *inodes;  /* (owned) (element-type Inode) */
static PowerFunc callback; /* called before each operation */
static gpointer callback_data;
static guint n_operations;

static void
operation_free (Operation *self)
{
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self);
}

static void
inode_free (Inode *self)
{
  g_byte_array_unref (self->synced);
  g_ptr_array_unref (self->operations);
  g_free (self);
}

static Inode *
inode_new (gboolean syncs_folder)
{
  Inode *self = g_new0 (Inode, 1);

  self->synced = g_byte_array_new ();
  self->operations = g_ptr_array_new_with_free_func ((GDestroyNotify) operation_free);
  self->syncs_folder = syncs_folder;
  g_ptr_array_add (inodes, self);
  return self;
}

/* Does to a file what is left of an operation; where there is chance, of each sector. */
static void
apply (GByteArray *content, const Operation *operation, GRand *random)
{
  gsize size;
  const guint8 *data;
  gsize old_size = content->len;

  if (operation->data == NULL)
    {
      g_byte_array_set_size (content, operation->offset);
      if (content->len > old_size)
        memset (content->data + old_size, 0, content->len - old_size);
      return;
    }
  data = g_bytes_get_data (operation->data, &size);
  for (gsize done = 0; done < size;)
    {
      gsize at = operation->offset + done;
      gsize n = MIN (size - done, SECTOR - at % SECTOR);

      if (random == NULL || g_rand_boolean (random))
        {
          old_size = content->len;
          if (at + n > old_size)
            {
              g_byte_array_set_size (content, at + n);
              memset (content->data + old_size, 0, at + n - old_size);
            }
          memcpy (content->data + at, data + done, n);
        }
      done += n;
    }
}

static Inode *
get_current (GPtrArray *states)
{
  return states->pdata[states->len - 1];
}

static void
sync_folder (void)
{
  GHashTableIter iter;
  gpointer states;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, NULL, &states))
    g_ptr_array_remove_range (states, 0, ((GPtrArray *) states)->len - 1);
}

/* Returns: (transfer none) (nullable): the states of a file that is recorded */
static GPtrArray *
find_states (const char *path)
{
  GPtrArray *states;
  const char *name;

  if (folder == NULL || path == NULL || !g_str_has_prefix (path, folder) || path[strlen (folder)] != '/')
    return NULL;
  name = path + strlen (folder) + 1;
  states = g_hash_table_lookup (names, name);
  if (states == NULL)
    {
      states = g_ptr_array_new ();
      g_ptr_array_add (states, NULL);
      g_hash_table_insert (names, g_strdup (name), states);
    }
  return states;
}

/* Before each operation: the power may go now. */
static void
tick (void)
{
  n_operations++;
  if (callback != NULL)
    callback (n_operations, callback_data);
}

static void
note_change (sqlite3_file *file, gint64 offset, GBytes *data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);
  Inode *inode = files != NULL ? g_hash_table_lookup (files, file) : NULL;
  Operation *operation;

  if (inode == NULL)
    {
      g_clear_pointer (&data, g_bytes_unref);
      return;
    }
  tick ();
  operation = g_new (Operation, 1);
  operation->offset = offset;
  operation->data = data;
  g_ptr_array_add (inode->operations, operation);
}

static int
power_write (sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
  note_change (file, offset, g_bytes_new (data, size));
  return real_methods->xWrite (file, data, size, offset);
}

static int
power_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  note_change (file, size, NULL);
  return real_methods->xTruncate (file, size);
}

static int
power_sync (sqlite3_file *file, int flags)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);
  Inode *inode = files != NULL ? g_hash_table_lookup (files, file) : NULL;

  if (inode == NULL)
    return SQLITE_OK;
  tick ();
  for (guint i = 0; i < inode->operations->len; i++)
    apply (inode->synced, inode->operations->pdata[i], NULL);
  g_ptr_array_set_size (inode->operations, 0);
  if (inode->syncs_folder)
    sync_folder ();
  inode->syncs_folder = FALSE;
  return SQLITE_OK;
}

static int
power_close (sqlite3_file *file)
{
  const sqlite3_io_methods *real;

  g_mutex_lock (&mutex);
  if (files != NULL)
    g_hash_table_remove (files, file);
  real = g_hash_table_lookup (real_of_files, file);
  g_hash_table_remove (real_of_files, file);
  g_mutex_unlock (&mutex);
  /* Files with locks are closed otherwise than those without. */
  return real->xClose (file);
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
  g_assert_true (real->xWrite == real_methods->xWrite && real->xTruncate == real_methods->xTruncate);
  known[i] = real;
  methods[i] = *real;
  methods[i].xWrite = power_write;
  methods[i].xTruncate = power_truncate;
  methods[i].xSync = power_sync;
  methods[i].xClose = power_close;
  return &methods[i];
}

static int
power_open (sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
  int result = real_vfs->xOpen (real_vfs, name, file, flags, out_flags);
  g_autoptr (GMutexLocker) locker = NULL;
  GPtrArray *states;

  if (file->pMethods == NULL)
    return result;
  locker = g_mutex_locker_new (&mutex);
  g_hash_table_insert (real_of_files, file, (gpointer) file->pMethods);
  file->pMethods = wrap (file->pMethods);
  states = find_states (name);
  if (states == NULL)
    return result;
  if (get_current (states) == NULL)
    {
      tick ();
      g_ptr_array_add (states, inode_new ((flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0));
    }
  g_hash_table_insert (files, file, get_current (states));
  return result;
}

static int
power_delete (sqlite3_vfs *self, const char *name, int syncs_folder)
{
  g_mutex_lock (&mutex);
  {
    GPtrArray *states = find_states (name);

    if (states != NULL)
      {
        tick ();
        g_ptr_array_add (states, NULL);
        if (syncs_folder)
          sync_folder ();
      }
  }
  g_mutex_unlock (&mutex);
  return real_vfs->xDelete (real_vfs, name, FALSE);
}

void
power_vfs_install (void)
{
  real_of_files = g_hash_table_new (NULL, NULL);
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "power";
  vfs.xOpen = power_open;
  vfs.xDelete = power_delete;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, TRUE), ==, SQLITE_OK);
}

/* From now on, in an empty folder. The function is called before each operation, in the thread that does it;
 * it may call power_vfs_lose(). */
void
power_vfs_record (const char *path, PowerFunc func, gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);

  folder = g_strdup (path);
  names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  files = g_hash_table_new (NULL, NULL);
  inodes = g_ptr_array_new_with_free_func ((GDestroyNotify) inode_free);
  callback = func;
  callback_data = user_data;
  n_operations = 0;
}

/* Returns: how many operations there were */
guint
power_vfs_stop (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);

  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&names, g_hash_table_unref);
  g_clear_pointer (&files, g_hash_table_unref);
  g_clear_pointer (&inodes, g_ptr_array_unref);
  callback = NULL;
  return n_operations;
}

static void
shuffle (GPtrArray *array, GRand *random)
{
  for (guint i = array->len; i > 1; i--)
    {
      guint j = g_rand_int_range (random, 0, i);
      gpointer other = array->pdata[j];

      array->pdata[j] = array->pdata[i - 1];
      array->pdata[i - 1] = other;
    }
}

/* What became of operations, from the kindest to the worst. */
typedef enum
{
  FATE_ALL,
  FATE_NONE,
  FATE_FIRST,
  FATE_SOME,
  FATE_TORN,
  FATE_REORDERED,
  N_FATES,
} Fate;

static void
lose_some (const Inode *inode, GRand *random, GByteArray *content)
{
  Fate fate = g_rand_int_range (random, 0, N_FATES);
  g_autoptr (GPtrArray) left = g_ptr_array_new ();
  guint n = inode->operations->len;

  if (fate == FATE_NONE)
    n = 0;
  else if (fate == FATE_FIRST)
    n = g_rand_int_range (random, 0, n + 1);
  for (guint i = 0; i < n; i++)
    if (fate < FATE_SOME || g_rand_boolean (random))
      g_ptr_array_add (left, inode->operations->pdata[i]);
  if (fate == FATE_REORDERED)
    shuffle (left, random);
  for (guint i = 0; i < left->len; i++)
    apply (content, left->pdata[i], fate >= FATE_TORN && g_rand_boolean (random) ? random : NULL);
}

/* Writes into a folder what a loss of power at this moment leaves of the one that is recorded. */
void
power_vfs_lose (GRand *random, const char *target)
{
  GHashTableIter iter;
  gpointer name;
  gpointer value;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      GPtrArray *states = value;
      const Inode *inode = states->pdata[g_rand_int_range (random, 0, states->len)];
      g_autoptr (GByteArray) content = g_byte_array_new ();
      g_autofree char *path = g_build_filename (target, name, NULL);
      g_autoptr (GError) error = NULL;

      if (inode == NULL)
        continue;
      g_byte_array_append (content, inode->synced->data, inode->synced->len);
      lose_some (inode, random, content);
      g_file_set_contents_full (path, (const char *) content->data, content->len, G_FILE_SET_CONTENTS_NONE,
                                0600, &error);
      g_assert_no_error (error);
    }
}
