/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-query.h"

#include <math.h>
#include <stdio.h>

/* How many points a second a question goes through, in the store alone: no text is made of its rows. */

#define N_SERIES 1000
#define N_TIMES 2048
#define N_ROUNDS 5

/* All series at one time, then all at the next. */
static MetricsStore *
fill (gboolean is_constant)
{
  MetricsStore *store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  GRand *random = g_rand_new_with_seed (1);
  double values[N_SERIES] = { 0 };

  for (guint i = 0; i < N_TIMES; i++)
    for (guint j = 0; j < N_SERIES; j++)
      {
        char key[32];
        int len = g_snprintf (key, sizeof key, "series.%u", j);

        if (!is_constant)
          values[j] = round (values[j] * 100 + g_rand_int_range (random, -50, 51)) / 100;
        metrics_store_put (store, key, len, (MetricsPoint){ .time = 1500000000 + i * 10, .value = values[j] },
                           NULL);
      }
  g_rand_free (random);
  return store;
}

static void
scan (MetricsStore *store, const char *name, MetricsQuerySpec spec)
{
  gint64 best = G_MAXINT64;
  guint64 n_rows = 0;

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      gint64 start = g_get_monotonic_time ();
      MetricsQuery *query = metrics_query_new (store, &spec);
      MetricsQueryState state;
      MetricsQueryRow row;
      gint budget;

      n_rows = 0;
      do
        {
          budget = 4096;
          while ((state = metrics_query_next (query, &budget, &row)) == METRICS_QUERY_ROW)
            n_rows += row.n_points;
        }
      while (state != METRICS_QUERY_DONE);
      metrics_query_free (query);
      best = MIN (best, g_get_monotonic_time () - start);
    }
  printf ("%-34s %8" G_GUINT64_FORMAT " rows %8.0f M points/s\n", name, n_rows,
          (double) N_SERIES * N_TIMES / best);
}

int
main (void)
{
  for (gint is_constant = 0; is_constant <= 1; is_constant++)
    {
      g_autoptr (MetricsStore) store = fill (is_constant);
      MetricsQuerySpec spec = { .kind = METRICS_QUERY_POINTS,
                                .key = "*",
                                .key_len = 1,
                                .is_pattern = TRUE,
                                .from = G_MININT64,
                                .to = G_MAXINT64,
                                .step = 60 };

      printf ("%s, %u series of %u points, memory %.2f bytes a point\n", is_constant ? "one value" : "walk",
              N_SERIES, N_TIMES, (double) metrics_store_get_memory (store) / N_SERIES / N_TIMES);
      scan (store, "points", spec);
      spec.kind = METRICS_QUERY_BUCKETS;
      spec.aggregation = METRICS_AGGREGATION_AVG;
      scan (store, "averages of 60 s", spec);
      spec.aggregation = METRICS_AGGREGATION_MAX;
      scan (store, "maxima of 60 s", spec);
      spec.step = 3600;
      spec.aggregation = METRICS_AGGREGATION_AVG;
      scan (store, "averages of an hour", spec);
      spec.aggregation = METRICS_AGGREGATION_P95;
      scan (store, "95th percentiles of an hour", spec);
      spec.aggregation = METRICS_AGGREGATION_RATE;
      scan (store, "rates of an hour", spec);
    }
  return 0;
}
