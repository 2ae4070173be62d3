/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"
#include "helpers.h"

/* What is kept of deleted points for queries that began before, and what it may cost. */

#define N_POINTS 20000
#define N_READERS 100

static MetricsQuerySpec
everything (void)
{
  return spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
}

static guint64
delete_span (MetricsStore *store, gint64 from, gint64 to)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "*", from, to);

  return run_delete (store, &spec, 1000);
}

/* A span without points lies within many series: nothing has to be kept of them. */
static void
test_gap (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  MetricsQuerySpec spec = everything ();
  g_autoptr (Run) reader = NULL;
  guint64 memory;

  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%u", i);

      put (store, key, 0, 1);
      put (store, key, 1000, 2);
    }
  /* One series whose gap lies within a sealed chunk, and one where it lies between two. */
  for (gint64 i = 0; i < 2000; i++)
    {
      put (store, "inside", i < 100 ? i : i + 1000, i);
      put (store, "between", i < 256 ? i : i + 1000, i);
    }

  reader = run_new (store, &spec);
  memory = metrics_store_get_memory (store);
  g_assert_cmpuint (delete_span (store, 500, 510), ==, 0);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory);
  g_assert_cmpuint (delete_span (store, 1000, 1000), ==, 300);
  run_to_end (reader, 1000);
  g_assert_cmpuint (reader->rows->len, ==, 2 * 300 + 2 * 2000);
}

/* Readers that do not go on while points are deleted: those that began first are given up where the limit is
 * reached. Deletions are done all the same, and whoever is not given up sees all that there was. */
static void
test_limit (void)
{
  const guint64 limit = 1 << 19;
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, limit);
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func ((GDestroyNotify) run_free);
  MetricsQuerySpec spec = everything ();
  guint n_lost = 0;

  for (gint64 i = 0; i < N_POINTS; i++)
    put (store, "long", i, noise_at (i));
  for (guint i = 0; i < N_READERS; i++)
    {
      g_ptr_array_add (readers, run_new (store, &spec));
      g_assert_cmpuint (delete_span (store, i * 100, i * 100), ==, 1);
      g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
    }
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, N_POINTS - N_READERS);

  for (guint i = 0; i < N_READERS; i++)
    {
      Run *reader = readers->pdata[i];
      MetricsQueryState state;

      while ((state = run_next (reader, 1000)) == METRICS_QUERY_ROW || state == METRICS_QUERY_PAUSED)
        ;
      if (state == METRICS_QUERY_LOST)
        {
          /* The oldest go first. */
          g_assert_cmpuint (n_lost, ==, i);
          n_lost++;
          continue;
        }
      g_assert_cmpint (state, ==, METRICS_QUERY_DONE);
      g_assert_cmpuint (reader->rows->len, ==, N_POINTS - i);
    }
  g_assert_cmpuint (n_lost, >, 0);
  g_assert_cmpuint (n_lost, <, N_READERS);
}

/* Readers that hold a whole series, when all its chunks are replaced again and again: what they hold is in no
 * image, but takes memory as well. */
static void
test_held (void)
{
  const guint64 limit = 1 << 19;
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, limit);
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func ((GDestroyNotify) run_free);
  MetricsQuerySpec spec = everything ();
  guint n_lost = 0;

  for (gint64 i = 0; i < N_POINTS; i++)
    put (store, "long", i, noise_at (i));
  for (gint64 i = 0; i < 10; i++)
    {
      Run *reader = run_new (store, &spec);

      g_ptr_array_add (readers, reader);
      g_assert_cmpint (run_next (reader, 1000), ==, METRICS_QUERY_ROW);
      for (gint64 at = i; at < N_POINTS; at += 100)
        {
          g_assert_cmpuint (delete_span (store, at, at), ==, 1);
          g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
        }
    }

  for (guint i = 0; i < readers->len; i++)
    {
      Run *reader = readers->pdata[i];
      MetricsQueryState state;

      while ((state = run_next (reader, 1000)) == METRICS_QUERY_ROW || state == METRICS_QUERY_PAUSED)
        ;
      if (state == METRICS_QUERY_LOST)
        g_assert_cmpuint (n_lost++, ==, i);
      else
        g_assert_cmpuint (reader->rows->len, ==, N_POINTS - i * N_POINTS / 100);
    }
  g_assert_cmpuint (n_lost, >, 0);
  g_assert_cmpuint (n_lost, <, readers->len);
}

/* Room is made by giving up no more readers than it takes, even where what one of them kept is freed in many
 * steps. */
static void
test_no_more_than_needed (void)
{
  g_autoptr (MetricsStore) probe = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (MetricsStore) store = NULL;
  g_autoptr (Run) old = NULL;
  g_autoptr (Run) young = NULL;
  MetricsQuerySpec spec = everything ();

  for (gint64 i = 0; i < 10 * N_POINTS; i++)
    put (probe, "long", i, noise_at (i));
  /* There is room for one image of the series and a half, not for two. */
  store = metrics_store_new (G_MAXUINT64, metrics_store_get_memory (probe) + 10 * N_POINTS / 256 * 104);
  for (gint64 i = 0; i < 10 * N_POINTS; i++)
    put (store, "long", i, noise_at (i));

  old = run_new (store, &spec);
  g_assert_cmpuint (delete_span (store, 5, 5), ==, 1);
  young = run_new (store, &spec);
  spec = spec_of (METRICS_QUERY_DELETE, "*", 7, 7);
  g_assert_cmpuint (run_delete (store, &spec, 1), ==, 1);

  g_assert_cmpint (run_next (old, 1000), ==, METRICS_QUERY_LOST);
  g_assert_cmpint (run_next (old, 1000), ==, METRICS_QUERY_LOST);
  run_to_end (young, 1000);
  g_assert_cmpuint (young->rows->len, ==, 10 * N_POINTS - 1);
}

/* What a reader held that is given up half-way is let go of bit by bit, and so is what it held when it goes
 * on to the end. */
static void
test_slices (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  Run *reader;
  gint budget = 100;

  for (gint64 i = 0; i < 50 * N_POINTS; i++)
    put (store, "long", i, noise_at (i));
  reader = run_new (store, &spec);
  g_assert_cmpint (run_next (reader, 10000), ==, METRICS_QUERY_ROW);
  g_assert_cmpuint (delete_span (store, G_MININT64, G_MAXINT64), ==, 50 * N_POINTS);
  g_assert_cmpuint (metrics_store_get_memory (store), >, 0);

  /* A query that is freed takes a bounded part along; the others do the rest. */
  run_free (reader);
  g_assert_cmpuint (metrics_store_get_memory (store), >, 0);
  g_assert_false (metrics_store_drain (store, &budget));
  g_assert_cmpint (budget, >, -10);
  do
    budget = 1000;
  while (!metrics_store_drain (store, &budget));
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

static void
on_wake (MetricsQuery *query, gpointer user_data)
{
  gboolean *woken = user_data;

  *woken = TRUE;
}

static void
fill (MetricsStore *store, gint64 *n)
{
  while (metrics_store_put (store, "a", 1, (MetricsPoint){ .time = *n, .value = noise_at (*n) }, NULL))
    (*n)++;
}

/* A reader can be given up while it waits for a chunk: it learns of it when it has been woken. */
static void
test_lost_waiting (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store
      = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, "memory-limit", (guint64) 200000, NULL);
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func ((GDestroyNotify) run_free);
  MetricsQuerySpec spec = everything ();
  gboolean woken = FALSE;
  gint64 n = 0;
  gint budget = 1000000;
  Run *reader;

  /* The older part is on disk alone. */
  fill (store, &n);
  dummy_chunk_source_save (source, store, 1);
  metrics_store_evict (store, 150000, &budget);
  fill (store, &n);
  /* Each holds a copy of the newest points, until there is more than the limit. */
  for (guint i = 0; i < 100; i++)
    {
      g_ptr_array_add (readers, run_new (store, &spec));
      g_assert_cmpint (run_next (readers->pdata[i], 1000), ==, METRICS_QUERY_NOT_YET);
    }
  g_assert_cmpuint (metrics_store_get_memory (store), >, 200000);
  reader = readers->pdata[0];
  metrics_query_set_wake_func (reader->query, on_wake, &woken);

  g_ptr_array_add (readers, run_new (store, &spec));
  g_assert_cmpuint (delete_span (store, G_MININT64, G_MAXINT64), ==, n);
  g_ptr_array_set_size (readers, 1);
  while (!metrics_store_drain (store, &budget))
    budget = 1000000;

  g_assert_cmpint (run_next (reader, 1000), ==, METRICS_QUERY_NOT_YET);
  while (!woken)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (run_next (reader, 1000), ==, METRICS_QUERY_LOST);
  g_ptr_array_set_size (readers, 0);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/history/gap", test_gap);
  g_test_add_func ("/history/limit", test_limit);
  g_test_add_func ("/history/held", test_held);
  g_test_add_func ("/history/no-more-than-needed", test_no_more_than_needed);
  g_test_add_func ("/history/slices", test_slices);
  g_test_add_func ("/history/lost-waiting", test_lost_waiting);

  return g_test_run ();
}
