/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "stored.h"

#include "helpers.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#define N_KEYS 40
#define N_TIMES 3000

Stored *
stored_open (const char *folder, MetricsDurability durability, GError **error)
{
  return stored_open_limited (folder, durability, G_MAXUINT64, error);
}

Stored *
stored_open_limited (const char *folder, MetricsDurability durability, guint64 memory_limit, GError **error)
{
  MetricsStorage *storage = metrics_storage_new (folder, durability, 0, error);
  Stored *self;

  if (storage == NULL)
    return NULL;
  self = g_new0 (Stored, 1);
  self->storage = storage;
  self->store = metrics_store_new (G_MAXUINT64, memory_limit);
  if (!metrics_storage_load (storage, self->store, error))
    {
      stored_try_close (self, NULL);
      return NULL;
    }
  return self;
}

gboolean
stored_try_close (Stored *self, GError **error)
{
  gboolean good = metrics_storage_close (self->storage, error);

  g_assert_finalize_object (self->storage);
  g_assert_finalize_object (self->store);
  g_free (self);
  return good;
}

void
stored_close (Stored *self)
{
  g_autoptr (GError) error = NULL;

  stored_try_close (self, &error);
  g_assert_no_error (error);
}

static gboolean
delete_points (Stored *self, const MetricsQuerySpec *spec)
{
  g_autoptr (Run) run = run_new (self->store, spec);

  return run_as_far (run, 100);
}

/* Returns: whether it could be made */
static gboolean
change (Stored *self, GRand *random)
{
  g_autofree char *key = g_strdup_printf ("key%d", g_rand_int_range (random, 0, N_KEYS));
  gint64 from = g_rand_int_range (random, 0, N_TIMES);
  gint64 to = from + g_rand_int_range (random, 0, N_TIMES);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key, from, to);

  switch (g_rand_int_range (random, 0, 100))
    {
    case 0:
      spec.from = G_MININT64;
      spec.to = G_MAXINT64;
      G_GNUC_FALLTHROUGH;
    case 1:
    case 2:
      return delete_points (self, &spec);
    case 3:
      for (gint64 time = from; time <= to; time++)
        if (!put_as_far (self->store, key, time, 7))
          return FALSE;
      return TRUE;
    default:
      return put_as_far (self->store, key, from, g_rand_double (random));
    }
}

/* Puts, and deletes, of which some end a series: its key begins another one later. */
void
stored_change (Stored *self, GRand *random, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (change (self, random));
}

/* The same, where not all can be made since the disk cannot be read. */
void
stored_try_change (Stored *self, GRand *random, guint n)
{
  for (guint i = 0; i < n; i++)
    change (self, random);
}

void
stored_await_kept (Stored *self)
{
  MetricsJournal *journal = METRICS_JOURNAL (self->storage);

  while (metrics_journal_get_kept (journal) < metrics_journal_get_position (journal))
    g_main_context_iteration (NULL, TRUE);
}

/* All points, each value to the bit. Returns: (transfer full) (nullable): them, if all can be read */
char *
stored_try_describe (Stored *self)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = run_new (self->store, &spec);
  GString *text;

  if (!run_as_far (run, 1000))
    return NULL;
  text = g_string_new (NULL);
  for (guint i = 0; i < run->rows->len; i++)
    {
      const ModelRow *row = &g_array_index (run->rows, ModelRow, i);

      g_string_append_printf (text, "%s %" G_GINT64_FORMAT " %a\n", row->key, row->point.time,
                              row->point.value);
    }
  return g_string_free (text, FALSE);
}

char *
stored_describe (Stored *self)
{
  char *text = stored_try_describe (self);

  g_assert_nonnull (text);
  return text;
}

/* What is there after a crash at this moment. */
char *
stored_describe_copy (const char *folder)
{
  char *copy = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored;
  char *text;

  folder_copy (folder, copy);
  stored = stored_open (copy, METRICS_DURABILITY_INTERVAL, &error);
  g_assert_no_error (error);
  text = stored_describe (stored);
  stored_close (stored);
  folder_free (copy);
  return text;
}

char *
folder_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("metricsd-storage-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
folder_free (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}

static sqlite3 *
open_database (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "metricsd.db", NULL);
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  return handle;
}

void
folder_execute (const char *folder, const char *sql)
{
  sqlite3 *handle = open_database (folder);

  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (handle), ==, SQLITE_OK);
}

gint64
folder_query (const char *folder, const char *sql)
{
  sqlite3 *handle = open_database (folder);
  sqlite3_stmt *statement;
  gint64 number;

  g_assert_cmpint (sqlite3_prepare_v2 (handle, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  number = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  g_assert_cmpint (sqlite3_close (handle), ==, SQLITE_OK);
  return number;
}

/* The tables agree with each other. */
void
folder_check (const char *folder)
{
  g_assert_cmpint (folder_query (folder, "SELECT count (*) FROM chunk a JOIN chunk b USING (series)"
                                         " WHERE a.id <> b.id AND a.first <= b.first AND a.last >= b.first"),
                   ==, 0);
  g_assert_cmpint (folder_query (folder,
                                 "SELECT count (*) FROM series s LEFT JOIN (SELECT series, sum (n) AS n,"
                                 " min (first) AS first, max (last) AS last FROM chunk GROUP BY series) c"
                                 " ON c.series = s.id WHERE s.n IS NOT coalesce (c.n, 0)"
                                 " OR s.first IS NOT c.first OR s.last IS NOT c.last"),
                   ==, 0);
}

/* What a crash would leave at this moment, whatever the writer is doing. */
void
folder_copy (const char *from, const char *to)
{
  g_autofree char *sql = g_strdup_printf ("VACUUM INTO '%s/metricsd.db'", to);

  folder_execute (from, sql);
}
