/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk.h"

#include <string.h>

/* A chunk that holds every second time, each value the time. */
static MetricsChunk *
chunk_of (gint64 first, guint n)
{
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = first, .value = first }, 2);

  for (guint i = 1; i < n; i++)
    {
      MetricsPoint point = { .time = first + 2 * (gint64) i, .value = first + 2. * i };

      g_assert_true (metrics_chunk_put (&chunk, point));
    }
  return chunk;
}

static GArray *
points_of (const MetricsChunk *chunk)
{
  guint64 n = metrics_chunk_get_n_points (chunk);
  GArray *points = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));

  g_array_set_size (points, n);
  for (guint64 start = 0; start < n; start += METRICS_CHUNK_WINDOW)
    metrics_chunk_read (chunk, start, MIN (n - start, METRICS_CHUNK_WINDOW),
                        &g_array_index (points, MetricsPoint, start));
  return points;
}

static void
assert_points (const MetricsChunk *chunk, const GArray *expected)
{
  g_autoptr (GArray) points = points_of (chunk);

  g_assert_cmpmem (points->data, points->len * sizeof (MetricsPoint), expected->data,
                   expected->len * sizeof (MetricsPoint));
  g_assert_cmpint (metrics_chunk_get_first_time (chunk), ==, g_array_index (expected, MetricsPoint, 0).time);
  g_assert_cmpint (metrics_chunk_get_last_time (chunk), ==,
                   g_array_index (expected, MetricsPoint, expected->len - 1).time);
}

static gboolean
model_put (GArray *points, MetricsPoint point)
{
  guint i = 0;

  while (i < points->len && g_array_index (points, MetricsPoint, i).time < point.time)
    i++;
  if (i < points->len && g_array_index (points, MetricsPoint, i).time == point.time)
    {
      g_array_index (points, MetricsPoint, i) = point;
      return FALSE;
    }
  g_array_insert_val (points, i, point);
  return TRUE;
}

static GArray *
model_without (const GArray *points, gint64 from, gint64 to)
{
  GArray *rest = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));

  for (guint i = 0; i < points->len; i++)
    {
      MetricsPoint point = g_array_index (points, MetricsPoint, i);

      if (point.time < from || point.time > to)
        g_array_append_val (rest, point);
    }
  return rest;
}

static MetricsPoint
random_point (void)
{
  return (MetricsPoint){ .time = g_test_rand_int_range (-300, 300), .value = g_test_rand_double () };
}

/* A sealed chunk of one value every second time, as long as wanted. */
static MetricsChunk *
constant_of (gint64 first, guint n, double value)
{
  MetricsChunk *all = NULL;

  for (guint at = 0; at < n; at += METRICS_CHUNK_WINDOW)
    {
      MetricsChunk *chunk
          = metrics_chunk_new ((MetricsPoint){ .time = first + 2 * (gint64) at, .value = value }, 2);
      MetricsChunk *joined;

      for (guint i = at + 1; i < MIN (n, at + METRICS_CHUNK_WINDOW); i++)
        metrics_chunk_put (&chunk, (MetricsPoint){ .time = first + 2 * (gint64) i, .value = value });
      metrics_chunk_seal (&chunk);
      joined = all != NULL ? metrics_chunk_join (all, chunk) : metrics_chunk_ref (chunk);
      g_assert_nonnull (joined);
      metrics_chunk_unref (chunk);
      g_clear_pointer (&all, metrics_chunk_unref);
      all = joined;
    }
  return all;
}

/* The points of chunks that follow each other, which are let go. */
static GArray *
take_points (MetricsChunk **chunks, guint n)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GArray) points = points_of (chunks[i]);

      g_assert_true (metrics_chunk_is_sealed (chunks[i]));
      assert_points (chunks[i], points);
      g_array_append_vals (all, points->data, points->len);
      metrics_chunk_unref (chunks[i]);
    }
  return all;
}

static void
assert_same_points (const GArray *points, const GArray *expected)
{
  g_assert_cmpmem (points->data, points->len * sizeof (MetricsPoint), expected->data,
                   expected->len * sizeof (MetricsPoint));
}

static void
test_put (void)
{
  for (guint round = 0; round < 50; round++)
    {
      MetricsPoint point = random_point ();
      g_autoptr (GArray) model = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
      MetricsChunk *chunk = metrics_chunk_new (point, g_test_rand_int_range (1, 40));
      gsize size;

      model_put (model, point);
      while (!metrics_chunk_is_full (chunk) || metrics_chunk_widen (chunk, random_point ().time))
        {
          point = random_point ();
          if (!metrics_chunk_append (chunk, point))
            g_assert_cmpint (metrics_chunk_put (&chunk, point), ==, model_put (model, point));
          else
            g_assert_true (model_put (model, point));
          assert_points (chunk, model);
        }
      size = metrics_chunk_get_size (chunk);
      g_assert_cmpuint (size, <=, metrics_chunk_get_max_size ());
      g_assert_cmpuint (metrics_chunk_unref (chunk), ==, size);
    }
}

/* Appending takes only what is newer, and only while there is room. */
static void
test_append (void)
{
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = 10 }, 3);

  g_assert_false (metrics_chunk_append (chunk, (MetricsPoint){ .time = 10 }));
  g_assert_false (metrics_chunk_append (chunk, (MetricsPoint){ .time = 9 }));
  g_assert_true (metrics_chunk_append (chunk, (MetricsPoint){ .time = 11 }));
  g_assert_cmpuint (metrics_chunk_get_n_points (chunk), ==, 2);
  metrics_chunk_unref (chunk);
}

static void
test_find (void)
{
  MetricsChunk *chunk = chunk_of (-100, 101);

  for (gint64 time = -110; time <= 110; time++)
    {
      guint64 expected = time <= -100 ? 0 : time > 100 ? 101 : (guint64) (time + 101) / 2;

      g_assert_cmpuint (metrics_chunk_find (chunk, time), ==, expected);
      g_assert_cmpint (metrics_chunk_contains (chunk, time), ==, time % 2 == 0 && ABS (time) <= 100);
    }
  g_assert_cmpuint (metrics_chunk_find (chunk, G_MININT64), ==, 0);
  g_assert_cmpuint (metrics_chunk_find (chunk, G_MAXINT64), ==, 101);
  metrics_chunk_unref (chunk);
}

/* A copy does not follow the chunk, nor the other way round. */
static void
test_copies (void)
{
  MetricsChunk *chunk = chunk_of (0, 100);
  g_autoptr (GArray) points = points_of (chunk);
  MetricsChunk *copy = metrics_chunk_copy (chunk);
  MetricsChunk *rest;
  MetricsChunk *open = metrics_chunk_reopen (copy, &rest);

  g_assert_null (rest);
  g_assert_true (metrics_chunk_is_sealed (copy));
  g_assert_false (metrics_chunk_is_sealed (chunk));
  g_assert_false (metrics_chunk_is_sealed (open));
  metrics_chunk_put (&chunk, (MetricsPoint){ .time = 4, .value = -1 });
  metrics_chunk_put (&open, (MetricsPoint){ .time = 5, .value = -1 });
  assert_points (copy, points);
  g_assert_cmpuint (metrics_chunk_get_n_points (chunk), ==, 100);
  g_assert_cmpuint (metrics_chunk_get_n_points (open), ==, 101);

  metrics_chunk_unref (chunk);
  metrics_chunk_unref (copy);
  metrics_chunk_unref (open);
}

static void
test_references (void)
{
  MetricsChunk *chunk = chunk_of (0, 5);

  metrics_chunk_seal (&chunk);
  g_assert_true (metrics_chunk_is_sealed (chunk));
  g_assert_false (metrics_chunk_is_shared (chunk));
  g_assert_true (metrics_chunk_ref (chunk) == chunk);
  g_assert_true (metrics_chunk_is_shared (chunk));
  g_assert_cmpuint (metrics_chunk_unref (chunk), ==, 0);
  g_assert_false (metrics_chunk_is_shared (chunk));
  g_assert_cmpuint (metrics_chunk_unref (chunk), >, 0);
}

/* Points that come late make a chunk wide; what is split off is the older half; without further late points
 * what stays is full at once. */
static void
test_wide (void)
{
  for (gint is_late = 0; is_late <= 1; is_late++)
    {
      MetricsChunk *chunk = chunk_of (0, METRICS_CHUNK_WINDOW);
      g_autoptr (GArray) points = NULL, second = NULL, first = NULL;
      MetricsChunk *older;

      g_assert_true (metrics_chunk_is_full (chunk));
      g_assert_false (metrics_chunk_widen (chunk, 2 * METRICS_CHUNK_WINDOW));
      g_assert_true (metrics_chunk_widen (chunk, 7));
      g_assert_true (metrics_chunk_is_wide (chunk));
      for (gint64 i = METRICS_CHUNK_WINDOW; i < 2 * METRICS_CHUNK_WINDOW - is_late; i++)
        g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = 2 * i, .value = 2 * i }));
      if (is_late)
        g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = 7 }));
      g_assert_true (metrics_chunk_is_full (chunk));
      g_assert_false (metrics_chunk_widen (chunk, 9));

      points = points_of (chunk);
      older = metrics_chunk_split (&chunk);
      second = points_of (chunk);
      assert_points (chunk, second);
      g_assert_cmpuint (metrics_chunk_get_n_points (older), ==, METRICS_CHUNK_WINDOW);
      first = take_points (&older, 1);
      g_array_append_vals (first, second->data, second->len);
      assert_same_points (first, points);
      g_assert_cmpint (metrics_chunk_is_wide (chunk), ==, is_late);
      g_assert_cmpint (metrics_chunk_is_full (chunk), ==, !is_late);
      metrics_chunk_unref (chunk);
    }
}

/* Sealed, points take less than a byte or two; frozen, they stay as they are. */
static void
test_seal (void)
{
  MetricsChunk *chunk = chunk_of (0, 200);
  g_autoptr (GArray) points = points_of (chunk);
  MetricsChunk *frozen = chunk_of (0, 200);

  metrics_chunk_freeze (&frozen);
  g_assert_true (metrics_chunk_is_sealed (frozen));
  assert_points (frozen, points);
  metrics_chunk_unref (frozen);

  metrics_chunk_seal (&chunk);
  g_assert_true (metrics_chunk_is_sealed (chunk));
  g_assert_cmpuint (metrics_chunk_get_size (chunk), <, 100);
  assert_points (chunk, points);
  metrics_chunk_unref (chunk);
}

static void
check_merge (const MetricsChunk *chunk, const GArray *points, MetricsPoint point)
{
  g_autoptr (GArray) expected = g_array_copy ((GArray *) points);
  g_autoptr (GArray) result = NULL;
  gboolean is_new = model_put (expected, point);
  MetricsChunk *merged[METRICS_CHUNK_MAX_MERGED];
  guint n = metrics_chunk_merge (chunk, point, merged);

  if (n == 0)
    {
      g_assert_false (is_new);
      assert_same_points (points, expected);
      return;
    }
  if (points->len <= METRICS_CHUNK_WINDOW)
    g_assert_cmpuint (n, ==, is_new && points->len == METRICS_CHUNK_WINDOW ? 2 : 1);
  for (guint i = 0; i < n && n == 2; i++)
    g_assert_cmpuint (metrics_chunk_get_n_points (merged[i]), >, METRICS_CHUNK_WINDOW / 5);
  result = take_points (merged, n);
  assert_same_points (result, expected);
}

/* Any point into a sealed chunk: at its ends, between, in place of another; of one that is full, two come. */
static void
test_merge (void)
{
  static const guint counts[] = { 1, 2, 3, 100, METRICS_CHUNK_WINDOW - 1, METRICS_CHUNK_WINDOW };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      MetricsChunk *chunk = chunk_of (0, counts[i]);
      g_autoptr (GArray) points = points_of (chunk);

      metrics_chunk_seal (&chunk);
      for (gint64 time = -1; time <= 2 * counts[i]; time++)
        {
          check_merge (chunk, points, (MetricsPoint){ .time = time, .value = -7 });
          check_merge (chunk, points, (MetricsPoint){ .time = time, .value = time });
        }
      assert_points (chunk, points);
      metrics_chunk_unref (chunk);
    }
}

/* One value at a regular step takes the same few bytes however many points it has; a point, or a span that
 * goes, divides it. */
static void
test_constant (void)
{
  const guint n = 20 * METRICS_CHUNK_WINDOW + 17;
  MetricsChunk *chunk = constant_of (-1000, n, 0.1);
  g_autoptr (GArray) points = points_of (chunk);
  MetricsChunk *other = constant_of (-1000 + 2 * (gint64) n, 3, -0.0);
  MetricsChunk *rest, *open;

  g_assert_cmpuint (points->len, ==, n);
  g_assert_cmpuint (metrics_chunk_get_size (chunk), <, 100);
  g_assert_cmpuint (metrics_chunk_find (chunk, 2001), ==, 1501);
  assert_points (chunk, points);

  for (gint64 time = -1001; time < -1000 + 2 * (gint64) n + 1; time += g_test_rand_int_range (1, 30))
    check_merge (chunk, points, (MetricsPoint){ .time = time, .value = 0.1 + time % 2 });
  check_merge (chunk, points, (MetricsPoint){ .time = -1000, .value = 4 });
  check_merge (chunk, points, (MetricsPoint){ .time = -1000 + 2 * (gint64) (n - 1), .value = 4 });
  check_merge (chunk, points, (MetricsPoint){ .time = G_MININT64, .value = 0.1 });

  for (guint i = 0; i < 300; i++)
    {
      gint64 from = g_test_rand_int_range (-1100, 2 * n), to = from + g_test_rand_int_range (0, n);
      g_autoptr (GArray) expected = model_without (points, from, to);
      MetricsChunk *parts[2];
      g_autoptr (GArray) result = take_points (parts, metrics_chunk_without (chunk, from, to, parts));

      assert_same_points (result, expected);
    }

  open = metrics_chunk_reopen (chunk, &rest);
  g_assert_false (metrics_chunk_is_full (open));
  g_assert_cmpuint (metrics_chunk_get_n_points (open) + metrics_chunk_get_n_points (rest), ==, n);
  g_assert_cmpint (metrics_chunk_get_last_time (rest) + 2, ==, metrics_chunk_get_first_time (open));
  metrics_chunk_unref (open);
  metrics_chunk_unref (rest);

  /* Not the same value, not the same step, not next to each other. */
  g_assert_null (metrics_chunk_join (chunk, other));
  metrics_chunk_unref (other);
  other = constant_of (-1000 + 2 * (gint64) n + 2, 3, 0.1);
  g_assert_null (metrics_chunk_join (chunk, other));
  metrics_chunk_unref (other);
  metrics_chunk_unref (chunk);
}

static void
test_without (void)
{
  MetricsChunk *chunk = chunk_of (0, 20);
  g_autoptr (GArray) points = points_of (chunk);
  MetricsChunk *rest[2];

  metrics_chunk_seal (&chunk);
  for (gint64 from = -2; from <= 41; from++)
    {
      for (gint64 to = from; to <= 42; to++)
        {
          g_autoptr (GArray) expected = model_without (points, from, to);
          guint n = metrics_chunk_without (chunk, from, to, rest);
          MetricsChunk *older;
          MetricsChunk *open = metrics_chunk_reopen (chunk, &older);

          g_assert_null (older);
          g_assert_cmpint (n == 0, ==, expected->len == 0);
          if (n > 0)
            {
              assert_points (rest[0], expected);
              g_assert_cmpuint (metrics_chunk_remove (&open, from, to), ==, points->len - expected->len);
              assert_points (open, expected);
              metrics_chunk_unref (rest[0]);
            }
          metrics_chunk_unref (open);
        }
    }
  g_assert_cmpuint (metrics_chunk_without (chunk, G_MININT64, G_MAXINT64, rest), ==, 0);
  assert_points (chunk, points);
  metrics_chunk_unref (chunk);
}

/* The ends of time are times like others. */
static void
test_ends_of_time (void)
{
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = G_MAXINT64 }, 2);
  MetricsChunk *sealed, *rest[2];

  g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = G_MININT64 }));
  g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = 0 }));
  sealed = metrics_chunk_copy (chunk);
  g_assert_cmpuint (metrics_chunk_without (sealed, 1, G_MAXINT64, rest), ==, 1);
  g_assert_cmpuint (metrics_chunk_get_n_points (rest[0]), ==, 2);
  metrics_chunk_unref (rest[0]);
  metrics_chunk_unref (sealed);
  g_assert_cmpuint (metrics_chunk_remove (&chunk, G_MININT64, 0), ==, 2);
  g_assert_cmpint (metrics_chunk_get_first_time (chunk), ==, G_MAXINT64);
  metrics_chunk_unref (chunk);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/chunk/put", test_put);
  g_test_add_func ("/chunk/append", test_append);
  g_test_add_func ("/chunk/find", test_find);
  g_test_add_func ("/chunk/copies", test_copies);
  g_test_add_func ("/chunk/references", test_references);
  g_test_add_func ("/chunk/wide", test_wide);
  g_test_add_func ("/chunk/seal", test_seal);
  g_test_add_func ("/chunk/constant", test_constant);
  g_test_add_func ("/chunk/merge", test_merge);
  g_test_add_func ("/chunk/without", test_without);
  g_test_add_func ("/chunk/ends-of-time", test_ends_of_time);
  return g_test_run ();
}
