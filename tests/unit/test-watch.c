/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-pattern.h"
#include "helpers.h"
#include "store/metrics-watcher.h"
#include "tape.h"

#include <string.h>

/* Who watches a store. */

#define NO_LIMIT G_MAXUINT64
#define QUEUE_LIMIT (64 << 10)

static void
on_wake (MetricsWatcher *watcher, gpointer user_data)
{
  guint *n_woken = user_data;

  (*n_woken)++;
}

static MetricsWatcher *
watch (MetricsStore *store, const char *pattern, guint *n_woken)
{
  MetricsWatcher *watcher = metrics_watcher_new (store, QUEUE_LIMIT, on_wake, n_woken);
  g_autoptr (GError) error = NULL;

  metrics_watcher_add (watcher, pattern, strlen (pattern), &error);
  g_assert_no_error (error);
  return watcher;
}

/* All that there is, "a 1 2, b 3 4", and before it "n dropped, " where that is so. */
static char *
take (MetricsWatcher *watcher)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 n_dropped = metrics_watcher_take_n_dropped (watcher);
  MetricsWatchRow row;

  if (n_dropped > 0)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT " dropped", n_dropped);
  while (metrics_watcher_take (watcher, &row))
    g_string_append_printf (text, "%s%.*s %g %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", (int) row.key_len,
                            row.key, row.point.value, row.point.time);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

#define assert_takes(watcher, expected)                                                                      \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *assert_taken = take (watcher);                                                          \
                                                                                                             \
    g_assert_cmpstr (assert_taken, ==, expected);                                                            \
  }                                                                                                          \
  G_STMT_END

static void
test_patterns (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = NULL;
  g_autoptr (MetricsWatcher) other = NULL;

  put (store, "a.x", 1, 1);
  watcher = watch (store, "a.*", &n_woken);
  other = watch (store, "b", &n_woken);
  g_assert_cmpuint (metrics_store_get_n_watchers (store), ==, 2);
  put (store, "a.x", 2, 10);
  put (store, "b", 3, 20);
  put (store, "c", 4, 30);
  put (store, "a.x", 1, 40);
  assert_takes (watcher, "a.x 10 2, a.x 40 1");
  assert_takes (other, "b 20 3");

  /* Keys that were seen not to match, and one that matches both. */
  g_assert_true (metrics_watcher_add (watcher, "c", 1, NULL));
  g_assert_true (metrics_watcher_add (watcher, "*.x", 3, NULL));
  put (store, "c", 5, 50);
  put (store, "a.x", 6, 60);
  put (store, "b", 7, 70);
  assert_takes (watcher, "c 50 5, a.x 60 6");
  g_clear_pointer (&watcher, metrics_watcher_free);
  g_assert_cmpuint (metrics_store_get_n_watchers (store), ==, 1);
  put (store, "b", 8, 80);
  assert_takes (other, "b 70 7, b 80 8");
}

static void
test_woken_once (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "*", &n_woken);
  MetricsWatchRow row;

  put (store, "a", 1, 1);
  put (store, "a", 2, 2);
  g_assert_cmpuint (n_woken, ==, 1);
  g_assert_true (metrics_watcher_take (watcher, &row));
  put (store, "a", 3, 3);
  g_assert_cmpuint (n_woken, ==, 1);
  assert_takes (watcher, "a 2 2, a 3 3");
  put (store, "a", 4, 4);
  g_assert_cmpuint (n_woken, ==, 2);
  assert_takes (watcher, "a 4 4");
  assert_takes (watcher, "");
  g_assert_cmpuint (n_woken, ==, 2);
}

static void
test_not_put (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (1, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "*", &n_woken);
  g_autoptr (GError) error = NULL;
  MetricsPoint point = { .time = 1, .value = 1 };

  put (store, "a", 1, 1);
  g_assert_false (metrics_store_put (store, "b", 1, point, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_SERIES_LIMIT);
  /* What the store keeps for itself. */
  g_assert_true (metrics_store_put (store, "a\037late", 6, point, NULL));
  assert_takes (watcher, "a 1 1");
}

static void
test_deleted (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "*", G_MININT64, G_MAXINT64);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "a", &n_woken);

  put (store, "a", 1, 1);
  run_delete (store, &spec, 1000);
  put (store, "b", 2, 2);
  put (store, "a", 3, 3);
  assert_takes (watcher, "a 1 1, a 3 3");
}

/* A point that falls among those that are on disk alone is put later, by a query. */
static void
test_late (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsStore) store = g_object_new (METRICS_TYPE_STORE, "chunk-source", source, NULL);
  g_autoptr (Tape) tape = tape_new ();
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = NULL;
  gint budget = G_MAXINT;

  metrics_store_set_journal (store, METRICS_JOURNAL (tape));
  for (guint i = 0; i < 10000; i++)
    put (store, "a", i * 2, noise_at (i));
  dummy_chunk_source_save (source, store, 1);
  metrics_store_evict (store, 0, &budget);
  metrics_store_take_work (store);

  watcher = watch (store, "a", &n_woken);
  g_assert_false (metrics_store_put (store, "a", 1, (MetricsPoint){ .time = 77, .value = 5 }, NULL));
  assert_takes (watcher, "");
  put (store, "a", 77, 5);
  assert_takes (watcher, "a 5 77");
}

/* What the last put has cost beside the point. */
static guint
put_and_take_work (MetricsStore *store, const char *key, gint64 time)
{
  put (store, key, time, 1);
  return metrics_store_take_work (store);
}

/* Patterns are matched at the first put of a series, and again where there are others; not at each put. */
static void
test_matched_once (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  g_autoptr (MetricsWatcher) watcher = NULL;
  g_autoptr (GString) costly = g_string_new ("b");
  g_autofree char *key = g_strnfill (1000, 'a');
  guint n_woken = 0;

  while (costly->len < 100)
    g_string_append (costly, "*a");
  put (store, key, 0, 1);
  metrics_store_take_work (store);
  watcher = watch (store, costly->str, &n_woken);
  g_assert_cmpuint (put_and_take_work (store, key, 1), >, 1000);
  for (gint64 time = 2; time < 100; time++)
    g_assert_cmpuint (put_and_take_work (store, key, time), <, 10);
  g_assert_true (metrics_watcher_add (watcher, key, strlen (key), NULL));
  g_assert_cmpuint (put_and_take_work (store, key, 100), >, 1000);
  g_assert_cmpuint (put_and_take_work (store, key, 101), <, 10);
  /* The same pattern once more is no other. */
  g_assert_true (metrics_watcher_add (watcher, costly->str, costly->len, NULL));
  g_assert_cmpuint (put_and_take_work (store, key, 102), <, 10);
  g_assert_cmpuint (n_woken, ==, 1);
}

static void
test_stopped (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) one = watch (store, "*", &n_woken);
  g_autoptr (MetricsWatcher) two = watch (store, "*", &n_woken);
  g_autoptr (MetricsWatcher) three = watch (store, "*", &n_woken);

  put (store, "a", 1, 1);
  metrics_watcher_stop (two);
  metrics_watcher_stop (two);
  g_assert_cmpuint (metrics_store_get_n_watchers (store), ==, 2);
  put (store, "a", 2, 2);
  g_clear_pointer (&three, metrics_watcher_free);
  put (store, "a", 3, 3);
  assert_takes (one, "a 1 1, a 2 2, a 3 3");
  assert_takes (two, "a 1 1");
  metrics_watcher_stop (one);
  g_assert_cmpuint (metrics_store_get_n_watchers (store), ==, 0);
  put (store, "a", 4, 4);
  assert_takes (one, "");
}

/* Who gathers points is told in time that they are many, once. */
static void
test_pressed (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "*", &n_woken);
  gint64 time = 0;

  for (guint i = 0; i < 2; i++)
    {
      for (; n_woken < 2; time++)
        put (store, "a", time, 1);
      for (; metrics_store_get_n_dropped (store) == i; time++)
        put (store, "a", time, 1);
      g_assert_cmpuint (n_woken, ==, 2);
      g_assert_cmpuint (metrics_watcher_take_n_dropped (watcher), ==, 1);
      for (MetricsWatchRow row; metrics_watcher_take (watcher, &row);)
        ;
      n_woken = 0;
    }
}

static void
test_full (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint64 memory;
  guint n_woken = 0;
  MetricsWatcher *watcher;
  MetricsWatchRow row;
  guint64 n_dropped;
  guint n = 0;

  put (store, "a", 0, 0);
  memory = metrics_store_get_memory (store);
  watcher = watch (store, "a", &n_woken);
  for (guint i = 0; i < 100000; i++)
    put (store, "a", 0, i);
  g_assert_cmpuint (metrics_store_get_memory (store), <=, memory + QUEUE_LIMIT + 4096);
  n_dropped = metrics_watcher_take_n_dropped (watcher);
  g_assert_cmpuint (metrics_watcher_take_n_dropped (watcher), ==, 0);
  for (; metrics_watcher_take (watcher, &row); n++)
    g_assert_cmpfloat (row.point.value, ==, n_dropped + n);
  g_assert_cmpuint (n, >, QUEUE_LIMIT / 40);
  g_assert_cmpuint (n_dropped + n, ==, 100000);
  g_assert_cmpuint (metrics_store_get_n_dropped (store), ==, n_dropped);
  g_assert_cmpuint (n_woken, ==, 2);
  g_assert_cmpuint (metrics_store_get_memory (store), <=, memory + 4096);
  metrics_watcher_free (watcher);
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory);
}

/* Where the store has no memory left, watchers get none either, and are told. */
static void
test_memory_limit (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, 100000);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = NULL;
  MetricsWatchRow row;
  gint64 time = 0;
  guint64 n_dropped;

  while (metrics_store_put (store, "a", 1, (MetricsPoint){ .time = time, .value = noise_at (time) }, NULL))
    time++;
  watcher = watch (store, "a", &n_woken);
  for (guint i = 0; i < 2000; i++)
    {
      put (store, "a", time - 1, i);
      g_assert_cmpuint (metrics_store_get_memory (store), <=, 100000);
    }
  g_assert_cmpuint (n_woken, ==, 2);
  n_dropped = metrics_watcher_take_n_dropped (watcher);
  g_assert_cmpuint (n_dropped, >, 1000);
  for (; metrics_watcher_take (watcher, &row); n_dropped++)
    g_assert_cmpfloat (row.point.value, ==, n_dropped);
  g_assert_cmpuint (n_dropped, ==, 2000);
}

/* What the owner of a watcher keeps of what it took has half of the room that there is for all who watch. */
static void
test_kept (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, 1 << 20);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "a", &n_woken);
  g_autoptr (MetricsWatcher) other = watch (store, "b", &n_woken);
  guint64 memory = metrics_store_get_memory (store);

  g_assert_true (metrics_watcher_keep (watcher, 20000));
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory + 20000);
  g_assert_false (metrics_watcher_keep (other, 20000));
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory + 20000);
  g_assert_true (metrics_watcher_keep (watcher, 10000));
  g_assert_true (metrics_watcher_keep (other, 20000));
  g_assert_false (metrics_watcher_keep (watcher, 20000));
  g_assert_cmpuint (metrics_store_get_memory (store), ==, memory + 30000);
  g_clear_pointer (&other, metrics_watcher_free);
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory + 10000);
  g_assert_true (metrics_watcher_keep (watcher, 0));
  g_assert_cmpuint (metrics_store_get_memory (store), <, memory);
}

static void
test_pattern_limit (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  g_autoptr (GString) hard = g_string_new (NULL);
  g_autoptr (GString) half = g_string_new (NULL);
  guint n_woken = 0;
  g_autoptr (MetricsWatcher) watcher = watch (store, "a", &n_woken);
  g_autoptr (GPtrArray) watchers = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_watcher_free);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (hard->len < 1000)
    g_string_append (hard, "*a");
  while (half->len < 100)
    g_string_append (half, "*a");
  g_assert_false (metrics_watcher_add (watcher, hard->str, hard->len, &error));
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_WATCH_LIMIT);
  for (gboolean added = TRUE; added; n++)
    {
      g_autofree char *pattern = g_strdup_printf ("b%u.*", n);

      added = metrics_watcher_add (watcher, pattern, strlen (pattern), NULL);
    }
  g_assert_cmpuint (n, >=, 100);
  /* All of them together; and who goes leaves theirs to others. */
  g_clear_error (&error);
  for (n = 0; error == NULL; n++)
    {
      MetricsWatcher *next = metrics_watcher_new (store, QUEUE_LIMIT, on_wake, &n_woken);

      g_ptr_array_add (watchers, next);
      metrics_watcher_add (next, half->str, half->len, &error);
    }
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_WATCH_LIMIT);
  g_assert_cmpuint (n, >, 10);
  g_ptr_array_remove_index_fast (watchers, 0);
  g_assert_true (metrics_watcher_add (watchers->pdata[0], half->str, half->len, NULL));
  put (store, "a", 1, 1);
  assert_takes (watcher, "a 1 1");
}

typedef struct
{
  MetricsWatcher *watcher;
  GPtrArray *patterns; /* (element-type MetricsPattern) */
  GQueue expected;     /* (element-type char): what it is to take */
  guint n_woken;
} Watching;

static void
watching_free (Watching *self)
{
  metrics_watcher_free (self->watcher);
  g_ptr_array_unref (self->patterns);
  g_queue_clear_full (&self->expected, g_free);
  g_free (self);
}

static char *
make_key (guint i)
{
  return g_strdup_printf ("%c%u.%.*s", 'a' + i % 3, i, (int) (i * i % 1000),
                          "................................................................"
                          "................................................................"
                          "................................................................");
}

static Watching *
watching_new (MetricsStore *store)
{
  Watching *self = g_new0 (Watching, 1);
  gsize limit = g_test_rand_int_range (METRICS_WATCH_QUEUE_MIN, 40000);

  self->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_pattern_free);
  self->watcher = metrics_watcher_new (store, limit, on_wake, &self->n_woken);
  return self;
}

static void
watching_add (Watching *self)
{
  static const char *const patterns[] = { "*", "a*", "b1?.*", "c*7.*", "b3.*", "nobody" };
  const char *pattern = patterns[g_test_rand_int_range (0, G_N_ELEMENTS (patterns))];
  gboolean added = metrics_watcher_add (self->watcher, pattern, strlen (pattern), NULL);

  if (added)
    g_ptr_array_add (self->patterns, metrics_pattern_new (pattern, strlen (pattern)));
  g_assert_true (added || self->patterns->len > 10);
}

static void
watching_note (Watching *self, const char *key, MetricsPoint point)
{
  for (guint i = 0; i < self->patterns->len; i++)
    if (metrics_pattern_matches (self->patterns->pdata[i], key, strlen (key)))
      {
        g_queue_push_tail (&self->expected,
                           g_strdup_printf ("%s %g %" G_GINT64_FORMAT, key, point.value, point.time));
        /* And once more where they are many. */
        g_assert_cmpuint (self->n_woken, >=, 1);
        g_assert_cmpuint (self->n_woken, <=, 2);
        return;
      }
}

static void
watching_take (Watching *self, guint most)
{
  guint64 n_dropped = metrics_watcher_take_n_dropped (self->watcher);
  MetricsWatchRow row;

  g_assert_cmpuint (n_dropped, <=, g_queue_get_length (&self->expected));
  for (; n_dropped > 0; n_dropped--)
    g_free (g_queue_pop_head (&self->expected));
  for (guint i = 0; i < most; i++)
    {
      g_autofree char *expected = g_queue_pop_head (&self->expected);
      g_autofree char *taken = NULL;

      if (!metrics_watcher_take (self->watcher, &row))
        {
          g_assert_null (expected);
          self->n_woken = 0;
          return;
        }
      taken = g_strdup_printf ("%.*s %g %" G_GINT64_FORMAT, (int) row.key_len, row.key, row.point.value,
                               row.point.time);
      g_assert_cmpstr (taken, ==, expected);
    }
}

/* Watchers that come, go, add patterns and take at random, beside puts and deletions. */
static void
test_model (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  g_autoptr (GPtrArray) watchers = g_ptr_array_new_with_free_func ((GDestroyNotify) watching_free);
  guint n_keys = g_test_rand_int_range (10, 400);

  for (guint n = get_operations (100000); n > 0; n--)
    {
      Watching *any
          = watchers->len > 0 ? watchers->pdata[g_test_rand_int_range (0, (gint32) watchers->len)] : NULL;
      guint what = g_test_rand_int_range (0, 1000);
      g_autofree char *key = make_key (g_test_rand_int_range (0, (gint32) n_keys));

      if (what < 5 && watchers->len < 10)
        g_ptr_array_add (watchers, watching_new (store));
      else if (what < 8 && any != NULL)
        g_ptr_array_remove_fast (watchers, any);
      else if (what < 16 && any != NULL)
        watching_add (any);
      else if (what < 40 && any != NULL)
        watching_take (any, g_test_rand_int_range (0, 200));
      else if (what < 45)
        {
          MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key, G_MININT64, G_MAXINT64);

          run_delete (store, &spec, 10000);
        }
      else
        {
          MetricsPoint point = { .time = g_test_rand_int_range (0, 1000), .value = n };

          put (store, key, point.time, point.value);
          for (guint i = 0; i < watchers->len; i++)
            watching_note (watchers->pdata[i], key, point);
        }
    }
  for (guint i = 0; i < watchers->len; i++)
    watching_take (watchers->pdata[i], G_MAXUINT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/watch/patterns", test_patterns);
  g_test_add_func ("/watch/woken-once", test_woken_once);
  g_test_add_func ("/watch/not-put", test_not_put);
  g_test_add_func ("/watch/deleted", test_deleted);
  g_test_add_func ("/watch/late", test_late);
  g_test_add_func ("/watch/matched-once", test_matched_once);
  g_test_add_func ("/watch/stopped", test_stopped);
  g_test_add_func ("/watch/pressed", test_pressed);
  g_test_add_func ("/watch/full", test_full);
  g_test_add_func ("/watch/memory-limit", test_memory_limit);
  g_test_add_func ("/watch/kept", test_kept);
  g_test_add_func ("/watch/pattern-limit", test_pattern_limit);
  g_test_add_func ("/watch/model", test_model);

  return g_test_run ();
}
