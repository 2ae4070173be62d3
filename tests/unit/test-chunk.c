/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk.h"

#include <string.h>

/* A chunk that holds every second time, each value the time. */
static MetricsChunk *
chunk_of (gint64 first, guint n)
{
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = first, .value = first });

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

static void
test_put (void)
{
  for (guint round = 0; round < 50; round++)
    {
      MetricsPoint point = random_point ();
      g_autoptr (GArray) model = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
      MetricsChunk *chunk = metrics_chunk_new (point);
      gsize size;

      model_put (model, point);
      while (!metrics_chunk_is_full (chunk))
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
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = 10 });

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
  MetricsChunk *open = metrics_chunk_reopen (copy);

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
  g_assert_cmpuint (metrics_chunk_unref (chunk), >=, 5 * sizeof (MetricsPoint));
}

static void
test_seal_and_split (void)
{
  MetricsChunk *chunk = chunk_of (0, 129);
  g_autoptr (GArray) points = points_of (chunk);
  gsize size = metrics_chunk_get_size (chunk);
  MetricsChunk *older = metrics_chunk_split (&chunk);
  g_autoptr (GArray) first = points_of (older);
  g_autoptr (GArray) second = points_of (chunk);

  g_assert_true (metrics_chunk_is_sealed (older));
  g_assert_cmpuint (metrics_chunk_get_n_points (older), >=, 60);
  g_assert_cmpuint (metrics_chunk_get_n_points (chunk), >=, 60);
  g_array_append_vals (first, second->data, second->len);
  g_assert_cmpmem (first->data, first->len * sizeof (MetricsPoint), points->data,
                   points->len * sizeof (MetricsPoint));

  metrics_chunk_seal (&chunk);
  g_assert_cmpuint (metrics_chunk_get_size (chunk), <, size / 2 + 100);
  assert_points (chunk, second);
  metrics_chunk_unref (chunk);
  metrics_chunk_unref (older);
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
          MetricsPoint point = { .time = time, .value = -7 };
          g_autoptr (GArray) expected = g_array_copy (points);
          gboolean is_new = model_put (expected, point);
          MetricsChunk *merged[2];
          guint n = metrics_chunk_merge (chunk, point, merged);
          g_autoptr (GArray) result = points_of (merged[0]);

          g_assert_cmpuint (n, ==, is_new && counts[i] == METRICS_CHUNK_WINDOW ? 2 : 1);
          if (n == 2)
            {
              g_autoptr (GArray) second = points_of (merged[1]);

              g_assert_cmpuint (result->len, >, METRICS_CHUNK_WINDOW / 3);
              g_assert_cmpuint (second->len, >, METRICS_CHUNK_WINDOW / 3);
              g_array_append_vals (result, second->data, second->len);
              metrics_chunk_unref (merged[1]);
            }
          g_assert_true (metrics_chunk_is_sealed (merged[0]));
          g_assert_cmpmem (result->data, result->len * sizeof (MetricsPoint), expected->data,
                           expected->len * sizeof (MetricsPoint));
          metrics_chunk_unref (merged[0]);
        }
      assert_points (chunk, points);
      metrics_chunk_unref (chunk);
    }
}

static void
test_without (void)
{
  MetricsChunk *chunk = chunk_of (0, 20);
  g_autoptr (GArray) points = points_of (chunk);

  metrics_chunk_seal (&chunk);
  for (gint64 from = -2; from <= 41; from++)
    {
      for (gint64 to = from; to <= 42; to++)
        {
          g_autoptr (GArray) expected = model_without (points, from, to);
          MetricsChunk *rest = metrics_chunk_without (chunk, from, to);
          MetricsChunk *open = metrics_chunk_reopen (chunk);

          g_assert_cmpint (rest == NULL, ==, expected->len == 0);
          if (rest != NULL)
            {
              assert_points (rest, expected);
              g_assert_cmpuint (metrics_chunk_remove (&open, from, to), ==, points->len - expected->len);
              assert_points (open, expected);
              metrics_chunk_unref (rest);
            }
          metrics_chunk_unref (open);
        }
    }
  g_assert_null (metrics_chunk_without (chunk, G_MININT64, G_MAXINT64));
  assert_points (chunk, points);
  metrics_chunk_unref (chunk);
}

/* The ends of time are times like others. */
static void
test_ends_of_time (void)
{
  MetricsChunk *chunk = metrics_chunk_new ((MetricsPoint){ .time = G_MAXINT64 });
  MetricsChunk *rest;

  g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = G_MININT64 }));
  g_assert_true (metrics_chunk_put (&chunk, (MetricsPoint){ .time = 0 }));
  rest = metrics_chunk_without (chunk, 1, G_MAXINT64);
  g_assert_cmpuint (metrics_chunk_get_n_points (rest), ==, 2);
  metrics_chunk_unref (rest);
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
  g_test_add_func ("/chunk/seal-and-split", test_seal_and_split);
  g_test_add_func ("/chunk/merge", test_merge);
  g_test_add_func ("/chunk/without", test_without);
  g_test_add_func ("/chunk/ends-of-time", test_ends_of_time);
  return g_test_run ();
}
