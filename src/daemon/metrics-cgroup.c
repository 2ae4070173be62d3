/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-cgroup.h"

#include <string.h>

/* The parts of a line of /proc/self/mountinfo that matter here, see proc(5). */
typedef struct
{
  const char *root;    /* (unowned): the group that is seen at the mount point */
  const char *point;   /* (unowned) */
  const char *type;    /* (unowned) */
  const char *options; /* (unowned): of the file system: for the first version, its controllers */
} Mount;

enum
{
  MOUNT_ROOT = 3,
  MOUNT_POINT = 4,
  MOUNT_OPTIONAL = 6,
};

/* Takes the words of a line apart; between the optional ones and the type stands a dash. */
static gboolean
mount_init (Mount *self, GStrv words)
{
  guint n_words = g_strv_length (words);
  guint dash = MOUNT_OPTIONAL;

  while (dash < n_words && strcmp (words[dash], "-") != 0)
    dash++;
  if (dash + 3 >= n_words)
    return FALSE;
  *self = (Mount){
    .root = words[MOUNT_ROOT],
    .point = words[MOUNT_POINT],
    .type = words[dash + 1],
    .options = words[dash + 3],
  };
  return TRUE;
}

static gboolean
has_controller (const char *list, const char *controller)
{
  g_auto (GStrv) words = g_strsplit (list, ",", -1);

  return g_strv_contains ((const char *const *) words, controller);
}

static char *
read_text (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  /* What is not there sets no limit. */
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

/* A file of one number; where there is no limit, the second version says `max` and the first one says a
 * number near the largest. */
static guint64
read_limit (const char *folder, const char *name)
{
  g_autofree char *text = read_text (folder, name);
  guint64 limit;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &limit, NULL))
    return G_MAXUINT64;
  return limit;
}

/* The least limit of a group and of all that it lies in: each holds for what is below it. Above the mount
 * point nothing can be seen. */
static guint64
read_limits (const char *point, const char *path, gboolean is_second)
{
  g_autofree char *folder = g_build_filename (point, path, NULL);
  gsize point_len = strlen (point);
  guint64 limit = G_MAXUINT64;

  for (;;)
    {
      char *slash;

      if (is_second)
        {
          limit = MIN (limit, read_limit (folder, "memory.max"));
          /* Above this one the kernel slows a process down until it is of no use. */
          limit = MIN (limit, read_limit (folder, "memory.high"));
        }
      else
        limit = MIN (limit, read_limit (folder, "memory.limit_in_bytes"));

      slash = strrchr (folder, '/');
      if (slash == NULL || (gsize) (slash - folder) < point_len)
        return limit;
      *slash = '\0';
    }
}

/* The limit that a group has by one mount; a mount that does not show the group says nothing about it. */
static guint64
get_limit_of_mount (const char *root, const Mount *mount, const char *group, gboolean is_second)
{
  g_autofree char *unescaped = g_strcompress (mount->point);
  g_autofree char *point = g_build_filename (root, unescaped, NULL);
  gsize root_len = strcmp (mount->root, "/") == 0 ? 0 : strlen (mount->root);

  if (strncmp (group, mount->root, root_len) != 0 || (group[root_len] != '/' && group[root_len] != '\0'))
    return G_MAXUINT64;
  /* Outside of what this process's namespace shows. */
  if (strstr (group, "/..") != NULL)
    return G_MAXUINT64;
  return read_limits (point, group + root_len, is_second);
}

/* The limit of a group in all mounts of its hierarchy. */
static guint64
get_limit_of_group (const char *root, const char *mounts, const char *group, gboolean is_second)
{
  g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);
  guint64 limit = G_MAXUINT64;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);
      Mount mount;

      if (!mount_init (&mount, words))
        continue;
      if (is_second ? strcmp (mount.type, "cgroup2") == 0
                    : strcmp (mount.type, "cgroup") == 0 && has_controller (mount.options, "memory"))
        limit = MIN (limit, get_limit_of_mount (root, &mount, group, is_second));
    }
  return limit;
}

/**
 * metrics_cgroup_get_memory_limit:
 * @root: where the file system begins: "/", or a folder of a test's own
 *
 * How much memory the control groups of this process let it have, be they of the first version, of the
 * second, or of both side by side. See cgroups(7).
 *
 * Returns: the least limit in bytes, or %G_MAXUINT64 where there is none
 */
guint64
metrics_cgroup_get_memory_limit (const char *root)
{
  g_autofree char *groups = NULL;
  g_autofree char *mounts = NULL;
  g_auto (GStrv) lines = NULL;
  guint64 limit = G_MAXUINT64;

  g_return_val_if_fail (root != NULL, G_MAXUINT64);

  groups = read_text (root, "proc/self/cgroup");
  mounts = read_text (root, "proc/self/mountinfo");
  if (groups == NULL || mounts == NULL)
    return G_MAXUINT64;

  lines = g_strsplit (groups, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      /* number:controllers:path; the path may hold colons. The second version is number 0 without
       * controllers. */
      g_auto (GStrv) words = g_strsplit (lines[i], ":", 3);
      gboolean is_second;

      if (g_strv_length (words) != 3)
        continue;
      is_second = strcmp (words[0], "0") == 0 && words[1][0] == '\0';
      if (is_second || has_controller (words[1], "memory"))
        limit = MIN (limit, get_limit_of_group (root, mounts, words[2], is_second));
    }
  return limit;
}
