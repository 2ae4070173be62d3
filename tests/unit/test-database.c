/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-database.h"

#include <glib/gstdio.h>

/* What is written, and what the database says of it. */

/* Returns: how many bytes this process has written, by the kernel's account; 0 where it keeps none */
static guint64
get_written_by_process (void)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/self/io", &text, NULL, NULL))
    return 0;
  at = strstr (text, "wchar: ");
  return at != NULL ? g_ascii_strtoull (at + strlen ("wchar: "), NULL, 10) : 0;
}

static void
commit_row (MetricsDatabase *database, guint64 id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = g_bytes_new_take (g_malloc0 (2000), 2000);

  metrics_database_begin (database, &error);
  g_assert_no_error (error);
  metrics_database_insert_log (database, id, data, &error);
  g_assert_no_error (error);
  metrics_database_commit (database, &error);
  g_assert_no_error (error);
  metrics_database_flush (database, FALSE, &error);
  g_assert_no_error (error);
}

/* Pages that stand in the write-ahead log many times, and are moved into the file once; twice over. */
static void
test_bytes_written (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("metricsd-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "test.db", NULL);
  MetricsDatabase *database = metrics_database_open (path, FALSE, &error);
  guint64 id = 0;
  guint64 by_process, by_database;
  GStatBuf status;

  g_assert_no_error (error);
  commit_row (database, ++id);
  by_process = get_written_by_process ();
  by_database = metrics_database_get_bytes_written (database);
  g_assert_cmpuint (by_database, >, 2000);
  if (by_process == 0)
    g_test_skip ("the kernel does not count what a process writes");
  else
    {
      while (id < 2000)
        commit_row (database, ++id);
      g_assert_cmpuint (metrics_database_get_bytes_written (database) - by_database, ==,
                        get_written_by_process () - by_process);
      g_assert_cmpint (g_stat (path, &status), ==, 0);
      g_assert_cmpint (status.st_size, >, 1 << 20);
    }

  metrics_database_close (database);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
count_later_row (const MetricsRow *row, gpointer user_data)
{
  guint64 *n_rows = user_data;

  g_assert_cmpuint (row->id, ==, 101 + *n_rows);
  (*n_rows)++;
}

/* Of rows that all go at once, pages are not written once more; of others, the later ones stay. */
static void
test_delete_log (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("metricsd-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "test.db", NULL);
  MetricsDatabase *database = metrics_database_open (path, FALSE, &error);
  guint64 before;
  guint64 n_rows = 0;

  g_assert_no_error (error);
  for (guint64 id = 1; id <= 200; id++)
    commit_row (database, id);

  g_assert_true (metrics_database_delete_log (database, 100, &error));
  g_assert_no_error (error);
  g_assert_true (metrics_database_read (database, METRICS_TABLE_LOG, count_later_row, &n_rows, &error));
  g_assert_cmpuint (n_rows, ==, 100);

  before = metrics_database_get_bytes_written (database);
  g_assert_true (metrics_database_delete_log (database, 200, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (metrics_database_get_bytes_written (database) - before, <, 100 * 2000 / 2);
  n_rows = 0;
  g_assert_true (metrics_database_read (database, METRICS_TABLE_LOG, count_later_row, &n_rows, &error));
  g_assert_cmpuint (n_rows, ==, 0);
  g_assert_true (metrics_database_delete_log (database, 200, &error));
  g_assert_no_error (error);

  metrics_database_close (database);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/database/bytes-written", test_bytes_written);
  g_test_add_func ("/database/delete-log", test_delete_log);

  return g_test_run ();
}
