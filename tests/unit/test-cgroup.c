/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-cgroup.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

/* What control groups allow, in trees of the test's own that look as the kernel shows them. */

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_CPU_MOUNT "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
#define V1_MOUNT                                                                                             \
  "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 master:1 - cgroup cgroup rw,memory\n"
#define NO_LIMIT_V1 "9223372036854771712\n"

typedef struct
{
  char *root; /* (owned) */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->root = g_dir_make_tmp ("metricsd-cgroup-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->root);
  g_free (fixture->root);
}

static void
write_file (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->root, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
write_process (Fixture *fixture, const char *groups, const char *mounts)
{
  write_file (fixture, "proc/self/cgroup", groups);
  write_file (fixture, "proc/self/mountinfo", mounts);
}

static void
assert_limit (Fixture *fixture, guint64 limit)
{
  g_assert_cmpuint (metrics_cgroup_get_memory_limit (fixture->root), ==, limit);
}

static void
test_none (Fixture *fixture, gconstpointer data)
{
  assert_limit (fixture, G_MAXUINT64);
  write_process (fixture, "", "");
  assert_limit (fixture, G_MAXUINT64);
  write_process (fixture, "0::/a/b\n", V2_MOUNT);
  assert_limit (fixture, G_MAXUINT64);
  write_file (fixture, "sys/fs/cgroup/a/b/memory.max", "max\n");
  assert_limit (fixture, G_MAXUINT64);
  write_file (fixture, "sys/fs/cgroup/a/b/memory.max", "nonsense\n");
  assert_limit (fixture, G_MAXUINT64);
}

static void
test_second_version (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "0::/a/b\n", V2_MOUNT);
  write_file (fixture, "sys/fs/cgroup/a/b/memory.max", "3000000000\n");
  assert_limit (fixture, 3000000000);
  write_file (fixture, "sys/fs/cgroup/a/b/memory.high", "2000000000\n");
  assert_limit (fixture, 2000000000);
}

/* Each group's limit holds for those in it; one that this process is not in means nothing. */
static void
test_walks_up (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "0::/a/b\n", V2_MOUNT);
  write_file (fixture, "sys/fs/cgroup/a/c/memory.max", "1\n");
  write_file (fixture, "sys/fs/cgroup/a/b/d/memory.max", "2\n");
  write_file (fixture, "sys/fs/memory.max", "3\n");
  write_file (fixture, "sys/fs/cgroup/a/b/memory.max", "max\n");
  assert_limit (fixture, G_MAXUINT64);
  write_file (fixture, "sys/fs/cgroup/memory.max", "5000000\n");
  assert_limit (fixture, 5000000);
  write_file (fixture, "sys/fs/cgroup/a/memory.max", "4000000\n");
  assert_limit (fixture, 4000000);
  write_file (fixture, "sys/fs/cgroup/a/b/memory.max", "6000000\n");
  assert_limit (fixture, 4000000);
}

static void
test_first_version (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "5:cpu:/c\n4:hugetlb,memory:/a/b\n1:name=systemd:/d\n", V1_CPU_MOUNT V1_MOUNT);
  write_file (fixture, "sys/fs/cgroup/cpu/a/b/memory.limit_in_bytes", "1\n");
  write_file (fixture, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "2\n");
  write_file (fixture, "sys/fs/cgroup/memory/a/b/memory.max", "3\n");
  write_file (fixture, "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", NO_LIMIT_V1);
  assert_limit (fixture, 9223372036854771712u);
  write_file (fixture, "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "700000000\n");
  assert_limit (fixture, 700000000);
}

/* systemd's hybrid tree: the second version is there, memory is the first one's. */
static void
test_both_versions (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "4:memory:/a\n0::/a\n",
                 V1_MOUNT "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write_file (fixture, "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "800000000\n");
  assert_limit (fixture, 800000000);
  write_file (fixture, "sys/fs/cgroup/unified/a/memory.max", "700000000\n");
  assert_limit (fixture, 700000000);
}

/* Containers without a namespace of groups see their own group where it is mounted, by its outer name. */
static void
test_mounted_part (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "4:memory:/docker/12ab/x\n",
                 "35 31 0:32 /docker/12ab /sys/fs/my\\040groups rw - cgroup cgroup rw,memory\n"
                 "36 31 0:32 /docker/12a /sys/fs/other rw - cgroup cgroup rw,memory\n");
  write_file (fixture, "sys/fs/other/memory.limit_in_bytes", "1\n");
  write_file (fixture, "sys/fs/my groups/memory.limit_in_bytes", "900000000\n");
  assert_limit (fixture, 900000000);
  write_file (fixture, "sys/fs/my groups/x/memory.limit_in_bytes", "800000000\n");
  assert_limit (fixture, 800000000);
}

/* A group outside of the namespace cannot be looked up, and a path must not lead out of the mount. */
static void
test_outside (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "0::/../other\n", V2_MOUNT);
  write_file (fixture, "sys/fs/other/memory.max", "1\n");
  write_file (fixture, "sys/fs/cgroup/memory.max", "max\n");
  assert_limit (fixture, G_MAXUINT64);
}

static void
test_damaged_lines (Fixture *fixture, gconstpointer data)
{
  write_process (fixture, "\n0\n0:\nx:y\n0::/a\n", "\n1\n1 2 3 4 5 6 -\n1 2 3 / /x rw - cgroup2\n" V2_MOUNT);
  write_file (fixture, "sys/fs/cgroup/a/memory.max", "123456789\n");
  assert_limit (fixture, 123456789);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, function) g_test_add ("/cgroup/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("none", test_none);
  ADD ("second-version", test_second_version);
  ADD ("walks-up", test_walks_up);
  ADD ("first-version", test_first_version);
  ADD ("both-versions", test_both_versions);
  ADD ("mounted-part", test_mounted_part);
  ADD ("outside", test_outside);
  ADD ("damaged-lines", test_damaged_lines);

  return g_test_run ();
}
