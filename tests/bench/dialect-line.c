/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line protocol once more: for servers that are measured alone, and for baseline.c. */

#include "config.h"

#include "dialects.h"

/* As in baseline.c. */
#define BASELINE_LINE "b.series.123 100.25 1700000000\n"

static void
append_get (GString *out, const MetricsBenchData *data, guint series)
{
  g_string_append_printf (out, "get %s\n", metrics_bench_data_get_key (data, series));
}

static void
append_star (GString *out, const MetricsBenchData *data)
{
  g_string_append (out, "get *\n");
}

static void
append_hello (GString *out)
{
  g_string_append (out, "get nothing\n");
}

static void
append_put (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  metrics_bench_dialect_line.append_put (out, data, points, n_points);
}

static void
append_answer (GString *out, const MetricsBenchData *data, guint first_series, guint n_series)
{
  metrics_bench_dialect_line.append_answer (out, data, first_series, n_series);
}

static void
append_baseline_answer (GString *out, const MetricsBenchData *data, guint first_series, guint n_series)
{
  g_string_append (out, "ok\n");
  for (guint i = first_series; i < first_series + n_series; i++)
    for (guint k = 0; k < metrics_bench_data_count_points (data, i); k++)
      g_string_append (out, BASELINE_LINE);
  g_string_append_c (out, '\n');
}

static gssize
parse (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  return metrics_bench_dialect_line.parse (reply, bytes, n_bytes);
}

const MetricsBenchDialect bench_dialect_star = {
  .name = "star",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = "ok\n\n",
  .append_hello = append_hello,
  .append_put = append_put,
  .append_get = append_get,
  .append_get_all = append_star,
  .append_answer = append_answer,
  .parse = parse,
};

const MetricsBenchDialect bench_dialect_baseline = {
  .name = "baseline",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = "ok\n\n",
  .append_put = append_put,
  .append_get = append_get,
  .append_get_all = append_star,
  .append_answer = append_baseline_answer,
  .parse = parse,
};
