/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "stored.h"

#include <glib/gstdio.h>

/* What is on disk alone: it leaves memory, comes back, is as it was for who reads it, and gives its room
 * back. */

typedef struct
{
  char *folder; /* (owned) */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = folder_new ();
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  folder_free (self->folder);
}

static Stored *
open_folder (Fixture *self, guint64 memory_limit)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open_limited (self->folder, METRICS_DURABILITY_INTERVAL, memory_limit, &error);

  g_assert_no_error (error);
  return stored;
}

static void
put_noise (Stored *stored, const char *key, gint64 from, gint64 to)
{
  for (gint64 time = from; time < to; time++)
    put (stored->store, key, time, noise_at (time));
}

static void delete (Stored *stored, const char *key, gint64 from, gint64 to)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key, from, to);

  run_delete (stored->store, &spec, 1000);
}

/* Returns: the number of the log's last row, or 0 when a checkpoint has taken all */
static gint64
get_last_log (Fixture *self)
{
  return folder_query (self->folder, "SELECT coalesce (max (id), 0) FROM log");
}

/* A checkpoint of all changes so far, and the store has heard of it. */
static void
checkpoint (Fixture *self, Stored *stored)
{
  metrics_journal_press (METRICS_JOURNAL (stored->storage));
  stored_await_kept (stored);
  while (get_last_log (self) > 0)
    g_main_context_iteration (NULL, FALSE);
  /* The last of the news. */
  for (guint i = 0; i < 10; i++)
    {
      g_usleep (1000);
      g_main_context_iteration (NULL, FALSE);
    }
}

/* Has the store let go of all that it can. */
static void
evict (Stored *stored)
{
  gint budget = G_MAXINT;

  metrics_store_evict (stored->store, 0, &budget);
}

/* A checkpoint writes what was changed, and leaves the other rows as they are. */
static void
test_kept (Fixture *self, gconstpointer data)
{
  gboolean with_gaps = GPOINTER_TO_INT (data);
  Stored *stored = open_folder (self, G_MAXUINT64);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gint64 n_rows;
  gint64 last_id;

  put_noise (stored, "a", 0, 10000);
  checkpoint (self, stored);
  n_rows = folder_query (self->folder, "SELECT count (*) FROM chunk");
  last_id = folder_query (self->folder, "SELECT max (id) FROM chunk");
  if (with_gaps)
    evict (stored);

  /* In the middle, and at both ends: all of the series lies in between. */
  put (stored->store, "a", -5, 1);
  put (stored->store, "a", 5000, 1);
  put (stored->store, "a", 10000, 1);
  delete (stored, "a", 7000, 7100);
  checkpoint (self, stored);
  g_assert_cmpint (folder_query (self->folder, "SELECT sum (n) FROM chunk"), ==, 10002 - 101);
  g_assert_cmpint (folder_query (self->folder, "SELECT n FROM series"), ==, 10002 - 101);
  {
    g_autofree char *sql
        = g_strdup_printf ("SELECT count (*) FROM chunk WHERE id <= %" G_GINT64_FORMAT, last_id);

    g_assert_cmpint (folder_query (self->folder, sql), >=, n_rows - 8);
    g_assert_cmpint (folder_query (self->folder, sql), <, n_rows);
  }
  folder_check (self->folder);
  before = stored_describe (stored);
  stored_close (stored);
  folder_check (self->folder);

  stored = open_folder (self, G_MAXUINT64);
  after = stored_describe (stored);
  g_assert_cmpstr (after, ==, before);
  stored_close (stored);
}

/* A start reads no points. */
static void
test_start (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, G_MAXUINT64);
  guint64 memory;

  put_noise (stored, "a", 0, 100000);
  memory = metrics_store_get_memory (stored->store);
  stored_close (stored);

  stored = open_folder (self, G_MAXUINT64);
  g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==, 100000);
  g_assert_cmpuint (metrics_store_get_memory (stored->store), <, memory / 100);
  stored_close (stored);
}

/* Twenty times what there is room for goes in, and comes out again. */
static void
test_ceiling (Fixture *self, gconstpointer data)
{
  const guint64 limit = 512 << 10;
  const guint n_points = get_operations (20 * limit / 8);
  Stored *stored = open_folder (self, limit);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);

  for (guint i = 0; i < n_points; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%u", i % 10);

      put (stored->store, key, i, noise_at (i));
      g_assert_cmpuint (metrics_store_get_memory (stored->store), <=, limit);
      if (i % 64 == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Run) run = run_new (stored->store, &spec);

      g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==, n_points);
      run_to_end (run, 1000);
      g_assert_cmpuint (run->rows->len, ==, n_points);
      for (guint j = 0; j < run->rows->len; j++)
        {
          const ModelRow *row = &g_array_index (run->rows, ModelRow, j);

          g_assert_true (row->point.value == noise_at (row->point.time));
        }
      g_clear_pointer (&run, run_free);
      stored_close (stored);
      folder_check (self->folder);
      stored = open_folder (self, limit);
    }
  stored_close (stored);
}

/* Who reads sees a series as it was when he came to it, whatever is deleted and written meanwhile. */
static void
test_instant (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, G_MAXUINT64);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "a", G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = NULL;

  put_noise (stored, "a", 0, 100000);
  checkpoint (self, stored);
  evict (stored);
  run = run_new (stored->store, &spec);
  while (run->rows->len < 1000)
    if (run_next (run, 100) == METRICS_QUERY_NOT_YET)
      g_main_context_iteration (NULL, TRUE);
  delete (stored, "a", 500, 99000);
  put (stored->store, "a", 99500, -1);
  checkpoint (self, stored);
  g_assert_cmpint (folder_query (self->folder, "SELECT sum (n) FROM chunk"), ==, 1499);
  run_to_end (run, 1000);
  g_assert_cmpuint (run->rows->len, ==, 100000);
  for (guint i = 0; i < run->rows->len; i++)
    g_assert_true (g_array_index (run->rows, ModelRow, i).point.value == noise_at (i));
  g_clear_pointer (&run, run_free);
  stored_close (stored);
}

/* Any changes, with as little in memory as can be: what is there is what a store in memory has, at any time,
 * after a stop, and after a crash. */
static void
test_model (Fixture *self, gconstpointer data)
{
  const guint seed = GPOINTER_TO_UINT (data);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autoptr (GRand) same = g_rand_new_with_seed (seed);
  g_autoptr (GRand) other = g_rand_new_with_seed (seed + 1);
  Stored model = { .store = metrics_store_new (G_MAXUINT64, G_MAXUINT64) };
  Stored *stored = open_folder (self, G_MAXUINT64);

  for (guint i = 0; i < get_operations (60); i++)
    {
      g_autofree char *expected = NULL;
      g_autofree char *found = NULL;

      stored_change (&model, random, 60);
      for (guint j = 0; j < 6; j++)
        {
          stored_change (stored, same, 10);
          if (g_rand_boolean (other))
            metrics_journal_press (METRICS_JOURNAL (stored->storage));
          g_usleep (g_rand_int_range (other, 0, 3000));
          while (g_main_context_iteration (NULL, FALSE))
            continue;
          evict (stored);
        }
      expected = stored_describe (&model);
      if (i % 4 == 0)
        {
          stored_await_kept (stored);
          found = stored_describe_copy (self->folder);
        }
      else if (i % 4 == 1)
        {
          stored_close (stored);
          folder_check (self->folder);
          stored = open_folder (self, G_MAXUINT64);
        }
      if (found == NULL)
        found = stored_describe (stored);
      g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==,
                        metrics_store_get_n_points (model.store));
      /* One series after the other in the order of their first puts: that is kept, too. */
      g_assert_cmpstr (found, ==, expected);
    }
  stored_close (stored);
  folder_check (self->folder);
  g_object_unref (model.store);
}

static goffset
get_file_size (Fixture *self)
{
  g_autofree char *path = g_build_filename (self->folder, "metricsd.db", NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  return status.st_size;
}

/* What is deleted gives its room back to the file system, while the server runs. */
static void
test_shrink (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, G_MAXUINT64);
  goffset before;

  put_noise (stored, "a", 0, 1000 * 1000);
  checkpoint (self, stored);
  stored_close (stored);
  before = get_file_size (self);
  g_assert_cmpint (before, >, 8 << 20);

  stored = open_folder (self, G_MAXUINT64);
  delete (stored, "a", 1000, G_MAXINT64);
  metrics_journal_press (METRICS_JOURNAL (stored->storage));
  while (get_file_size (self) > before / 4)
    g_main_context_iteration (NULL, FALSE);
  stored_close (stored);
  g_assert_cmpint (get_file_size (self), <, before / 4);
  g_assert_cmpint (folder_query (self->folder, "SELECT sum (n) FROM chunk"), ==, 1000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, func) g_test_add ("/storage-cold/" name, Fixture, data, set_up, func, tear_down)
  ADD ("kept/memory", GINT_TO_POINTER (FALSE), test_kept);
  ADD ("kept/gaps", GINT_TO_POINTER (TRUE), test_kept);
  ADD ("start", NULL, test_start);
  ADD ("ceiling", NULL, test_ceiling);
  ADD ("instant", NULL, test_instant);
  ADD ("shrink", NULL, test_shrink);
  for (guint i = 1; i <= 4; i++)
    {
      g_autofree char *name = g_strdup_printf ("/storage-cold/model/%u", i);

      g_test_add (name, Fixture, GUINT_TO_POINTER (i), set_up, test_model, tear_down);
    }

  return g_test_run ();
}
