/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "instructions.h"
#include "store/metrics-query.h"

#include <string.h>

/* What the store alone does with a point: takes it and seals a chunk where one is full, reads it, and makes
 * it part of an average. */

/* Of one series. */
#define N_POINTS 65536

#define KEY "bench.series"

static void
fill (MetricsStore *store, Kind kind, gboolean counted)
{
  g_autofree double *values = g_new (double, N_POINTS);
  gboolean stored = TRUE;

  make_values (kind, values, N_POINTS);
  if (counted)
    counting_begin ();
  for (guint i = 0; i < N_POINTS; i++)
    {
      MetricsPoint point = { .time = WALK_START + (gint64) i * WALK_STEP, .value = values[i] };

      stored &= metrics_store_put (store, KEY, strlen (KEY), point, NULL);
    }
  if (counted)
    counting_end ();
  g_assert_true (stored);
}

static guint64
store_points (Kind kind)
{
  g_autoptr (MetricsStore) store = metrics_store_new (1, 1 << 30);

  fill (store, kind, TRUE);
  return N_POINTS;
}

static guint64
ask (MetricsQueryKind query_kind, Kind kind, guint64 n_expected)
{
  const MetricsQuerySpec spec = {
    .kind = query_kind,
    .key = KEY,
    .key_len = strlen (KEY),
    .from = G_MININT64,
    .to = G_MAXINT64,
    .step = 6 * WALK_STEP,
    .aggregation = METRICS_AGGREGATION_AVG,
  };
  g_autoptr (MetricsStore) store = metrics_store_new (1, 1 << 30);
  MetricsQuery *query;
  MetricsQueryState state;
  MetricsQueryRow row;
  gint budget = G_MAXINT;
  guint64 n = 0;

  fill (store, kind, FALSE);
  counting_begin ();
  query = metrics_query_new (store, &spec);
  while ((state = metrics_query_next (query, &budget, &row)) == METRICS_QUERY_ROW)
    n += row.n_points;
  metrics_query_free (query);
  counting_end ();

  g_assert_cmpint (state, ==, METRICS_QUERY_DONE);
  g_assert_cmpuint (n, ==, n_expected);
  return N_POINTS;
}

static guint64
read_points (Kind kind)
{
  return ask (METRICS_QUERY_POINTS, kind, N_POINTS);
}

/* Averages of six points each, but those of the first bucket, which begins before them. */
static guint64
scan_points (Kind kind)
{
  G_STATIC_ASSERT (WALK_START % (6 * WALK_STEP) == 2 * WALK_STEP && (N_POINTS - 4) % 6 == 0);
  return ask (METRICS_QUERY_BUCKETS, kind, N_POINTS / 6 + 1);
}

const Work store_works[] = {
  { "stored-walk", store_points, KIND_WALK },
  { "stored-constant", store_points, KIND_CONSTANT },
  { "read-walk", read_points, KIND_WALK },
  { "read-constant", read_points, KIND_CONSTANT },
  { "scanned-walk", scan_points, KIND_WALK },
  { "scanned-constant", scan_points, KIND_CONSTANT },
  { NULL },
};
