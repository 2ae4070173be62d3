/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "tape.h"

#include <string.h>

/* Chunks that are on disk alone. */

#define NO_LIMIT G_MAXUINT64

static void
on_wake (MetricsQuery *query, gpointer user_data)
{
  guint *n_woken = user_data;

  (*n_woken)++;
}

/* Runs a query whose chunks are fetched. Returns: how often it had to wait */
static guint
run_waiting (Run *run)
{
  guint n_woken = 0;
  guint n_waited = 0;
  MetricsQueryState state;

  metrics_query_set_wake_func (run->query, on_wake, &n_woken);
  while ((state = run_next (run, 50)) != METRICS_QUERY_DONE)
    {
      if (state != METRICS_QUERY_NOT_YET)
        continue;
      g_assert_cmpuint (n_woken, ==, n_waited++);
      g_assert_cmpint (run_next (run, 50), ==, METRICS_QUERY_NOT_YET);
      while (n_woken < n_waited)
        g_main_context_iteration (NULL, TRUE);
    }
  g_assert_cmpuint (n_woken, ==, n_waited);
  return n_waited;
}

/* A store of one series, which is on disk alone but for what is put later. */
static MetricsStore *
cold_store_new (DummyChunkSource *source)
{
  MetricsStore *store = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, NULL);
  g_autoptr (Tape) tape = tape_new ();
  gint budget = G_MAXINT;

  metrics_store_set_journal (store, METRICS_JOURNAL (tape));
  for (guint i = 0; i < 10000; i++)
    put (store, "a", i, i % 100);
  dummy_chunk_source_save (source, store, 1);
  metrics_store_evict (store, 0, &budget);
  g_assert_cmpuint (metrics_store_get_memory (store), <, 1000);
  metrics_store_take_work (store);
  return store;
}

static void
test_not_yet (void)
{
  static const guint n_waits[] = { 1, 1, 1, 0 };
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);
  g_autoptr (MetricsStore) plain = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint64 memory = metrics_store_get_memory (store);

  for (guint i = 0; i < 10000; i++)
    put (plain, "a", i, i % 100);
  for (guint kind = METRICS_QUERY_POINTS; kind <= METRICS_QUERY_KEYS; kind++)
    {
      MetricsQuerySpec spec = spec_of (kind, "*", 100, 9900);
      g_autoptr (Run) run = NULL;
      g_autoptr (Run) expected = NULL;

      spec.step = 6000;
      spec.aggregation = METRICS_AGGREGATION_MEDIAN;
      run = run_new (store, &spec);
      g_assert_cmpuint (run_waiting (run), ==, n_waits[kind]);
      expected = run_new (plain, &spec);
      run_to_end (expected, 10000);
      model_assert_rows (expected->rows, run->rows, &spec);
    }
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory);
  g_assert_cmpuint (dummy_chunk_source_get_n_holds (source), ==, 0);
}

static void
test_not_yet_deleting (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);
  static const struct
  {
    gint64 from, to;
    guint n_waited;
    guint n_deleted;
  } steps[] = {
    { 100, 5000, 2, 4901 },   /* from within a chunk into another */
    { 256, 300, 0, 0 },       /* nothing there */
    { 6000, 6010, 1, 11 },    /* within one */
    { 9000, 20000, 1, 1000 }, /* the newest one as well: a gap takes its place */
    { -5, 20000, 0, 4088 },   /* all: nothing has to be read */
  };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "a", steps[i].from, steps[i].to);
      g_autoptr (Run) run = run_new (store, &spec);

      g_assert_cmpuint (run_waiting (run), ==, steps[i].n_waited);
      g_assert_cmpuint (metrics_query_get_n_deleted (run->query), ==, steps[i].n_deleted);
    }
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 0);
  g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), ==, 4);
}

/* A query that waits can be given up; it is not woken any more. */
static void
test_not_yet_given_up (void)
{
  static const MetricsQueryKind kinds[] = { METRICS_QUERY_POINTS, METRICS_QUERY_DELETE, METRICS_QUERY_PUT };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
      g_autoptr (MetricsStore) store = cold_store_new (source);
      guint64 memory = metrics_store_get_memory (store);
      MetricsQuerySpec spec = spec_of (kinds[i], "a", 50, 5000);
      Run *run;
      guint n_woken = 0;

      spec.point = (MetricsPoint){ .time = 50, .value = 1 };
      run = run_new (store, &spec);
      metrics_query_set_wake_func (run->query, on_wake, &n_woken);
      g_assert_cmpint (run_next (run, 50), ==, METRICS_QUERY_NOT_YET);
      run_free (run);
      g_assert_cmpuint (dummy_chunk_source_get_n_cancelled (source), ==, 1);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_assert_cmpuint (n_woken, ==, 0);
      g_assert_cmpuint (metrics_store_get_memory (store), ==, memory);
    }
}

/* What cannot be read ends a query that reads or deletes; a put is refused. */
static void
test_not_yet_broken (void)
{
  static const MetricsQueryKind kinds[]
      = { METRICS_QUERY_POINTS, METRICS_QUERY_BUCKETS, METRICS_QUERY_LAST, METRICS_QUERY_DELETE };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
      g_autoptr (MetricsStore) store = cold_store_new (source);
      MetricsQuerySpec spec = spec_of (kinds[i], "a", 50, 5000);
      g_autoptr (Run) run = NULL;
      guint n_woken = 0;

      spec.step = 10;
      spec.aggregation = METRICS_AGGREGATION_SUM;
      dummy_chunk_source_break (source);
      run = run_new (store, &spec);
      metrics_query_set_wake_func (run->query, on_wake, &n_woken);
      g_assert_cmpint (run_next (run, 50), ==, METRICS_QUERY_NOT_YET);
      while (n_woken == 0)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (run_next (run, 50), ==, METRICS_QUERY_LOST);
    }
}

/* Puts, after what had to be waited for. */
static void
put_late (MetricsStore *store, gint64 time, double value, guint n_waits)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_PUT, "a", G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = NULL;

  spec.is_pattern = FALSE;
  spec.point = (MetricsPoint){ .time = time, .value = value };
  run = run_new (store, &spec);
  g_assert_cmpuint (run_waiting (run), ==, n_waits);
}

static gboolean
try_put (MetricsStore *store, const char *key, gint64 time, double value, MetricsStoreError code)
{
  g_autoptr (GError) error = NULL;

  if (metrics_store_put (store, key, strlen (key), (MetricsPoint){ .time = time, .value = value }, &error))
    return TRUE;
  g_assert_error (error, METRICS_STORE_ERROR, (gint) code);
  return FALSE;
}

static double
get_value (MetricsStore *store, gint64 time)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "a", time, time);
  g_autoptr (Run) run = run_new (store, &spec);

  run_waiting (run);
  g_assert_cmpuint (run->rows->len, ==, 1);
  return g_array_index (run->rows, ModelRow, 0).point.value;
}

/* A late point loads the chunk where it belongs; a newer one loads nothing. */
static void
test_late (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);

  put (store, "a", 10000, 7);
  put (store, "a", 20000, 7);
  put (store, "a", 15000, 7);
  g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), ==, 0);

  g_assert_false (try_put (store, "a", 700, -1, METRICS_STORE_ERROR_NOT_YET));
  put_late (store, 700, -1, 1);
  g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), ==, 1);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 10003);
  /* Its neighbours are there now, too. */
  put (store, "a", 701, -2);
  g_assert_cmpfloat (get_value (store, 699), ==, 99);
  g_assert_cmpfloat (get_value (store, 700), ==, -1);
  g_assert_cmpfloat (get_value (store, 701), ==, -2);
  g_assert_cmpfloat (get_value (store, 5000), ==, 0);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 10003);
}

static guint
count_new (const GPtrArray *snapshot)
{
  guint n = 0;

  for (guint i = 0; i < snapshot->len; i++)
    n += ((const MetricsStoredChunk *) g_ptr_array_index (snapshot, i))->data != NULL;
  return n;
}

static void
check_snapshot (MetricsStore *store, guint n_new)
{
  g_autoptr (GPtrArray) snapshot = metrics_store_snapshot (store, 1, G_MININT64, G_MAXINT64);

  g_assert_cmpuint (count_new (snapshot), ==, n_new);
}

/* A checkpoint writes what changed, and nothing else. */
static void
test_kept (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);

  for (guint i = 0; i < 1000; i++)
    put (store, "a", i, noise_at (i));
  check_snapshot (store, 4);
  /* What was handed out is not yet on disk. */
  check_snapshot (store, 4);
  metrics_store_confirm (store, 1, G_MININT64, G_MAXINT64);
  check_snapshot (store, 0);
  put (store, "a", 1000, 1);
  check_snapshot (store, 1);
  put (store, "a", 1001, 1);
  metrics_store_confirm (store, 1, G_MININT64, G_MAXINT64);
  check_snapshot (store, 1);
  metrics_store_confirm (store, 1, G_MININT64, G_MAXINT64);
  put (store, "a", 300, 7);
  check_snapshot (store, 1);
  metrics_store_confirm (store, 1, 0, 200);
  check_snapshot (store, 1);
  metrics_store_confirm (store, 1, G_MININT64, G_MAXINT64);
  /* The same again is no change. */
  put (store, "a", 600, noise_at (600));
  check_snapshot (store, 0);
}

/* Points that are damaged are gone, and only they; the next checkpoint takes them away. */
static void
test_damaged (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "a", G_MININT64, G_MAXINT64);
  g_autoptr (Run) before = NULL;
  g_autoptr (Run) after = NULL;
  gint budget = G_MAXINT;

  dummy_chunk_source_damage (source, 1, 600);
  before = run_new (store, &spec);
  run_waiting (before);
  g_assert_cmpuint (before->rows->len, ==, 10000 - 256);

  put_late (store, 600, 5, 1);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 10000 - 256 + 1);
  dummy_chunk_source_save (source, store, 1);
  metrics_store_evict (store, 0, &budget);
  after = run_new (store, &spec);
  run_waiting (after);
  g_assert_cmpuint (after->rows->len, ==, 10000 - 256 + 1);
  g_assert_cmpfloat (get_value (store, 600), ==, 5);
}

/* Where all points of a series are damaged, it is gone when somebody finds that out to change it. */
static void
test_all_damaged (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, NULL);
  g_autoptr (Tape) tape = tape_new ();
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "a", 50, 60);
  gint budget = G_MAXINT;

  metrics_store_set_journal (store, METRICS_JOURNAL (tape));
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (Run) run = NULL;

      for (guint i = 0; i < 100; i++)
        put (store, "a", i, noise_at (i));
      dummy_chunk_source_save (source, store, 1 + round);
      metrics_store_evict (store, 0, &budget);
      dummy_chunk_source_damage (source, 1 + round, 50);
      if (round == 0)
        {
          put_late (store, 50, 1, 1);
          g_assert_cmpuint (metrics_store_get_n_points (store), ==, 1);
          continue;
        }
      run = run_new (store, &spec);
      run_waiting (run);
      g_assert_cmpuint (metrics_query_get_n_deleted (run->query), ==, 0);
      g_assert_cmpuint (metrics_store_get_n_series (store), ==, 0);
    }
}

/* What a reader has begun to show it shows to the end, whatever is written meanwhile. */
static void
test_one_instant (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "a", G_MININT64, G_MAXINT64);
  MetricsQuerySpec middle = spec_of (METRICS_QUERY_DELETE, "a", 3000, 7000);
  g_autoptr (Run) reader = run_new (store, &spec);
  g_autoptr (Run) delete = run_new (store, &middle);

  g_assert_cmpint (run_next (reader, 10), ==, METRICS_QUERY_NOT_YET);
  run_waiting (delete);
  dummy_chunk_source_save (source, store, 1);
  run_waiting (reader);
  g_assert_cmpuint (reader->rows->len, ==, 10000);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 10000 - 4001);
  g_assert_cmpuint (dummy_chunk_source_get_n_holds (source), ==, 0);
}

/* What was joined with others since the last checkpoint is written by the next when memory is short. */
static void
test_touched (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, NULL);
  g_autoptr (Tape) tape = tape_new ();
  g_autoptr (GArray) touched = NULL;
  gint budget = G_MAXINT;

  metrics_store_set_journal (store, METRICS_JOURNAL (tape));
  for (guint i = 0; i < 600; i++)
    put (store, "a", i, 1);
  dummy_chunk_source_save (source, store, 1);
  for (guint i = 600; i < 1000; i++)
    put (store, "a", i, 1);
  metrics_store_evict (store, 0, &budget);
  touched = tape_take_touched (tape);
  g_assert_cmpuint (touched->len, ==, 1);
  g_assert_cmpint (g_array_index (touched, Change, 0).from, ==, 0);
  dummy_chunk_source_save (source, store, 1);
  g_assert_false (metrics_store_evict (store, 0, &budget));
  g_assert_cmpint (budget, >, 0);
  check_snapshot (store, 0);
  g_assert_cmpfloat (get_value (store, 500), ==, 1);
}

/* An open chunk with few points stays for as long as each checkpoint finds new ones in it. */
static void
test_young (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = cold_store_new (source);
  gint budget = G_MAXINT;

  for (guint i = 10000; i < 10016; i++)
    {
      put (store, "a", i, i);
      dummy_chunk_source_save (source, store, 1);
      metrics_store_evict (store, 0, &budget);
      g_assert_cmpfloat (get_value (store, 10000), ==, 10000);
      g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), ==, i == 10015);
    }
  put (store, "a", 10016, 1);
  for (guint i = 0; i < 2; i++)
    {
      dummy_chunk_source_save (source, store, 1);
      metrics_store_evict (store, 0, &budget);
      g_assert_cmpfloat (get_value (store, 10016), ==, 1);
      g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), ==, 1 + i);
    }
}

/* A percentile, for which all points are read several times, does not hold all of them. */
static void
test_percentile (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, NULL);
  g_autoptr (MetricsStore) plain = metrics_store_new (NO_LIMIT, NO_LIMIT);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "a", 100, G_MAXINT64);
  const guint n = 300000;
  g_autoptr (Run) run = NULL;
  g_autoptr (Run) expected = NULL;
  gint budget = G_MAXINT;
  guint n_woken = 0;
  guint64 all, most = 0;
  MetricsQueryState state;

  for (guint i = 0; i < n; i++)
    {
      put (store, "a", i, noise_at (i));
      put (plain, "a", i, noise_at (i));
    }
  all = metrics_store_get_memory (store);
  dummy_chunk_source_save (source, store, 1);
  metrics_store_evict (store, 0, &budget);

  spec.step = 250000;
  spec.aggregation = METRICS_AGGREGATION_P95;
  expected = run_new (plain, &spec);
  run_to_end (expected, 10000);
  run = run_new (store, &spec);
  metrics_query_set_wake_func (run->query, on_wake, &n_woken);
  while ((state = run_next (run, 1000)) != METRICS_QUERY_DONE)
    {
      g_assert_cmpint (state, !=, METRICS_QUERY_LOST);
      most = MAX (most, metrics_store_get_memory (store));
      if (state == METRICS_QUERY_NOT_YET)
        g_main_context_iteration (NULL, TRUE);
    }
  model_assert_rows (expected->rows, run->rows, &spec);
  g_assert_cmpuint (most, <, all / 2);
  /* It was read more than once. */
  g_assert_cmpuint (dummy_chunk_source_get_n_fetched (source), >, 2 * n / 256 / 64);
}

#define LIMIT 200000

typedef struct
{
  DummyChunkSource *source;
  Tape *tape;
  MetricsStore *store;
  Run *run; /* that puts, and waits for room */
  guint n_woken;
} Fixture;

/* A store without room, nothing of which is on disk. */
static void
set_up (Fixture *f, gconstpointer data)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_PUT, "b", G_MININT64, G_MAXINT64);
  gint64 n = 0;

  f->source = dummy_chunk_source_new ();
  f->tape = tape_new ();
  f->store
      = g_object_new (METRICS_TYPE_STORE, "chunk-source", f->source, "memory-limit", (guint64) LIMIT, NULL);
  metrics_store_set_journal (f->store, METRICS_JOURNAL (f->tape));
  while (try_put (f->store, "a", n, noise_at (n), METRICS_STORE_ERROR_NOT_YET))
    n++;
  while (try_put (f->store, "b", n, noise_at (n), METRICS_STORE_ERROR_NOT_YET))
    n++;
  g_assert_cmpuint (metrics_store_get_memory (f->store), >, LIMIT - 20000);
  g_assert_cmpuint (metrics_store_get_memory (f->store), <=, LIMIT);
  g_assert_cmpuint (tape_get_n_pressed (f->tape), >, 0);
  metrics_store_take_work (f->store);

  spec.is_pattern = FALSE;
  spec.point = (MetricsPoint){ .time = n, .value = noise_at (n) };
  f->run = run_new (f->store, &spec);
  metrics_query_set_wake_func (f->run->query, on_wake, &f->n_woken);
  g_assert_cmpint (run_next (f->run, 100000), ==, METRICS_QUERY_NOT_YET);
  g_assert_cmpint (run_next (f->run, 100000), ==, METRICS_QUERY_NOT_YET);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->run, run_free);
  metrics_store_set_journal (f->store, NULL);
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->source);
  g_assert_finalize_object (f->tape);
}

/* A put that finds no room waits for a checkpoint. */
static void
test_room (Fixture *f, gconstpointer data)
{
  guint64 n_points = metrics_store_get_n_points (f->store);

  dummy_chunk_source_save (f->source, f->store, 2);
  g_assert_cmpuint (f->n_woken, ==, 1);
  run_to_end (f->run, 1000);
  g_assert_cmpuint (metrics_store_get_memory (f->store), <=, LIMIT - LIMIT / 8);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, n_points + 1);
}

/* Where the checkpoint fails, it is refused. */
static void
test_no_checkpoint (Fixture *f, gconstpointer data)
{
  metrics_store_refuse_waiting (f->store);
  g_assert_cmpuint (f->n_woken, ==, 1);
  g_assert_cmpint (run_next (f->run, 100000), ==, METRICS_QUERY_REFUSED);
  g_assert_true (g_error_matches (metrics_query_get_error (f->run->query), METRICS_STORE_ERROR,
                                  METRICS_STORE_ERROR_MEMORY_LIMIT));
}

/* Where no checkpoint brings room, too; but not before some have been waited for. */
static void
test_no_room (Fixture *f, gconstpointer data)
{
  guint n_settled = 0;
  MetricsQueryState state;

  do
    {
      metrics_store_settle (f->store, 0);
      g_assert_cmpuint (f->n_woken, ==, ++n_settled);
      state = run_next (f->run, 100000);
    }
  while (state == METRICS_QUERY_NOT_YET && n_settled < 100);
  g_assert_cmpint (state, ==, METRICS_QUERY_REFUSED);
  g_assert_cmpuint (n_settled, >, 1);
}

/* All that was ever put is there, however little fits into memory. */
static void
test_many (Fixture *f, gconstpointer data)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "c", G_MININT64, G_MAXINT64);
  gint64 n = 0;
  g_autoptr (Run) run = NULL;

  spec.step = G_MAXINT64;
  spec.aggregation = METRICS_AGGREGATION_COUNT;
  while (n < 200000)
    {
      if (try_put (f->store, "c", n, noise_at (n), METRICS_STORE_ERROR_NOT_YET))
        n++;
      else
        dummy_chunk_source_save (f->source, f->store, 3);
      g_assert_cmpuint (metrics_store_get_memory (f->store), <=, LIMIT);
    }
  run = run_new (f->store, &spec);
  run_waiting (run);
  g_assert_cmpfloat (g_array_index (run->rows, ModelRow, 0).point.value, ==, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cold/reading", test_not_yet);
  g_test_add_func ("/cold/deleting", test_not_yet_deleting);
  g_test_add_func ("/cold/given-up", test_not_yet_given_up);
  g_test_add_func ("/cold/broken", test_not_yet_broken);
  g_test_add_func ("/cold/late", test_late);
  g_test_add_func ("/cold/kept", test_kept);
  g_test_add_func ("/cold/damaged", test_damaged);
  g_test_add_func ("/cold/damaged/all", test_all_damaged);
  g_test_add_func ("/cold/one-instant", test_one_instant);
  g_test_add_func ("/cold/touched", test_touched);
  g_test_add_func ("/cold/young", test_young);
  g_test_add_func ("/cold/percentile", test_percentile);
#define ADD(name, func) g_test_add ("/cold/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("room", test_room);
  ADD ("room/no-checkpoint", test_no_checkpoint);
  ADD ("room/none", test_no_room);
  ADD ("room/many", test_many);
#undef ADD
  return g_test_run ();
}
