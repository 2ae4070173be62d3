/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* carbon, whose plain text VictoriaMetrics takes too, and rrdcached. */

#include "config.h"

#include "dialects.h"

static void
append_graphite_put (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_string_append (out, metrics_bench_data_get_key (data, metrics_bench_data_get_series (data, points[0])));
  g_string_append_c (out, ' ');
  metrics_bench_append_value (out, metrics_bench_data_get_value (data, points[0]));
  g_string_append_c (out, ' ');
  metrics_bench_append_time (out, metrics_bench_data_get_time (data, points[0]));
  g_string_append_c (out, '\n');
}

static gssize
parse_graphite (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  return -1;
}

static void
append_rrdcached_put (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_string_append_printf (out, "UPDATE %s.rrd ",
                          metrics_bench_data_get_key (data, metrics_bench_data_get_series (data, points[0])));
  metrics_bench_append_time (out, metrics_bench_data_get_time (data, points[0]));
  g_string_append_c (out, ':');
  metrics_bench_append_value (out, metrics_bench_data_get_value (data, points[0]));
  g_string_append_c (out, '\n');
}

static void
append_rrdcached_get (GString *out, const MetricsBenchData *data, guint series)
{
  guint n_points = metrics_bench_data_count_points (data, series);
  guint last = series + (n_points - 1) * metrics_bench_data_get_n_series (data);
  gint64 first_time = metrics_bench_data_get_time (data, series);
  gint64 last_time = metrics_bench_data_get_time (data, last);

  g_string_append_printf (out, "FETCH %s.rrd AVERAGE %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
                          metrics_bench_data_get_key (data, series),
                          first_time - METRICS_BENCH_SECONDS_A_STEP, last_time);
}

/* The first line begins with the number of lines that follow; negative is an error. @state is 1 behind it. Of
 * the rest, lines of points begin with a time, and one without a value says `nan`. */
static void
parse_rrdcached_line (MetricsBenchReply *reply, const char *line)
{
  if (reply->state == 0)
    {
      reply->left = g_ascii_strtoll (line, NULL, 10);
      reply->state = 1;
      if (reply->left < 0)
        metrics_bench_reply_refuse (reply, line);
    }
  else
    {
      reply->left--;
      reply->n_points += g_ascii_isdigit (line[0]) && !g_str_has_suffix (line, "nan");
    }
  reply->complete = reply->left <= 0;
}

static gssize
parse_rrdcached (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  gsize used = 0;

  while (used < n_bytes && !reply->complete)
    {
      gsize taken;
      const char *line = metrics_bench_reply_take_line (reply, bytes + used, n_bytes - used, &taken);

      if (line != NULL)
        parse_rrdcached_line (reply, line);
      used += taken;
    }
  return (gssize) used;
}

const MetricsBenchDialect bench_dialect_graphite = {
  .name = "graphite",
  .points_a_put = 1,
  .has_acks = FALSE,
  .append_put = append_graphite_put,
  .parse = parse_graphite,
};

const MetricsBenchDialect bench_dialect_rrdcached = {
  .name = "rrdcached",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = "0 errors, enqueued 1 value(s).\n",
  .append_put = append_rrdcached_put,
  .append_get = append_rrdcached_get,
  .parse = parse_rrdcached,
};
