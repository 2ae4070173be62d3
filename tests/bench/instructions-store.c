/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "instructions.h"
#include "store/metrics-query.h"

#include <string.h>

/* What the store alone does with a point of each kind of data: coding it is most of `coded`, for all chunks
 * but the last one are sealed; decoding it is most of `decoded`. */

/* One series of so many points, put series by series. */
#define N_POINTS 65536

#define KEY "bench.series"

typedef double (*ValueFunc) (Walk *walk, guint step);

static double
walk_value (Walk *walk, guint step)
{
  return walk_next (walk, 0) / 100.0;
}

static double
constant_value (Walk *walk, guint step)
{
  return 12.5;
}

static double
counter_value (Walk *walk, guint step)
{
  walk->hundredths[0] += g_rand_int_range (walk->rand, 0, 1500);
  return walk->hundredths[0];
}

/* All bits of a fraction. */
static double
noise_value (Walk *walk, guint step)
{
  return g_rand_double (walk->rand);
}

static void
fill (MetricsStore *store, ValueFunc value, gboolean counted)
{
  g_autoptr (Walk) walk = walk_new (1);
  g_autofree MetricsPoint *points = g_new (MetricsPoint, N_POINTS);
  gboolean stored = TRUE;

  for (guint i = 0; i < N_POINTS; i++)
    points[i] = (MetricsPoint){ .time = WALK_START + (gint64) i * WALK_STEP, .value = value (walk, i) };

  if (counted)
    counting_begin ();
  for (guint i = 0; i < N_POINTS; i++)
    stored &= metrics_store_put (store, KEY, strlen (KEY), points[i], NULL);
  if (counted)
    counting_end ();
  g_assert_true (stored);
}

static guint64
code (ValueFunc value)
{
  g_autoptr (MetricsStore) store = metrics_store_new (1, 1 << 30);

  fill (store, value, TRUE);
  return N_POINTS;
}

static guint64
read (ValueFunc value, MetricsQueryKind kind, guint64 n_expected)
{
  const MetricsQuerySpec spec = {
    .kind = kind,
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

  fill (store, value, FALSE);
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
decode (ValueFunc value)
{
  return read (value, METRICS_QUERY_POINTS, N_POINTS);
}

/* Averages of six points each; the first bucket begins before the first point. */
static guint64
scan (ValueFunc value)
{
  G_STATIC_ASSERT (WALK_START % (6 * WALK_STEP) != 0);
  return read (value, METRICS_QUERY_BUCKETS, N_POINTS / 6 + 1);
}

static guint64
work_coded_walk (void)
{
  return code (walk_value);
}

static guint64
work_coded_constant (void)
{
  return code (constant_value);
}

static guint64
work_coded_counter (void)
{
  return code (counter_value);
}

static guint64
work_coded_noise (void)
{
  return code (noise_value);
}

static guint64
work_decoded_walk (void)
{
  return decode (walk_value);
}

static guint64
work_decoded_constant (void)
{
  return decode (constant_value);
}

static guint64
work_decoded_counter (void)
{
  return decode (counter_value);
}

static guint64
work_decoded_noise (void)
{
  return decode (noise_value);
}

static guint64
work_scanned_walk (void)
{
  return scan (walk_value);
}

static guint64
work_scanned_constant (void)
{
  return scan (constant_value);
}

const Work store_works[] = {
  { "coded-walk", work_coded_walk },
  { "coded-constant", work_coded_constant },
  { "coded-counter", work_coded_counter },
  { "coded-noise", work_coded_noise },
  { "decoded-walk", work_decoded_walk },
  { "decoded-constant", work_decoded_constant },
  { "decoded-counter", work_decoded_counter },
  { "decoded-noise", work_decoded_noise },
  { "scanned-walk", work_scanned_walk },
  { "scanned-constant", work_scanned_constant },
  { NULL },
};
