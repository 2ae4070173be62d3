/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "faulty-vfs.h"
#include "helpers.h"
#include "logged.h"
#include "stored.h"

/* Each call to the system fails once, in one run after another, until a run has no more calls: nothing that
 * was put is lost while the process lives, and nothing that was kept is ever lost. */

#define MAX_CALLS 100000

/* Where it cannot be opened at all, that is said, and the next attempt can. */
static Stored *
open_somehow (const char *folder)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);

  if (stored != NULL)
    return stored;
  g_assert_nonnull (error);
  faulty_vfs_stop ();
  g_clear_error (&error);
  stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  g_assert_no_error (error);
  return stored;
}

static void
assert_describes (const char *folder, const char *expected)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = stored_describe (stored);
  stored_close (stored);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (folder_query (folder, "SELECT count (*) FROM pragma_integrity_check WHERE"
                                         " integrity_check = 'ok'"),
                   ==, 1);
}

static gboolean
is_kept (Stored *stored)
{
  MetricsJournal *journal = METRICS_JOURNAL (stored->storage);

  return metrics_journal_get_kept (journal) == metrics_journal_get_position (journal);
}

static void
note_failure (guint *n, guint64 position, const char *reason)
{
  g_assert_cmpuint (position, >, 0);
  g_assert_nonnull (reason);
  ++*n;
}

/* A start, some commits and a stop with a checkpoint, of which one call fails, or all from there on until the
 * changes are made. Returns: whether there were calls enough for that. */
static gboolean
run_with_fault (gint n, gboolean all_following, guint *n_failures)
{
  char *folder = folder_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (n);
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;
  Stored *stored;
  gint n_calls;

  faulty_vfs_stop ();
  stored = open_somehow (folder);
  stored_change (stored, random, 100);
  stored_close (stored);

  faulty_vfs_fail_at (FAULTY_ALL, n, all_following);
  stored = open_somehow (folder);
  g_signal_connect_swapped (stored->storage, "failed", G_CALLBACK (note_failure), n_failures);
  for (guint i = 0; i < 3; i++)
    {
      guint n_before = *n_failures;

      stored_try_change (stored, random, 30);
      while (!is_kept (stored) && !(all_following && *n_failures > n_before))
        g_main_context_iteration (NULL, TRUE);
    }
  if (all_following)
    {
      n_calls = faulty_vfs_stop ();
      stored_await_kept (stored);
    }
  /* One that was to read it may be the call that fails; the next one does not. */
  expected = stored_try_describe (stored);
  if (expected == NULL)
    expected = stored_describe (stored);
  /* All is kept: what fails now is the checkpoint alone. */
  g_assert_true (stored_try_close (stored, &error));
  g_assert_no_error (error);
  if (!all_following)
    n_calls = faulty_vfs_stop ();

  assert_describes (folder, expected);
  folder_free (folder);
  return n_calls >= n;
}

static void
test_each_call (gconstpointer data)
{
  gboolean all_following = GPOINTER_TO_INT (data);
  guint n_failures = 0;
  gint n = 1;

  while (run_with_fault (n, all_following, &n_failures))
    {
      n++;
      g_assert_cmpint (n, <, MAX_CALLS);
    }
  g_test_message ("%d calls, %u failed commits", n - 1, n_failures);
  g_assert_cmpint (n, >, 10);
  g_assert_cmpuint (n_failures, >, 0);
}

static void
count_kept (guint *n)
{
  ++*n;
}

/* Nothing can be written for a while: who waits is told, and what was put is kept later. The cause is said
 * once, and that it is gone. */
static void
test_outage (void)
{
  char *folder = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  MetricsStorageFigures figures;
  g_autofree char *expected = NULL;
  guint n_failures = 0;
  guint n_kept = 0;

  g_assert_no_error (error);
  put (stored->store, "a", 1, 1);
  stored_await_kept (stored);
  g_signal_connect_swapped (stored->storage, "failed", G_CALLBACK (note_failure), &n_failures);
  g_signal_connect_swapped (stored->storage, "kept", G_CALLBACK (count_kept), &n_kept);

  logged_expect ("cannot write*metricsd.db*full*");
  faulty_vfs_fail_at (FAULTY_WRITES, 1, TRUE);
  put (stored->store, "a", 2, 2);
  put (stored->store, "b", 3, 3);
  while (n_failures < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_kept, ==, 0);
  metrics_storage_get_figures (stored->storage, &figures);
  g_assert_cmpuint (figures.errors, >=, 3);
  g_assert_cmpuint (figures.pending, >, 0);
  logged_assert_expected ();

  logged_expect ("writing*works again");
  faulty_vfs_stop ();
  while (n_kept == 0)
    g_main_context_iteration (NULL, TRUE);
  stored_await_kept (stored);
  logged_assert_expected ();
  expected = stored_describe_copy (folder);
  g_assert_cmpstr (expected, ==, "a 1 0x1p+0\na 2 0x1p+1\nb 3 0x1.8p+1\n");
  stored_close (stored);
  assert_describes (folder, expected);
  folder_free (folder);
}

/* The newest position that failed. */
static void
note_position (guint64 *position, guint64 failed, const char *reason)
{
  g_assert_nonnull (strstr (reason, "full"));
  *position = MAX (*position, failed);
}

static guint64
get_pending (Stored *stored)
{
  MetricsStorageFigures figures;

  metrics_storage_get_figures (stored->storage, &figures);
  return figures.pending;
}

/* No file can grow any more: points are refused, deletions are kept, and make room for points. */
static void
test_full (void)
{
  char *folder = folder_new ();
  g_autofree char *reserve = g_build_filename (folder, "reserve", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *after = NULL;
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "old", G_MININT64, G_MAXINT64);
  Stored *stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  MetricsJournal *journal;
  guint64 failed = 0;
  guint64 deleted;
  gint64 time = 0;

  g_assert_no_error (error);
  for (; time < 50000; time++)
    put (stored->store, "old", time, noise_at (time));
  stored_close (stored);
  stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  g_assert_no_error (error);
  journal = METRICS_JOURNAL (stored->storage);
  g_signal_connect_swapped (stored->storage, "failed", G_CALLBACK (note_position), &failed);
  faulty_vfs_fill (reserve);
  while (failed == 0)
    if (metrics_journal_get_position (journal) < metrics_journal_get_kept (journal) + 1000)
      {
        put (stored->store, "new", time, noise_at (time));
        time++;
      }
    else
      g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (run_delete (stored->store, &spec, 1000000), ==, 50000);
  deleted = metrics_journal_get_position (journal);
  put (stored->store, "behind", 1, 1);
  while (metrics_journal_get_kept (journal) < deleted)
    g_main_context_iteration (NULL, TRUE);
  /* What came before it could not be kept when it was; later, all is. */
  g_assert_cmpuint (failed, >, 0);
  g_assert_cmpuint (failed, !=, deleted);
  while (get_pending (stored) > 0)
    g_main_context_iteration (NULL, FALSE);
  stored_await_kept (stored);
  faulty_vfs_stop ();
  expected = stored_describe (stored);
  after = stored_describe_copy (folder);
  g_assert_cmpstr (after, ==, expected);
  stored_close (stored);
  assert_describes (folder, expected);
  folder_free (folder);
}

/* What cannot be written does not take all memory: at last nothing more is taken, and who would put waits or
 * is told before. When the cause is gone, all of it is kept, and more is taken. */
static void
test_long_outage (void)
{
  char *folder = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_INTERVAL, &error);
  MetricsJournal *journal = METRICS_JOURNAL (stored->storage);
  MetricsStorageFigures figures;
  guint n_failures = 0;
  guint n = 0;

  g_assert_no_error (error);
  g_signal_connect_swapped (stored->storage, "failed", G_CALLBACK (note_failure), &n_failures);
  logged_expect ("cannot write*metricsd.db*full*");
  faulty_vfs_fail_at (FAULTY_WRITES, 1, TRUE);
  put (stored->store, "a", 1, 1);
  while (n_failures == 0)
    g_main_context_iteration (NULL, TRUE);
  logged_assert_expected ();
  g_assert_false (metrics_journal_is_awaited (journal));

  do
    {
      g_autofree char *key = g_strdup_printf ("%01000u", ++n);

      metrics_store_put (stored->store, key, strlen (key), (MetricsPoint){ n, n }, &error);
    }
  while (error == NULL && n < 100 * 1000);
  g_assert_nonnull (error);
  g_assert_true (g_str_has_prefix (error->message, "storage: "));
  g_clear_error (&error);
  g_assert_true (metrics_journal_is_awaited (journal));
  metrics_storage_get_figures (stored->storage, &figures);
  g_assert_cmpuint (figures.pending, >, 64 << 20);
  g_assert_cmpuint (figures.pending, <, 65 << 20);

  logged_expect ("writing*works again");
  faulty_vfs_stop ();
  stored_await_kept (stored);
  logged_assert_expected ();
  g_assert_false (metrics_journal_is_awaited (journal));
  put (stored->store, "a", 2, 2);
  g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==, n + 1);
  stored_close (stored);
  stored = stored_open (folder, METRICS_DURABILITY_INTERVAL, &error);
  g_assert_cmpuint (metrics_store_get_n_points (stored->store), ==, n + 1);
  stored_close (stored);
  folder_free (folder);
}

/* A stop while nothing can be written does not wait for ever, and says that something is lost. */
static void
test_stop_in_outage (void)
{
  char *folder = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_INTERVAL, &error);

  g_assert_no_error (error);
  put (stored->store, "a", 1, 1);
  stored_await_kept (stored);
  faulty_vfs_fail_at (FAULTY_WRITES, 1, TRUE);
  put (stored->store, "a", 2, 2);
  g_assert_false (stored_try_close (stored, &error));
  g_assert_nonnull (error);
  faulty_vfs_stop ();
  assert_describes (folder, "a 1 0x1p+0\n");
  folder_free (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();
  faulty_vfs_install ();

  g_test_add_data_func ("/storage-faults/each-call/once", GINT_TO_POINTER (FALSE), test_each_call);
  g_test_add_data_func ("/storage-faults/each-call/following", GINT_TO_POINTER (TRUE), test_each_call);
  g_test_add_func ("/storage-faults/outage", test_outage);
  g_test_add_func ("/storage-faults/full", test_full);
  g_test_add_func ("/storage-faults/long-outage", test_long_outage);
  g_test_add_func ("/storage-faults/stop-in-outage", test_stop_in_outage);

  return g_test_run ();
}
