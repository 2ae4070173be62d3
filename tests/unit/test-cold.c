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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cold/reading", test_not_yet);
  g_test_add_func ("/cold/deleting", test_not_yet_deleting);
  g_test_add_func ("/cold/given-up", test_not_yet_given_up);
  g_test_add_func ("/cold/broken", test_not_yet_broken);
  return g_test_run ();
}
