/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "logged.h"
#include "stored.h"

#include <gio/gio.h>

/* What lasts in a folder, after a clean stop and after a crash. */

typedef struct
{
  char *folder; /* (owned) */
  GRand *random;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = folder_new ();
  self->random = g_rand_new_with_seed (1);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  folder_free (self->folder);
  g_rand_free (self->random);
}

static Stored *
open_folder (Fixture *self, MetricsDurability durability)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (self->folder, durability, &error);

  g_assert_no_error (error);
  return stored;
}

/* Stop and start, again and again: nothing changes but by changes. */
static void
test_stop (Fixture *self, gconstpointer data)
{
  g_autofree char *before = g_strdup ("");

  for (guint i = 0; i < 10; i++)
    {
      Stored *stored = open_folder (self, i % 3);
      g_autofree char *after = stored_describe (stored);

      g_assert_cmpstr (after, ==, before);
      stored_change (stored, self->random, 400);
      g_free (before);
      before = stored_describe (stored);
      stored_close (stored);
      g_assert_cmpint (folder_query (self->folder, "SELECT count (*) FROM log"), ==, 0);
      folder_check (self->folder);
    }
  g_assert_cmpstr (before, !=, "");
}

/* What is kept is there after a crash; the log alone, or on top of chunks. */
static void
test_crash (Fixture *self, gconstpointer data)
{
  MetricsDurability durability = GPOINTER_TO_INT (data);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Stored) stored = open_folder (self, durability);

      for (guint j = 0; j < 3; j++)
        {
          g_autofree char *expected = NULL;
          g_autofree char *after = NULL;

          stored_change (stored, self->random, 200);
          stored_await_kept (stored);
          expected = stored_describe (stored);
          after = stored_describe_copy (self->folder);
          g_assert_cmpstr (after, ==, expected);
        }
    }
}

static void
count (guint *n)
{
  ++*n;
}

/* Who waits is told, in the thread that waits. */
static void
test_kept (Fixture *self, gconstpointer data)
{
  g_autoptr (Stored) stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
  MetricsJournal *journal = METRICS_JOURNAL (stored->storage);
  MetricsStorageFigures figures;
  guint n = 0;

  g_assert_true (metrics_journal_is_awaited (journal));
  g_signal_connect_swapped (journal, "kept", G_CALLBACK (count), &n);
  put (stored->store, "a", 1, 2);
  g_assert_cmpuint (metrics_journal_get_position (journal), ==, 2);
  g_assert_cmpuint (n, ==, 0);
  while (n == 0 || metrics_journal_get_kept (journal) < 2)
    g_main_context_iteration (NULL, TRUE);
  metrics_storage_get_figures (stored->storage, &figures);
  g_assert_cmpuint (figures.commits, >, 0);
  g_assert_cmpuint (figures.bytes_written, >, 0);
  g_assert_cmpuint (figures.errors, ==, 0);
  g_assert_cmpuint (figures.pending, ==, 0);
}

/* Much at once: the log is cut while changes go on, and what a crash leaves is whole at any time. */
static void
test_checkpoint (Fixture *self, gconstpointer data)
{
  g_autoptr (Stored) stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
  g_autofree char *expected = NULL;
  g_autofree char *after = NULL;
  gint64 time = 0;

  /* Values that do not compress, until the first rows of the log are gone. */
  do
    {
      for (guint i = 0; i < 20000; i++, time++)
        {
          g_autofree char *key = g_strdup_printf ("key%u", i % 1000);

          put (stored->store, key, time, noise_at (time));
        }
      stored_await_kept (stored);
      g_assert_cmpint (time, <, 10 * 1000 * 1000);
    }
  while (folder_query (self->folder, "SELECT coalesce (min (id), 0) FROM log") <= 1);

  stored_await_kept (stored);
  g_assert_cmpint (folder_query (self->folder, "SELECT count (*) FROM series"), ==, 1000);
  expected = stored_describe (stored);
  after = stored_describe_copy (self->folder);
  g_assert_cmpstr (after, ==, expected);
}

static void
test_lock (Fixture *self, gconstpointer data)
{
  g_autoptr (Stored) stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  g_autoptr (GError) error = NULL;

  g_assert_null (stored_open (self->folder, METRICS_DURABILITY_INTERVAL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static void
assert_refused (Fixture *self, gint code)
{
  g_autofree char *path = g_build_filename (self->folder, "metricsd.db", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  gsize size_before;
  gsize size_after;

  g_assert_true (g_file_get_contents (path, &before, &size_before, NULL));
  g_assert_null (stored_open (self->folder, METRICS_DURABILITY_INTERVAL, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_true (g_file_get_contents (path, &after, &size_after, NULL));
  g_assert_cmpmem (after, size_after, before, size_before);
}

/* What another program wrote, or a newer server, is not touched. */
static void
test_foreign (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "metricsd.db", NULL);
  g_autofree char *text = g_strnfill (5000, 'x');

  folder_execute (self->folder, "CREATE TABLE other (x)");
  assert_refused (self, G_IO_ERROR_INVALID_DATA);
  folder_execute (self->folder, "PRAGMA application_id = 1");
  assert_refused (self, G_IO_ERROR_INVALID_DATA);
  folder_execute (self->folder, "PRAGMA application_id = 0x4d545244; PRAGMA user_version = 2");
  assert_refused (self, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  assert_refused (self, G_IO_ERROR_INVALID_DATA);
}

/* What is damaged is named; the rest is there. */
static void
test_damage (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  g_autofree char *after = NULL;
  g_autofree char *copy = NULL;
  g_autofree char *content = NULL;
  gsize size;

  put (stored->store, "a", 1, 1);
  put (stored->store, "b", 2, 2);
  put (stored->store, "c", 3, 3);
  stored_close (stored);
  folder_execute (self->folder, "UPDATE chunk SET data = x'00' || substr (data, 2) WHERE series = 2;"
                                "INSERT INTO log VALUES (7, 1, x'00'), (8, 0, x'')");

  logged_expect ("*row 7 of table 'log' is damaged*checksum*");
  logged_expect ("*copied to*metricsd.db.damaged-7-d202ef8d*");
  logged_expect ("*row 8 of table 'log' is damaged*read*");
  stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  logged_assert_expected ();
  /* Of a chunk that is learned when it is read, and said once. */
  logged_expect ("*row 2 of table 'chunk' is damaged*series 2 from 2 to 2*");
  after = stored_describe (stored);
  g_free (stored_describe (stored));
  logged_assert_expected ();
  stored_close (stored);
  g_assert_cmpstr (after, ==, "a 1 0x1p+0\nc 3 0x1.8p+1\n");
  /* The log was moved into the chunks since; what was damaged of it is still there to be looked at. */
  g_assert_cmpint (folder_query (self->folder, "SELECT count (*) FROM log"), ==, 0);
  copy = g_build_filename (self->folder, "metricsd.db.damaged-7-d202ef8d", NULL);
  g_assert_true (g_file_get_contents (copy, &content, &size, NULL));
  g_assert_cmpmem (content, size, "", 1);
}

/* A series whose beginning is lost with a row of the log may have chunks: its number is not given to another
 * one, whose points these would be. */
static void
test_lost_beginning (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  g_autofree char *after = NULL;

  put (stored->store, "a", 1, 1);
  put (stored->store, "b", 2, 2);
  stored_close (stored);
  folder_execute (self->folder, "DELETE FROM series WHERE key = CAST ('b' AS BLOB)");

  stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  put (stored->store, "c", 3, 3);
  stored_close (stored);
  stored = open_folder (self, METRICS_DURABILITY_INTERVAL);
  after = stored_describe (stored);
  stored_close (stored);
  g_assert_cmpstr (after, ==, "a 1 0x1p+0\nc 3 0x1.8p+1\n");
}

/* Whatever the clock of a client says: times from one end to the other, in any order. */
static void
test_any_time (Fixture *self, gconstpointer data)
{
  static const gint64 times[] = { 0, G_MAXINT64, G_MININT64, -1, G_MAXINT64 - 1, 1, G_MININT64 + 1 };
  Stored *stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
  g_autofree char *expected = NULL;

  for (guint i = 0; i < 700; i++)
    {
      guint64 noise = (guint64) g_rand_int (self->random) << 32 | g_rand_int (self->random);

      put (stored->store, i % 2 == 0 ? "a" : "b", i < G_N_ELEMENTS (times) ? times[i] : (gint64) noise, i);
      if (i % 100 == 0)
        stored_await_kept (stored);
    }
  expected = stored_describe (stored);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *after = NULL;

      stored_close (stored);
      stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
      after = stored_describe (stored);
      g_assert_cmpstr (after, ==, expected);
    }
  stored_close (stored);
}

/* A folder that cannot be made is said by name. */
static void
test_no_folder (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "file", NULL);
  g_autofree char *below = g_build_filename (path, "folder", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_null (stored_open (below, METRICS_DURABILITY_INTERVAL, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, below));
}

/* Returns: how often writing has failed */
static guint64
get_n_errors (Stored *stored)
{
  MetricsStorageFigures figures;

  metrics_storage_get_figures (stored->storage, &figures);
  return figures.errors;
}

static void
note_failed (guint *n)
{
  ++*n;
}

/* There is room for the log and not for a checkpoint: no change fails with it. */
static void
test_checkpoint_fails (Fixture *self, gconstpointer data)
{
  Stored *stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
  MetricsJournal *journal = METRICS_JOURNAL (stored->storage);
  guint64 n_points = 0;
  guint n_failed = 0;

  folder_execute (self->folder, "CREATE TRIGGER full BEFORE INSERT ON chunk"
                                " BEGIN SELECT RAISE (ABORT, 'full'); END");
  g_signal_connect_swapped (stored->storage, "failed", G_CALLBACK (note_failed), &n_failed);
  while (get_n_errors (stored) < 3)
    {
      MetricsPoint point = { n_points, g_rand_double (self->random) };

      /* Always some that wait, never many. */
      if (metrics_journal_get_position (journal) - metrics_journal_get_kept (journal) > 20000)
        {
          g_main_context_iteration (NULL, TRUE);
          continue;
        }
      n_points++;
      g_assert_true (metrics_store_put (stored->store, "key", 3, point, NULL));
      g_main_context_iteration (NULL, FALSE);
    }
  stored_await_kept (stored);
  g_assert_cmpuint (n_failed, ==, 0);
  stored_close (stored);

  folder_execute (self->folder, "DROP TRIGGER full");
  stored = open_folder (self, METRICS_DURABILITY_ALWAYS);
  g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==, n_points);
  stored_close (stored);
  g_assert_cmpint (folder_query (self->folder, "SELECT sum (n) FROM chunk"), ==, n_points);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();

#define ADD(name, data, func) g_test_add ("/storage/" name, Fixture, data, set_up, func, tear_down)
  ADD ("checkpoint-fails", NULL, test_checkpoint_fails);
  ADD ("stop", NULL, test_stop);
  ADD ("crash/interval", GINT_TO_POINTER (METRICS_DURABILITY_INTERVAL), test_crash);
  ADD ("crash/always", GINT_TO_POINTER (METRICS_DURABILITY_ALWAYS), test_crash);
  ADD ("kept", NULL, test_kept);
  ADD ("checkpoint", NULL, test_checkpoint);
  ADD ("lock", NULL, test_lock);
  ADD ("foreign", NULL, test_foreign);
  ADD ("damage", NULL, test_damage);
  ADD ("lost-beginning", NULL, test_lost_beginning);
  ADD ("any-time", NULL, test_any_time);
  ADD ("no-folder", NULL, test_no_folder);

  return g_test_run ();
}
