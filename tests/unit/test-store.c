/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "store/metrics-chunk.h"

#include <string.h>

#define NO_LIMIT G_MAXUINT64

static gboolean
try_put (MetricsStore *store, const char *key, gint64 time, double value, gint code)
{
  g_autoptr (GError) error = NULL;
  gboolean done
      = metrics_store_put (store, key, strlen (key), (MetricsPoint){ .time = time, .value = value }, &error);

  if (done)
    g_assert_no_error (error);
  else
    g_assert_error (error, METRICS_STORE_ERROR, code);
  return done;
}

static guint64
delete_all (MetricsStore *store, const char *pattern)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, pattern, G_MININT64, G_MAXINT64);

  return run_delete (store, &spec, 100);
}

static double
get_value (MetricsStore *store, const char *key, gint64 time)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, key, time, time);
  g_autoptr (Run) run = run_new (store, &spec);

  run_to_end (run, 100);
  g_assert_cmpuint (run->rows->len, ==, 1);
  return g_array_index (run->rows, ModelRow, 0).point.value;
}

/* Fills a series until it is refused; returns how many points it took. */
static guint
fill (MetricsStore *store, const char *key, guint64 limit)
{
  guint n = 0;

  while (try_put (store, key, n, noise_at (n), METRICS_STORE_ERROR_MEMORY_LIMIT))
    {
      n++;
      g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
    }
  return n;
}

static void
test_properties (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (12, 345);
  g_autoptr (GObject) source = NULL;
  guint64 series_limit, memory_limit;

  g_object_get (store, "series-limit", &series_limit, "memory-limit", &memory_limit, "chunk-source", &source,
                NULL);
  g_assert_cmpuint (series_limit, ==, 12);
  g_assert_cmpuint (memory_limit, ==, 345);
  g_assert_null (source);
}

static void
test_series_limit (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (2, NO_LIMIT);

  put (store, "a", 1, 1);
  put (store, "b", 1, 1);
  g_assert_false (try_put (store, "c", 1, 1, METRICS_STORE_ERROR_SERIES_LIMIT));
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 2);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 2);
  put (store, "a", 2, 2);

  g_assert_cmpuint (delete_all (store, "a"), ==, 2);
  put (store, "c", 1, 1);
  g_assert_false (try_put (store, "a", 1, 1, METRICS_STORE_ERROR_SERIES_LIMIT));
}

static void
test_error_texts (void)
{
  g_autoptr (MetricsStore) none = metrics_store_new (0, NO_LIMIT);
  g_autoptr (MetricsStore) little = metrics_store_new (NO_LIMIT, 0);
  g_autoptr (GError) error = NULL;
  MetricsPoint point = { 0 };

  g_assert_false (metrics_store_put (none, "a", 1, point, &error));
  g_assert_cmpstr (error->message, ==, "series limit reached");
  g_clear_error (&error);
  g_assert_false (metrics_store_put (little, "a", 1, point, &error));
  g_assert_cmpstr (error->message, ==, "memory limit reached");
  g_assert_false (metrics_store_put (little, "a", 1, point, NULL));
}

static void
test_memory_limit (void)
{
  const guint64 limit = 300000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  guint n = fill (store, "a", limit);
  guint64 memory = metrics_store_get_memory (store);

  /* It can be used, but for the room that one put may need at most. */
  g_assert_cmpuint (memory, >, limit - 10000);
  g_assert_cmpuint (n, >, limit / 20);

  /* What is there can be replaced: the oldest, the newest, one between. */
  g_assert_true (try_put (store, "a", 0, 5, 0));
  g_assert_true (try_put (store, "a", n / 2, 6, 0));
  g_assert_true (try_put (store, "a", n - 1, 7, 0));
  g_assert_cmpfloat (get_value (store, "a", 0), ==, 5);
  g_assert_cmpfloat (get_value (store, "a", n / 2), ==, 6);
  g_assert_cmpfloat (get_value (store, "a", n - 1), ==, 7);
  memory = metrics_store_get_memory (store);
  g_assert_cmpuint (memory, <=, limit);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, n);

  /* A late point is refused as a new one is, and changes nothing. */
  g_assert_false (try_put (store, "a", -1, 1, METRICS_STORE_ERROR_MEMORY_LIMIT));
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, n);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory);
}

static void
test_memory_comes_back (void)
{
  const guint64 limit = 200000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  guint n = fill (store, "a", limit);
  MetricsQuerySpec half = spec_of (METRICS_QUERY_DELETE, "a", 0, n / 2);

  g_assert_cmpuint (run_delete (store, &half, 100), ==, n / 2 + 1);
  g_assert_cmpuint (metrics_store_get_memory (store), <, limit * 6 / 10);
  put (store, "b", 0, 1);
  g_assert_cmpuint (delete_all (store, "*"), ==, n - n / 2);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
  g_assert_cmpuint (fill (store, "a", limit), ==, n);
}

/* Random puts and deletes under a limit: it is never exceeded, and all that is counted in is counted out. */
static void
test_memory_limit_random (void)
{
  const guint64 limit = 100000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  guint n_refused = 0;

  for (guint i = 0; i < get_operations (200000); i++)
    {
      g_autofree char *key = g_strdup_printf ("%d", g_test_rand_int_range (0, 12));

      if (!try_put (store, key, g_test_rand_int_range (0, 5000), g_test_rand_double (),
                    METRICS_STORE_ERROR_MEMORY_LIMIT))
        n_refused++;
      if (g_test_rand_int_range (0, 2000) == 0)
        delete_all (store, key);
      g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
    }
  g_assert_cmpuint (n_refused, >, 0);
  delete_all (store, "*");
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

/* Replacing a point of a chunk that a reader holds takes memory after all: the old chunk stays. */
static void
test_reader_and_replacing (void)
{
  const guint64 limit = 100000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "a", 0, G_MAXINT64);
  g_autoptr (Run) reader = NULL;
  guint n_refused = 0;

  fill (store, "a", limit);
  reader = run_new (store, &spec);
  while (reader->rows->len == 0)
    run_next (reader, 1);
  for (guint i = 0; i < 300; i++)
    {
      if (!try_put (store, "a", 20 * i, noise_at (i) + 2, METRICS_STORE_ERROR_MEMORY_LIMIT))
        n_refused++;
      g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
    }
  g_assert_cmpuint (n_refused, >, 0);
  run_to_end (reader, 10);
  g_assert_cmpfloat (g_array_index (reader->rows, ModelRow, 0).point.value, ==, 1);
  g_assert_true (try_put (store, "a", 0, 3, 0));
}

/* What a reader holds counts: deleting and putting again while it holds on cannot exceed the limit. */
static void
test_reader_counts (void)
{
  const guint64 limit = 200000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  guint n = fill (store, "a", limit);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (Run) reader = run_new (store, &spec);
  g_autoptr (Run) late = run_new (store, &spec);

  /* One stands in the series, one has yet to arrive there. */
  while (reader->rows->len == 0)
    run_next (reader, 10);
  g_assert_cmpuint (delete_all (store, "a"), ==, n);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 0);
  g_assert_cmpuint (fill (store, "a", G_MAXUINT64), <, n / 10);

  run_to_end (reader, 100);
  g_assert_cmpuint (reader->rows->len, ==, n);
  run_to_end (late, 100);
  g_assert_cmpuint (late->rows->len, ==, n);
  delete_all (store, "*");
  g_assert_cmpuint (metrics_store_get_memory (store), ==, 0);
}

static void
test_order_of_first_put (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_KEYS, "*", 0, 0);
  g_autoptr (Run) run = NULL;
  static const char *const keys[] = { "z", "m", "b", "a" };

  for (guint i = 0; i < 3; i++)
    put (store, (const char *[]){ "a", "z", "m" }[i], 1, 1);
  put (store, "b", 1, 1);
  put (store, "z", 2, 1);
  g_assert_cmpuint (delete_all (store, "a"), ==, 1);
  put (store, "a", 1, 1);

  run = run_new (store, &spec);
  run_to_end (run, 1);
  g_assert_cmpuint (run->keys->len, ==, G_N_ELEMENTS (keys));
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_assert_cmpstr (g_ptr_array_index (run->keys, i), ==, keys[i]);
}

/* Keys that only differ in a byte, and those of any length, are kept apart. */
static void
test_keys (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  char key[1024];

  memset (key, 'k', sizeof key);
  for (guint len = 1; len <= sizeof key; len++)
    g_assert_true (metrics_store_put (store, key, len, (MetricsPoint){ .value = len }, NULL));
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, sizeof key);
  for (guint len = 1; len <= sizeof key; len++)
    {
      g_autofree char *text = g_strndup (key, len);

      g_assert_cmpfloat (get_value (store, text, 0), ==, len);
    }
}

/* A chunk that took late points and was split is no longer than any other when it is sealed. */
static void
test_late_and_in_order (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  gint64 time = 0;

  for (guint i = 0; i < 256; i++)
    put (store, "k", time += 10, i % 7);
  put (store, "k", time - 5, 1);
  for (guint i = 0; i < 511; i++)
    put (store, "k", time += 10, i % 7);
  put (store, "k", time - 3005, 1);
  for (guint i = 0; i < 600; i++)
    put (store, "k", time += 10, i % 7);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 256 + 1 + 511 + 1 + 600);
}

/* A deletion takes no memory to speak of, whatever it leaves as the newest chunk of a series. */
static void
test_deleting_takes_no_memory (void)
{
  const guint n_series = 200;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  MetricsQuerySpec newest = spec_of (METRICS_QUERY_DELETE, "*", 512 * 10, G_MAXINT64);
  MetricsQuerySpec middle = spec_of (METRICS_QUERY_DELETE, "*", 300 * 10, 301 * 10);
  guint64 memory;

  for (gint64 i = 0; i < 530; i++)
    for (guint j = 0; j < n_series; j++)
      {
        g_autofree char *key = g_strdup_printf ("%u", j);

        put (store, key, i * 10, i % 10);
      }
  memory = metrics_store_get_memory (store);
  g_assert_cmpuint (run_delete (store, &newest, 100), ==, 18 * n_series);
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory);
  g_assert_cmpuint (run_delete (store, &middle, 100), ==, 2 * n_series);
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory);
  for (guint j = 0; j < n_series; j++)
    {
      g_autofree char *key = g_strdup_printf ("%u", j);

      put (store, key, 5200, j);
      g_assert_cmpfloat (get_value (store, key, 5110), ==, 511 % 10);
      g_assert_cmpfloat (get_value (store, key, 5200), ==, j);
    }
}

/* At the limit, what is there can be sent again, and replaced, in all series; chunks that were opened for
 * late points are coded before a put is refused. */
static void
test_replacing_at_the_limit (void)
{
  const guint n_series = 300;
  const guint64 limit = 1000000;
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, limit);
  guint n_opened = 0;
  gint64 i;

  for (i = 0; i < 500; i++)
    for (guint j = 0; j < n_series; j++)
      {
        g_autofree char *key = g_strdup_printf ("%u", j);

        put (store, key, i * 10, i % 10);
      }
  while (try_put (store, "other", i, noise_at (i), METRICS_STORE_ERROR_MEMORY_LIMIT))
    i++;
  for (guint round = 0; round < 3; round++)
    for (guint j = 0; j < n_series; j++)
      {
        g_autofree char *key = g_strdup_printf ("%u", j);

        put (store, key, 1000, round == 0 ? 0 : round);
        g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
      }

  /* With room, late points open a chunk of each series; that room is given back. */
  delete_all (store, "other");
  for (guint j = 0; j < n_series; j++)
    {
      g_autofree char *key = g_strdup_printf ("%u", j);

      n_opened += try_put (store, key, 1005, 1, METRICS_STORE_ERROR_MEMORY_LIMIT);
    }
  g_assert_cmpuint (n_opened, ==, n_series);
  for (guint j = 0; j < 100; j++)
    {
      g_autofree char *key = g_strdup_printf ("new %u", j);

      put (store, key, 0, 1);
    }
  g_assert_cmpuint (metrics_store_get_memory (store), <=, limit);
}

/* When the point number @i of @n comes, in one of five orders. */
static gint64
time_of (guint order, gint64 i, gint64 n)
{
  const gint64 step = 1000000;
  /* Between two chunks, if those before it are full. */
  const gint64 gap = (METRICS_CHUNK_WINDOW * 20 - 1) * step + 1;

  switch (order)
    {
    case 0:
      return i;
    case 1:
      return n - i;
    case 2: /* the second half in a gap of the first one, ascending */
      return i < n / 2 ? i * step : gap + i;
    case 3: /* and descending */
      return i < n / 2 ? i * step : gap + n - i;
    default: /* in no order */
      return i * 7919 % n;
    }
}

/* The order in which points come hardly matters for what they cost: chunks are filled in ascending and in
 * descending order, in a gap between others as well, and are half full at worst otherwise. */
static void
test_density (void)
{
  const guint n = 20000;
  guint64 sizes[5];

  for (guint order = 0; order < G_N_ELEMENTS (sizes); order++)
    {
      g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);

      for (guint i = 0; i < n; i++)
        put (store, "a", time_of (order, i, n), noise_at (i));
      g_assert_cmpuint (metrics_store_get_n_points (store), ==, n);
      sizes[order] = metrics_store_get_memory (store);
    }
  for (guint order = 0; order < 4; order++)
    g_assert_cmpuint (sizes[order], <, n * 10);
  g_assert_cmpuint (sizes[4], <, n * 15);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/store/properties", test_properties);
  g_test_add_func ("/store/series-limit", test_series_limit);
  g_test_add_func ("/store/error-texts", test_error_texts);
  g_test_add_func ("/store/memory-limit", test_memory_limit);
  g_test_add_func ("/store/memory-limit/replacing", test_replacing_at_the_limit);
  g_test_add_func ("/store/memory-limit/deleting", test_deleting_takes_no_memory);
  g_test_add_func ("/store/late-and-in-order", test_late_and_in_order);
  g_test_add_func ("/store/memory-limit/random", test_memory_limit_random);
  g_test_add_func ("/store/memory-comes-back", test_memory_comes_back);
  g_test_add_func ("/store/reader-counts", test_reader_counts);
  g_test_add_func ("/store/reader-and-replacing", test_reader_and_replacing);
  g_test_add_func ("/store/order-of-first-put", test_order_of_first_put);
  g_test_add_func ("/store/keys", test_keys);
  g_test_add_func ("/store/density", test_density);
  return g_test_run ();
}
