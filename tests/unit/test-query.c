/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"

#include <string.h>

#define NO_LIMIT G_MAXUINT64

static MetricsStore *
store_of (guint n_keys, guint n_points)
{
  MetricsStore *store = metrics_store_new (NO_LIMIT, NO_LIMIT);

  for (guint i = 0; i < n_keys; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%u", i);

      for (guint j = 0; j < n_points; j++)
        put (store, key, j, j);
    }
  return store;
}

static MetricsQuerySpec
all_of (MetricsQueryKind kind, const char *pattern)
{
  return spec_of (kind, pattern, G_MININT64, G_MAXINT64);
}

/* Runs a query with a small budget; run_next() asserts that none of its calls does much more. Returns: how
 * many calls it took */
static guint
count_calls (MetricsStore *store, MetricsQuerySpec spec, guint *n_rows)
{
  g_autoptr (Run) run = run_new (store, &spec);

  run_to_end (run, 100);
  *n_rows = run->rows->len;
  return run->n_calls;
}

static void
test_slices_of_keys (void)
{
  g_autoptr (MetricsStore) store = store_of (50000, 1);
  guint n_rows;

  g_assert_cmpuint (count_calls (store, all_of (METRICS_QUERY_LAST, "x*"), &n_rows), >=, 50000 / 100);
  g_assert_cmpuint (n_rows, ==, 0);
  g_assert_cmpuint (count_calls (store, all_of (METRICS_QUERY_KEYS, "*9999"), &n_rows), >=, 50000 / 100);
  g_assert_cmpuint (n_rows, ==, 5);
  g_assert_cmpuint (count_calls (store, all_of (METRICS_QUERY_POINTS, "*x*y*"), &n_rows), >=, 50000 / 100);
  g_assert_cmpuint (n_rows, ==, 0);
}

/* One key is looked up, however many there are. */
static void
test_literal (void)
{
  g_autoptr (MetricsStore) store = store_of (5000, 1);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_POINTS, "key4999");
  guint n_rows;

  g_assert_cmpuint (count_calls (store, spec, &n_rows), <=, 3);
  g_assert_cmpuint (n_rows, ==, 1);
  spec.is_pattern = FALSE;
  g_assert_cmpuint (count_calls (store, spec, &n_rows), <=, 3);
  g_assert_cmpuint (n_rows, ==, 1);
  g_assert_cmpuint (count_calls (store, all_of (METRICS_QUERY_POINTS, "key\\4999"), &n_rows), <=, 3);
  g_assert_cmpuint (n_rows, ==, 1);
  g_assert_cmpuint (count_calls (store, all_of (METRICS_QUERY_LAST, "none"), &n_rows), <=, 3);
  g_assert_cmpuint (n_rows, ==, 0);
}

/* A key that only looks like a pattern is itself. */
static void
test_key_is_no_pattern (void)
{
  g_autoptr (MetricsStore) store = store_of (10, 1);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_POINTS, "key*");
  guint n_rows;

  spec.is_pattern = FALSE;
  count_calls (store, spec, &n_rows);
  g_assert_cmpuint (n_rows, ==, 0);
  put (store, "key*", 7, 7);
  count_calls (store, spec, &n_rows);
  g_assert_cmpuint (n_rows, ==, 1);
}

static void
test_slices_of_deletion (void)
{
  g_autoptr (MetricsStore) store = store_of (2000, 600);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_DELETE, "*");
  g_autoptr (Run) run = run_new (store, &spec);

  run_to_end (run, 100);
  g_assert_cmpuint (metrics_query_get_n_deleted (run->query), ==, 2000 * 600);
  g_assert_cmpuint (run->n_calls, >=, 2000 * 3 / 100);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 0);
}

static void
test_slices_of_buckets (void)
{
  const guint n = 300000;
  g_autoptr (MetricsStore) store = store_of (1, n);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_BUCKETS, "*");
  guint n_rows;

  spec.step = G_MAXINT64;
  for (spec.aggregation = METRICS_AGGREGATION_AVG; spec.aggregation <= METRICS_AGGREGATION_RATE;
       spec.aggregation++)
    {
      guint n_calls = count_calls (store, spec, &n_rows);

      g_assert_cmpuint (n_calls, >=, n / 101);
      g_assert_cmpuint (n_rows, ==, 1);
    }
}

static void
test_empty_span (void)
{
  g_autoptr (MetricsStore) store = store_of (3, 10);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "*", 5, 4);
  guint n_rows;

  spec.step = 1;
  spec.aggregation = METRICS_AGGREGATION_RATE;
  count_calls (store, spec, &n_rows);
  g_assert_cmpuint (n_rows, ==, 0);
  spec.kind = METRICS_QUERY_POINTS;
  count_calls (store, spec, &n_rows);
  g_assert_cmpuint (n_rows, ==, 0);
  spec.kind = METRICS_QUERY_DELETE;
  g_assert_cmpuint (run_delete (store, &spec, 10), ==, 0);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 30);
}

/* Two deletions at once share the points: each is counted once. */
static void
test_two_deletions (void)
{
  g_autoptr (MetricsStore) store = store_of (300, 10);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_DELETE, "*");
  g_autoptr (Run) a = run_new (store, &spec);
  g_autoptr (Run) b = run_new (store, &spec);
  gboolean a_done = FALSE;
  gboolean b_done = FALSE;

  while (!a_done || !b_done)
    {
      a_done = a_done || run_next (a, 7) == METRICS_QUERY_DONE;
      b_done = b_done || run_next (b, 11) == METRICS_QUERY_DONE;
    }
  g_assert_cmpuint (metrics_query_get_n_deleted (a->query) + metrics_query_get_n_deleted (b->query), ==,
                    3000);
  g_assert_cmpuint (metrics_query_get_n_deleted (a->query), >, 0);
  g_assert_cmpuint (metrics_query_get_n_deleted (b->query), >, 0);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

/* A deletion spares the series that came after it began. */
static void
test_deletion_and_new_series (void)
{
  g_autoptr (MetricsStore) store = store_of (3, 10);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_DELETE, "*");
  g_autoptr (Run) run = run_new (store, &spec);

  put (store, "new", 1, 1);
  run_to_end (run, 1);
  g_assert_cmpuint (metrics_query_get_n_deleted (run->query), ==, 30);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 1);
}

/* Queries may be given up anywhere; what was kept for them is freed, at the latest when the store is told to.
 */
static void
test_given_up (void)
{
  for (guint n_calls = 0; n_calls < 60; n_calls++)
    {
      g_autoptr (MetricsStore) store = store_of (5, 600);
      MetricsQuerySpec read = all_of (METRICS_QUERY_POINTS, "*");
      MetricsQuerySpec delete = all_of (METRICS_QUERY_DELETE, "*");
      Run *reader = run_new (store, &read);
      Run *deletion;
      gint budget = 1000000;

      for (guint i = 0; i < n_calls; i++)
        run_next (reader, 40);
      deletion = run_new (store, &delete);
      for (guint i = 0; i < n_calls; i++)
        run_next (deletion, 1);
      run_free (deletion);
      run_delete (store, &delete, 100);
      if (n_calls < 40)
        g_assert_cmpuint (metrics_store_get_memory (store), >, 0);
      run_free (reader);
      /* Every other store is freed as it is. */
      if (n_calls % 2 == 0)
        continue;
      g_assert_true (metrics_store_drain (store, &budget));
      g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
    }
}

/* What a reader leaves behind is carried out on the way of puts too. */
static void
test_drained_by_puts (void)
{
  g_autoptr (MetricsStore) store = store_of (3000, 1);
  MetricsQuerySpec read = all_of (METRICS_QUERY_POINTS, "*");
  MetricsQuerySpec delete = all_of (METRICS_QUERY_DELETE, "*");
  Run *reader = run_new (store, &read);
  guint64 memory;

  g_assert_cmpuint (run_delete (store, &delete, 100), ==, 3000);
  memory = metrics_store_get_memory (store);
  run_free (reader);
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory);
  g_assert_cmpuint (metrics_store_get_memory (store), >, 0);
  for (guint i = 0; i < 3000; i++)
    put (store, "other", 0, i);
  g_assert_cmpuint (metrics_store_get_memory (store), <, 500);
}

/* A query keeps its store. */
static void
test_store_unreffed (void)
{
  MetricsStore *store = store_of (3, 600);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_POINTS, "*");
  g_autoptr (Run) half = run_new (store, &spec);
  g_autoptr (Run) whole = run_new (store, &spec);

  run_next (half, 100);
  run_next (half, 100);
  g_object_unref (store);
  run_to_end (whole, 100);
  g_assert_cmpuint (whole->rows->len, ==, 1800);
}

/* As the protocol has it: a series is shown as of one instant, and nothing that was stored is missing. */
static void
test_one_instant (void)
{
  g_autoptr (MetricsStore) store = store_of (2, 1000);
  MetricsQuerySpec spec = all_of (METRICS_QUERY_POINTS, "*");
  MetricsQuerySpec delete = all_of (METRICS_QUERY_DELETE, "*");
  g_autoptr (Run) run = run_new (store, &spec);

  while (run->rows->len == 0)
    run_next (run, 10);
  /* The first series was arrived at: this is not shown. The second one was not: this is. */
  put (store, "key0", 500, -1);
  put (store, "key0", 2000, -1);
  put (store, "key1", 500, -1);
  put (store, "key1", 2000, -1);
  put (store, "key2", 1, 1);
  g_assert_cmpuint (run_delete (store, &delete, 100), ==, 2003);
  run_to_end (run, 10);

  g_assert_cmpuint (run->keys->len, ==, 2);
  g_assert_cmpuint (run->rows->len, ==, 2001);
  for (guint i = 0; i < 2001; i++)
    {
      const ModelRow *row = &g_array_index (run->rows, ModelRow, i);

      g_assert_cmpstr (row->key, ==, i < 1000 ? "key0" : "key1");
      g_assert_cmpint (row->point.time, ==, i == 2000 ? 2000 : i % 1000);
      g_assert_cmpfloat (row->point.value, ==, i == 1500 || i == 2000 ? -1. : i % 1000);
    }
}

/* Spans whose ends are at the ends of chunks or beside them, or anywhere else: reading and deleting. */
static void
check_span (gint64 n, gint64 from, gint64 to)
{
  g_autoptr (MetricsStore) store = store_of (1, n);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", from, to);
  gint64 first = CLAMP (from, 0, n);
  gint64 n_inside = CLAMP (to + 1, 0, n) - first;
  g_autoptr (Run) before = run_new (store, &spec);
  g_autoptr (Run) after = NULL;

  run_to_end (before, 1000);
  g_assert_cmpint (before->rows->len, ==, n_inside);
  if (n_inside > 0)
    g_assert_cmpint (g_array_index (before->rows, ModelRow, 0).point.time, ==, first);

  spec.kind = METRICS_QUERY_DELETE;
  g_assert_cmpint (run_delete (store, &spec, 1000), ==, n_inside);
  spec = all_of (METRICS_QUERY_POINTS, "*");
  after = run_new (store, &spec);
  run_to_end (after, 1000);
  g_assert_cmpint (after->rows->len, ==, n - n_inside);
  for (gint64 i = 0; i < after->rows->len; i++)
    g_assert_cmpint (g_array_index (after->rows, ModelRow, i).point.time, ==, i < first ? i : i + n_inside);
}

static void
test_spans (void)
{
  const gint64 lengths[] = { 1, 2, 3, 100, 255, 256, 257, 258, 400, 511, 512, 513, 599, 700 };

  for (gint64 from = -1; from <= 600; from += from > 250 && from < 260 ? 1 : 7)
    {
      for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
        check_span (600, from, from + lengths[i] - 1);
    }
  /* The last time is the first one of a chunk. */
  for (gint64 to = 250; to < 260; to++)
    check_span (600, 100, to);
}

/* The increase into the span counts, in whichever chunk the point before it is. */
static void
test_rate_from (void)
{
  g_autoptr (MetricsStore) store = store_of (1, 600);

  for (gint64 from = 0; from < 600; from++)
    {
      MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "*", from, from);
      g_autoptr (Run) run = NULL;

      spec.step = 1;
      spec.aggregation = METRICS_AGGREGATION_RATE;
      run = run_new (store, &spec);
      run_to_end (run, 1000);
      g_assert_cmpuint (run->rows->len, ==, from == 0 ? 0 : 1);
      if (from > 0)
        g_assert_cmpfloat (g_array_index (run->rows, ModelRow, 0).point.value, ==, 1);
    }
}

/* What a deletion keeps for readers: all that they have yet to see, to the last point */
static void
test_kept_span (void)
{
  for (gint64 time = 3; time <= 8; time++)
    {
      g_autoptr (MetricsStore) store = store_of (1, 10);
      MetricsQuerySpec read = spec_of (METRICS_QUERY_POINTS, "*", 4, 7);
      MetricsQuerySpec delete = spec_of (METRICS_QUERY_DELETE, "*", time, time);
      g_autoptr (Run) run = run_new (store, &read);

      g_assert_cmpuint (run_delete (store, &delete, 100), ==, 1);
      run_to_end (run, 100);
      g_assert_cmpuint (run->rows->len, ==, 4);
    }
}

static void
delete_span (MetricsStore *store, const char *key, gint64 from, gint64 to)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key, from, to);

  g_assert_cmpuint (run_delete (store, &spec, 100), >, 0);
}

/* ... and no more: not what they have seen, not what they do not ask for, nothing twice, nothing too long. */
static void
test_kept_only (void)
{
  g_autoptr (MetricsStore) store = store_of (3, 250);
  guint64 series = metrics_store_get_memory (store) / 3;
  MetricsQuerySpec read = all_of (METRICS_QUERY_POINTS, "key?");
  g_autoptr (Run) run = run_new (store, &read);
  guint64 memory;

  while (run->rows->len <= 250)
    run_next (run, 100);
  memory = metrics_store_get_memory (store);
  delete_span (store, "key0", 0, 250);
  g_assert_cmpuint (metrics_store_get_memory (store), <=, memory - series);

  put (store, "other", 1, 1);
  memory = metrics_store_get_memory (store);
  delete_span (store, "other", 0, 1);
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory);

  memory = metrics_store_get_memory (store);
  for (gint64 i = 0; i < 100; i++)
    delete_span (store, "key2", i, i);
  g_assert_cmpuint (metrics_store_get_memory (store), <=, memory + 2 * series);
}

/* A later reader does not need what was kept for an earlier one. */
static void
test_kept_for_earlier (void)
{
  g_autoptr (MetricsStore) store = store_of (1, 250);
  MetricsQuerySpec read = all_of (METRICS_QUERY_POINTS, "*");
  g_autoptr (Run) run = run_new (store, &read);
  g_autoptr (Run) late = NULL;

  delete_span (store, "*", 0, 250);
  late = run_new (store, &read);
  run_to_end (run, 100);
  g_assert_cmpuint (run->rows->len, ==, 250);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
  run_to_end (late, 100);
  g_assert_cmpuint (late->rows->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/query/slices/keys", test_slices_of_keys);
  g_test_add_func ("/query/slices/deletion", test_slices_of_deletion);
  g_test_add_func ("/query/slices/buckets", test_slices_of_buckets);
  g_test_add_func ("/query/literal", test_literal);
  g_test_add_func ("/query/key-is-no-pattern", test_key_is_no_pattern);
  g_test_add_func ("/query/empty-span", test_empty_span);
  g_test_add_func ("/query/two-deletions", test_two_deletions);
  g_test_add_func ("/query/deletion-and-new-series", test_deletion_and_new_series);
  g_test_add_func ("/query/given-up", test_given_up);
  g_test_add_func ("/query/drained-by-puts", test_drained_by_puts);
  g_test_add_func ("/query/store-unreffed", test_store_unreffed);
  g_test_add_func ("/query/one-instant", test_one_instant);
  g_test_add_func ("/query/spans", test_spans);
  g_test_add_func ("/query/rate-from", test_rate_from);
  g_test_add_func ("/query/kept/span", test_kept_span);
  g_test_add_func ("/query/kept/only", test_kept_only);
  g_test_add_func ("/query/kept/for-earlier", test_kept_for_earlier);
  return g_test_run ();
}
