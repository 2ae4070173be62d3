/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "tape.h"

#include "coding/metrics-coding.h"

#include <math.h>
#include <string.h>

/* What a store tells its journal, and a store that is made again from what was kept. */

typedef struct
{
  MetricsStore *store;
  Tape *tape;
} Fixture;

/* Where nothing is on disk alone, nothing has to be loaded. */
static MetricsRestoreResult
restore_put (MetricsStore *store, guint64 id, MetricsPoint point)
{
  MetricsChunkRequest request;

  return metrics_store_restore_put (store, id, point, &request);
}

static MetricsRestoreResult
restore_remove (MetricsStore *store, guint64 id, gint64 from, gint64 to)
{
  MetricsChunkRequest request;

  return metrics_store_restore_remove (store, id, from, to, &request);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  f->tape = tape_new ();
  metrics_store_set_journal (f->store, METRICS_JOURNAL (f->tape));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->tape);
}

static void
check_begin (Fixture *f, guint i, guint64 id, const char *key)
{
  const Change *change = tape_get (f->tape, i);

  g_assert_cmpint (change->kind, ==, CHANGE_BEGIN);
  g_assert_cmpuint (change->id, ==, id);
  g_assert_cmpstr (change->key, ==, key);
}

static void
check_put (Fixture *f, guint i, guint64 id, gint64 time, double value)
{
  const Change *change = tape_get (f->tape, i);

  g_assert_cmpint (change->kind, ==, CHANGE_PUT);
  g_assert_cmpuint (change->id, ==, id);
  g_assert_cmpint (change->point.time, ==, time);
  g_assert_cmpfloat (change->point.value, ==, value);
}

static void
check_remove (Fixture *f, guint i, guint64 id, gint64 from, gint64 to)
{
  const Change *change = tape_get (f->tape, i);

  g_assert_cmpint (change->kind, ==, CHANGE_REMOVE);
  g_assert_cmpuint (change->id, ==, id);
  g_assert_cmpint (change->from, ==, from);
  g_assert_cmpint (change->to, ==, to);
}

static guint64 delete (MetricsStore *store, const char *pattern, gint64 from, gint64 to)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, pattern, from, to);

  return run_delete (store, &spec, 1000);
}

static Run *
read_all (MetricsStore *store)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  Run *run = run_new (store, &spec);

  run_to_end (run, 4096);
  return run;
}

static void
check_same (MetricsStore *store, MetricsStore *expected)
{
  g_autoptr (Run) a = read_all (expected);
  g_autoptr (Run) b = read_all (store);

  model_assert_rows (a->rows, b->rows, &a->spec);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, metrics_store_get_n_series (expected));
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, metrics_store_get_n_points (expected));
}

static void
restore_series (MetricsStore *store, guint64 id, const char *key)
{
  g_autoptr (GError) error = NULL;

  metrics_store_restore_series (store, id, key, strlen (key), &error);
  g_assert_no_error (error);
}

static void
restore_chunk (MetricsStore *store, guint64 id, GBytes *data)
{
  g_autoptr (GError) error = NULL;

  metrics_store_restore_chunk (store, id, data, &error);
  g_assert_no_error (error);
}

/* The code of points at a regular step of 10, whose values are their numbers. */
static GBytes *
code_points (gint64 first, guint n)
{
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];
  guint8 data[METRICS_CODING_MAX_SIZE (METRICS_CODING_MAX_POINTS)];

  for (guint i = 0; i < n; i++)
    {
      times[i] = first + i * 10;
      values[i] = i;
    }
  return g_bytes_new (data, metrics_coding_encode (data, times, values, n));
}

static void
test_told (Fixture *f, gconstpointer data)
{
  put (f->store, "a", 10, 1);
  put (f->store, "b", 10, 2);
  put (f->store, "a", 20, 3);
  put (f->store, "a", 20, 4);
  check_begin (f, 0, 1, "a");
  check_put (f, 1, 1, 10, 1);
  check_begin (f, 2, 2, "b");
  check_put (f, 3, 2, 10, 2);
  check_put (f, 4, 1, 20, 3);
  check_put (f, 5, 1, 20, 4);

  /* The span as it was asked for; series that have nothing in it are left out. */
  g_assert_cmpuint (delete (f->store, "*", 15, 1000), ==, 1);
  check_remove (f, 6, 1, 15, 1000);
  g_assert_cmpuint (delete (f->store, "*", 11, 1000), ==, 0);
  g_assert_cmpuint (delete (f->store, "none", 0, 1000), ==, 0);
  g_assert_cmpuint (tape_get_length (f->tape), ==, 7);

  /* A key that comes again is a new series. */
  g_assert_cmpuint (delete (f->store, "a", G_MININT64, G_MAXINT64), ==, 1);
  put (f->store, "a", 30, 5);
  check_remove (f, 7, 1, G_MININT64, G_MAXINT64);
  check_begin (f, 8, 3, "a");
  check_put (f, 9, 3, 30, 5);
  g_assert_cmpuint (tape_get_length (f->tape), ==, 10);
}

static void
test_refused (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (1, G_MAXUINT64);
  g_autoptr (Tape) tape = tape_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MetricsJournal) journal = NULL;

  put (store, "a", 1, 1);
  g_object_set (store, "journal", tape, NULL);
  g_object_get (store, "journal", &journal, NULL);
  g_assert_true (journal == METRICS_JOURNAL (tape));
  g_assert_false (metrics_store_put (store, "b", 1, (MetricsPoint){ 1, 1 }, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_SERIES_LIMIT);
  g_assert_cmpuint (tape_get_length (tape), ==, 0);

  put (store, "a", 2, 1);
  g_assert_cmpuint (tape_get_length (tape), ==, 1);
  metrics_store_set_journal (store, NULL);
  put (store, "a", 3, 1);
  g_assert_cmpuint (tape_get_length (tape), ==, 1);
}

/* Whatever is done between the slices of a deletion: at any time the tape gives what the store has. */
static void
test_slices (Fixture *f, gconstpointer data)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "k*", 1000, 3000);
  g_autoptr (Run) reader = NULL;
  Run *deleter;
  guint n = 0;

  for (guint k = 0; k < 8; k++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", k);

      for (guint i = 0; i < 600; i++)
        put (f->store, key, (k % 2 == 0 ? 0 : 1000) + i * (k % 2 == 0 ? 10 : 2), noise_at (i));
    }
  spec.kind = METRICS_QUERY_POINTS;
  reader = run_new (f->store, &spec);
  run_next (reader, 1);
  spec.kind = METRICS_QUERY_DELETE;
  deleter = run_new (f->store, &spec);
  for (; run_next (deleter, 1) != METRICS_QUERY_DONE; n++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", n % 9);
      MetricsStore *again = metrics_store_new (G_MAXUINT64, G_MAXUINT64);

      tape_play (f->tape, again, NULL);
      metrics_store_restore_finish (again, 0);
      check_same (again, f->store);
      g_assert_finalize_object (again);
      put (f->store, key, 1500, n);
    }
  g_assert_cmpuint (n, >, 8);
  g_assert_cmpuint (metrics_query_get_n_deleted (deleter->query), >, 2400);
  run_free (deleter);
}

/* Numbers may come in any order; what is put later goes on behind the largest. */
static void
test_order (Fixture *f, gconstpointer data)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (Run) run = NULL;

  restore_series (store, 5, "five");
  restore_series (store, 9, "nine");
  restore_series (store, 2, "two");
  restore_series (store, 7, "seven");
  restore_series (store, 5, "five");
  g_assert_cmpint (restore_put (store, 2, (MetricsPoint){ 1, 2 }), ==, METRICS_RESTORE_DONE);
  g_assert_cmpint (restore_put (store, 5, (MetricsPoint){ 1, 5 }), ==, METRICS_RESTORE_DONE);
  g_assert_cmpint (restore_put (store, 9, (MetricsPoint){ 1, 9 }), ==, METRICS_RESTORE_DONE);
  g_assert_cmpint (restore_put (store, 8, (MetricsPoint){ 1, 8 }), ==, METRICS_RESTORE_NO_SERIES);
  g_assert_cmpint (restore_put (store, 9, (MetricsPoint){ 2, NAN }), ==, METRICS_RESTORE_NO_SERIES);
  g_assert_cmpint (restore_remove (store, 8, 1, 1), ==, METRICS_RESTORE_NO_SERIES);
  metrics_store_restore_finish (store, 100);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 3);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 3);

  metrics_store_set_journal (store, METRICS_JOURNAL (f->tape));
  put (store, "seven", 1, 7);
  check_begin (f, 0, 101, "seven");
  run = read_all (store);
  g_assert_cmpstr (g_ptr_array_index (run->keys, 0), ==, "two");
  g_assert_cmpstr (g_ptr_array_index (run->keys, 1), ==, "five");
  g_assert_cmpstr (g_ptr_array_index (run->keys, 2), ==, "nine");
  g_assert_cmpstr (g_ptr_array_index (run->keys, 3), ==, "seven");
  g_clear_pointer (&run, run_free);
}

/* A key that was deleted and put again has two numbers; chunks may be of the later one already. */
static void
test_key_again (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (GBytes) chunk = code_points (0, 3);
  g_autoptr (Run) run = NULL;

  restore_series (store, 4, "a");
  restore_chunk (store, 4, chunk);
  restore_series (store, 1, "b");
  restore_chunk (store, 1, chunk);
  restore_series (store, 3, "a");
  g_assert_cmpint (restore_put (store, 3, (MetricsPoint){ 5, 5 }), ==, METRICS_RESTORE_NO_SERIES);
  g_assert_cmpint (restore_remove (store, 3, G_MININT64, G_MAXINT64), ==, METRICS_RESTORE_NO_SERIES);

  /* Even if it is not said that the older one went. */
  restore_series (store, 6, "b");
  g_assert_cmpint (restore_put (store, 1, (MetricsPoint){ 5, 5 }), ==, METRICS_RESTORE_NO_SERIES);
  g_assert_cmpint (restore_put (store, 6, (MetricsPoint){ 7, 7 }), ==, METRICS_RESTORE_DONE);
  metrics_store_restore_finish (store, 6);
  run = read_all (store);
  g_assert_cmpuint (run->rows->len, ==, 4);
  g_assert_cmpfloat (g_array_index (run->rows, ModelRow, 3).point.value, ==, 7);
  g_clear_pointer (&run, run_free);
}

/* In between, a series may be without points. */
static void
test_empty_between (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (GBytes) chunk = code_points (10, 1);

  restore_series (store, 1, "a");
  restore_chunk (store, 1, chunk);
  g_assert_cmpint (restore_remove (store, 1, 0, 100), ==, METRICS_RESTORE_DONE);
  g_assert_cmpint (restore_put (store, 1, (MetricsPoint){ 20, 1 }), ==, METRICS_RESTORE_DONE);
  g_assert_cmpint (restore_remove (store, 1, 100, 0), ==, METRICS_RESTORE_DONE);
  metrics_store_restore_finish (store, 1);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 1);
}

/* What there was is there again, whatever the limits are now; there is no room for more. */
static void
test_limits (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (1, 1000);
  g_autoptr (GBytes) chunk = code_points (0, METRICS_CODING_MAX_POINTS);
  g_autoptr (GError) error = NULL;

  restore_series (store, 1, "a");
  restore_chunk (store, 1, chunk);
  restore_series (store, 2, "b");
  restore_chunk (store, 2, chunk);
  for (guint i = 0; i < METRICS_CODING_MAX_POINTS; i++)
    g_assert_cmpint (restore_put (store, 2, (MetricsPoint){ i * 10 + 1, noise_at (i) }), ==,
                     METRICS_RESTORE_DONE);
  metrics_store_restore_finish (store, 2);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 3 * METRICS_CODING_MAX_POINTS);
  g_assert_cmpuint (metrics_store_get_memory (store), >, 1000);
  g_assert_false (metrics_store_put (store, "a", 1, (MetricsPoint){ -1, 1 }, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_MEMORY_LIMIT);
  g_assert_cmpuint (delete (store, "*", G_MININT64, G_MAXINT64), ==, 3 * METRICS_CODING_MAX_POINTS);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

static void
check_bad_series (MetricsStore *store, guint64 id, const char *key, gsize key_len)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_store_restore_series (store, id, key, key_len, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_DAMAGED);
}

static void
check_bad_chunk (MetricsStore *store, guint64 id, GBytes *data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_store_restore_chunk (store, id, data, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_DAMAGED);
}

static void
test_damaged_series (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);

  restore_series (store, 1, "a");
  check_bad_series (store, 1, "b", 1);
  check_bad_series (store, 0, "b", 1);
  check_bad_series (store, G_MAXUINT64, "b", 1);
  check_bad_series (store, 2, "", 0);
  check_bad_series (store, 2, "a b", 3);
  check_bad_series (store, 2, "\xff", 1);
  check_bad_series (store, 2, "a\0", 2);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 1);
  metrics_store_restore_finish (store, 0);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 0);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

static void
test_damaged_chunk (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (GBytes) good = code_points (0, 100);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) behind = code_points (991, 2);
  g_autoptr (GBytes) overlapping = code_points (990, 2);
  gsize size = g_bytes_get_size (good);

  restore_series (store, 1, "a");
  check_bad_chunk (store, 2, good);
  check_bad_chunk (store, 1, empty);
  for (gsize n = 1; n < size; n++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (good, 0, n);

      check_bad_chunk (store, 1, part);
    }
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 0);

  restore_chunk (store, 1, good);
  check_bad_chunk (store, 1, good);
  check_bad_chunk (store, 1, overlapping);
  restore_chunk (store, 1, behind);
  g_assert_cmpint (restore_put (store, 1, (MetricsPoint){ 5000, 1 }), ==, METRICS_RESTORE_DONE);
  metrics_store_restore_finish (store, 1);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 103);
}

/* What has the form of a chunk, but times that do not ascend. */
static void
test_damaged_times (void)
{
  static const gint64 times[][3] = { { 10, 10, 10 }, { 20, 10, 0 }, { 10, 30, 20 }, { 10, 20, 20 } };
  static const double values[3] = { 1, 2, 3 };
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);

  restore_series (store, 1, "a");
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      guint8 data[METRICS_CODING_MAX_SIZE (3)];
      gsize size = metrics_coding_encode (data, times[i], values, 3);
      g_autoptr (GBytes) bytes = g_bytes_new (data, size);

      check_bad_chunk (store, 1, bytes);
    }
}

/* Any bytes: what is taken can be read, and the store stays whole. */
static void
test_flipped_bits (void)
{
  g_autoptr (GBytes) good = code_points (0, 30);
  gsize size;
  const guint8 *data = g_bytes_get_data (good, &size);
  guint n_refused = 0;

  for (gsize bit = 0; bit < size * 8; bit++)
    {
      MetricsStore *store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
      g_autofree guint8 *copy = g_memdup2 (data, size);
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (Run) run = NULL;

      copy[bit / 8] ^= 1 << bit % 8;
      bytes = g_bytes_new (copy, size);
      restore_series (store, 1, "a");
      n_refused += !metrics_store_restore_chunk (store, 1, bytes, NULL);
      metrics_store_restore_finish (store, 1);
      run = read_all (store);
      g_assert_cmpuint (run->rows->len, ==, metrics_store_get_n_points (store));
      g_clear_pointer (&run, run_free);
      g_assert_finalize_object (store);
    }
  g_assert_cmpuint (n_refused, >, 0);
}

static guint64
count_stored (GPtrArray *stored, gint64 last)
{
  guint64 n = 0;

  for (guint i = 0; i < stored->len; i++)
    {
      const MetricsStoredChunk *chunk = g_ptr_array_index (stored, i);
      MetricsCoded coded;
      gsize size;
      const guint8 *data = g_bytes_get_data (chunk->data, &size);

      g_assert_true (metrics_coding_open (&coded, data, size));
      g_assert_true (metrics_coding_check (&coded));
      g_assert_cmpuint (coded.n, ==, chunk->n_points);
      g_assert_cmpint (chunk->first, >, last);
      last = chunk->last;
      n += chunk->n_points;
    }
  return n;
}

static void
test_snapshot (Fixture *f, gconstpointer data)
{
  const guint n = 3 * METRICS_CODING_MAX_POINTS + 10;
  guint64 memory;
  GPtrArray *stored;

  for (guint i = 0; i < n; i++)
    put (f->store, "a", i * 10, noise_at (i));
  /* The open chunk takes late points: it is kept in two pieces. */
  for (guint i = 0; i < METRICS_CODING_MAX_POINTS + 20; i++)
    put (f->store, "a", n * 10 - 15 + i, noise_at (i));
  memory = metrics_store_get_memory (f->store);

  g_assert_null (metrics_store_snapshot (f->store, 2, G_MININT64, G_MAXINT64));
  stored = metrics_store_snapshot (f->store, 1, G_MININT64, G_MAXINT64);
  g_assert_cmpuint (count_stored (stored, -1), ==, metrics_store_get_n_points (f->store));
  g_assert_cmpuint (stored->len, >, 4);
  g_ptr_array_unref (stored);

  /* Whole chunks, however little of them is in the span. */
  stored = metrics_store_snapshot (f->store, 1, 20, 20);
  g_assert_cmpuint (count_stored (stored, -1), ==, METRICS_CODING_MAX_POINTS);
  g_ptr_array_unref (stored);
  stored = metrics_store_snapshot (f->store, 1, 10 * METRICS_CODING_MAX_POINTS - 10,
                                   10 * METRICS_CODING_MAX_POINTS);
  g_assert_cmpuint (count_stored (stored, -1), ==, 2 * METRICS_CODING_MAX_POINTS);
  g_ptr_array_unref (stored);
  stored = metrics_store_snapshot (f->store, 1, -20, -10);
  g_assert_cmpuint (stored->len, ==, 0);
  g_ptr_array_unref (stored);
  stored = metrics_store_snapshot (f->store, 1, 20, 10);
  g_assert_cmpuint (stored->len, ==, 0);
  g_ptr_array_unref (stored);
  g_assert_cmpuint (metrics_store_get_memory (f->store), ==, memory);

  /* Gone, even if somebody stands on it still. */
  {
    MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
    g_autoptr (Run) reader = run_new (f->store, &spec);

    g_assert_cmpint (run_next (reader, 1000), ==, METRICS_QUERY_ROW);
    g_assert_cmpuint (delete (f->store, "a", G_MININT64, G_MAXINT64), >, 0);
    g_assert_null (metrics_store_snapshot (f->store, 1, G_MININT64, G_MAXINT64));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/restore/told", Fixture, NULL, set_up, test_told, tear_down);
  g_test_add_func ("/restore/refused", test_refused);
  g_test_add ("/restore/slices", Fixture, NULL, set_up, test_slices, tear_down);
  g_test_add ("/restore/order", Fixture, NULL, set_up, test_order, tear_down);
  g_test_add_func ("/restore/key-again", test_key_again);
  g_test_add_func ("/restore/empty-between", test_empty_between);
  g_test_add_func ("/restore/limits", test_limits);
  g_test_add_func ("/restore/damaged-series", test_damaged_series);
  g_test_add_func ("/restore/damaged-chunk", test_damaged_chunk);
  g_test_add_func ("/restore/damaged-times", test_damaged_times);
  g_test_add_func ("/restore/flipped-bits", test_flipped_bits);
  g_test_add ("/restore/snapshot", Fixture, NULL, set_up, test_snapshot, tear_down);
  return g_test_run ();
}
