/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-collector-names.h"
#include "ctl/metrics-collector-private.h"

#include <gio/gunixmounts.h>
#include <string.h>
#include <sys/statvfs.h>

/* So many file systems are read, and no more. */
#define FILE_SYSTEMS_MAX 256

/* Kept on no block device, or on a device of another kind, and yet real. */
static const char *const real_types[] = { "bcachefs", "jffs2", "ubifs", "zfs", NULL };

/* Images, which are full by nature. */
static const char *const image_types[] = { "cramfs", "erofs", "iso9660", "romfs", "squashfs", "udf", NULL };

/* The kernel's list of types that need no block device, a set that owns them. Network file systems are on it:
 * they are left out, for asking a server that is gone for its free space blocks without end. */
static GHashTable *
read_nodev_types (void)
{
  GHashTable *types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/filesystems", &text, NULL, NULL))
    return types;
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "nodev\t"))
      g_hash_table_add (types, g_strdup (lines[i] + strlen ("nodev\t")));
  return types;
}

/* A file that is mounted over another one is not a file system's place. */
static gboolean
is_real (GUnixMountEntry *mount, GHashTable *nodev_types)
{
  const char *path = g_unix_mount_get_mount_path (mount);
  const char *type = g_unix_mount_get_fs_type (mount);
  g_autofree char *family = NULL;

  if (g_strv_contains (image_types, type))
    return FALSE;

  /* `fuse.sshfs` is listed as `fuse`. */
  family = g_strndup (type, strcspn (type, "."));
  return (!g_hash_table_contains (nodev_types, family) || g_strv_contains (real_types, type))
         && g_file_test (path, G_FILE_TEST_IS_DIR);
}

/* Short paths first: of the places at which a device is mounted the first one is taken. */
static int
compare_paths (gconstpointer a, gconstpointer b)
{
  const char *path_a = g_unix_mount_get_mount_path ((GUnixMountEntry *) a);
  const char *path_b = g_unix_mount_get_mount_path ((GUnixMountEntry *) b);
  gsize len_a = strlen (path_a), len_b = strlen (path_b);

  return len_a != len_b ? (len_a < len_b ? -1 : 1) : strcmp (path_a, path_b);
}

/* As df(1) counts: what only root may use is neither free nor used, and not part of what 100 per cent are.
 * statvfs() says it all; libgtop looks for the device in /etc/mtab besides, and complains where that is
 * missing. */
static void
read_file_system (MetricsCollector *self, const char *path, GHashTable *taken)
{
  g_autofree char *component = NULL;
  const char *claimed;
  struct statvfs usage;
  double block, used;

  if (statvfs (path, &usage) != 0 || usage.f_blocks == 0)
    return;
  component = metrics_collector_mount_component (path);
  claimed = metrics_collector_claim_component (taken, component);

  block = usage.f_frsize;
  used = (double) usage.f_blocks - usage.f_bfree;
  metrics_collector_emit (self, usage.f_blocks * block, "fs.%s.size_bytes", claimed);
  metrics_collector_emit (self, used * block, "fs.%s.used_bytes", claimed);
  metrics_collector_emit (self, usage.f_bavail * block, "fs.%s.free_bytes", claimed);
  metrics_collector_emit_percent (self, used, used + usage.f_bavail, "fs.%s.used_percent", claimed);
}

/**
 * metrics_collector_read_file_systems:
 * @self: a collector
 *
 * Hands out how full the real file systems are, each once.
 */
void
metrics_collector_read_file_systems (MetricsCollector *self)
{
  g_autoptr (GHashTable) nodev_types = read_nodev_types ();
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) paths = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) devices = g_hash_table_new (g_str_hash, g_str_equal);
  GList *mounts;

  /* The root is asked for whatever it is: an overlay (a container), a share (a virtual machine), or on no
   * list at all (a changed root), it is what its user thinks of as the disk. */
  read_file_system (self, "/", taken);

  /* Not libgtop's list, which cuts paths at 79 bytes. The last one that was mounted at a path is the one that
   * is seen there, and the sort is stable. */
  mounts = g_list_sort (g_list_reverse (g_unix_mounts_get (NULL)), compare_paths);
  for (GList *l = mounts; l != NULL && g_hash_table_size (taken) < FILE_SYSTEMS_MAX; l = l->next)
    {
      const char *path = g_unix_mount_get_mount_path (l->data);

      gboolean is_root = strcmp (path, "/") == 0;

      if (g_hash_table_add (paths, (gpointer) path) && (is_root || is_real (l->data, nodev_types))
          && g_hash_table_add (devices, (gpointer) g_unix_mount_get_device_path (l->data)) && !is_root)
        read_file_system (self, path, taken);
    }
  g_list_free_full (mounts, (GDestroyNotify) g_unix_mount_free);
}
