/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "storage/metrics-backup.h"
#include "storage/metrics-check.h"
#include "storage/metrics-recover.h"
#include "storage/metrics-whole.h"
#include "stored.h"

#include <glib/gstdio.h>

/* Copies at any moment, of which nothing may be said to be wrong. */

typedef struct
{
  char *folder; /* (owned) */
  GRand *random;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = folder_new ();
  self->random = g_rand_new_with_seed (3);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  folder_free (self->folder);
  g_rand_free (self->random);
}

static void
on_report (const char *text, gpointer user_data)
{
  g_test_message ("%s", text);
}

static gboolean
on_progress (guint64 done, guint64 total, gpointer user_data)
{
  g_assert_cmpuint (done, <=, MAX (total, done));
  return user_data == NULL;
}

static const MetricsWatch watch = { on_report, on_progress, NULL };

static void
assert_whole (const char *folder)
{
  g_autoptr (GError) error = NULL;
  MetricsCheckFigures figures;

  g_assert_true (metrics_check_read (folder, &watch, &figures, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (figures.n_findings, ==, 0);
}

static char *
describe_folder (const char *folder)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_INTERVAL, &error);
  char *text;

  g_assert_no_error (error);
  text = stored_describe (stored);
  stored_close (stored);
  return text;
}

/* A copy of now, and what is recovered from it, are as the store is now. */
static void
assert_saved (Fixture *self, Stored *stored, gboolean is_thorough)
{
  char *copy = folder_new ();
  char *saved = folder_new ();
  g_autofree char *copy_path = g_build_filename (copy, "metricsd.db", NULL);
  g_autofree char *saved_path = g_build_filename (saved, "metricsd.db", NULL);
  g_autoptr (GError) error = NULL;
  MetricsRecoverFigures figures;

  g_assert_true (metrics_backup_write (self->folder, copy_path, &watch, &error));
  g_assert_no_error (error);
  assert_whole (copy);
  if (is_thorough)
    {
      g_autofree char *expected = stored_describe (stored);
      g_autofree char *of_copy = NULL;
      g_autofree char *of_saved = NULL;

      g_assert_true (metrics_recover_write (copy, saved_path, &watch, &figures, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (figures.n_lost, ==, 0);
      assert_whole (saved);
      of_copy = describe_folder (copy);
      of_saved = describe_folder (saved);
      g_assert_cmpstr (of_copy, ==, expected);
      g_assert_cmpstr (of_saved, ==, expected);
    }
  folder_free (copy);
  folder_free (saved);
}

static void
test_changes (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (Stored) stored = stored_open (self->folder, METRICS_DURABILITY_ALWAYS, &error);

      g_assert_no_error (error);
      for (guint j = 0; j < 3; j++)
        {
          stored_change (stored, self->random, 300);
          stored_await_kept (stored);
          assert_saved (self, stored, TRUE);
        }
    }
}

/* While chunks are written that the log has still, and series end meanwhile. */
static void
test_checkpoint (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Stored) stored = stored_open (self->folder, METRICS_DURABILITY_ALWAYS, &error);
  guint n_between = 0;
  gint64 time = 0;

  g_assert_no_error (error);
  do
    {
      MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "key??7", G_MININT64, G_MAXINT64);
      gboolean is_between;

      for (guint i = 0; i < 20000; i++, time++)
        {
          g_autofree char *key = g_strdup_printf ("key%u", i % 1000);

          put (stored->store, key, time, noise_at (time));
        }
      if (time % 100000 == 0)
        run_delete (stored->store, &spec, 1000);
      stored_await_kept (stored);
      is_between = folder_query (self->folder, "SELECT count (*) FROM chunk") > 0
                   && folder_query (self->folder, "SELECT coalesce (min (id), 0) FROM log") == 1;
      /* Each is the same work again. */
      if (is_between && n_between++ % 4 == 0)
        assert_saved (self, stored, n_between == 1);
    }
  while (folder_query (self->folder, "SELECT coalesce (min (id), 0) FROM log") <= 1);
  g_test_message ("%u moments between", n_between);
  assert_saved (self, stored, TRUE);
}

static void
test_interrupted (Fixture *self, gconstpointer data)
{
  const MetricsWatch impatient = { on_report, on_progress, self };
  g_autofree char *path = g_build_filename (self->folder, "new", NULL);
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (self->folder, METRICS_DURABILITY_ALWAYS, &error);
  MetricsRecoverFigures figures;

  g_assert_no_error (error);
  stored_change (stored, self->random, 300);
  stored_close (stored);
  g_assert_false (metrics_backup_write (self->folder, path, &impatient, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (metrics_recover_write (self->folder, path, &impatient, &figures, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* What a chunk says of itself: one value at a regular step, and points at any times. */
static void
test_spans (void)
{
  const guint8 three[] = { 0x03, 0x80, 0x00, 0x14, 0xd0, 0x0f, 0x02, 0x05, 0x00, 0xc4, 0x13, 0x00, 0x64 };
  MetricsSpan span;

  g_assert_true (metrics_whole_chunk (three, sizeof three, &span));
  g_assert_cmpint (span.first, ==, 1000);
  g_assert_cmpint (span.last, ==, 1020);
  g_assert_cmpuint (span.n_points, ==, 3);
  for (gsize size = 0; size < sizeof three; size++)
    g_assert_false (metrics_whole_chunk (three, size, &span));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/recover/changes", test_changes);
  ADD ("/recover/checkpoint", test_checkpoint);
  ADD ("/recover/interrupted", test_interrupted);
#undef ADD
  g_test_add_func ("/recover/spans", test_spans);

  return g_test_run ();
}
