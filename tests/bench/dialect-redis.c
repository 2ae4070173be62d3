/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Redis, in its protocol RESP: requests are arrays of strings with their lengths in front. */

#include "config.h"

#include "dialects.h"

#include <stdlib.h>
#include <string.h>

static void
append_string (GString *out, const char *text)
{
  g_string_append_printf (out, "$%zu\r\n%s\r\n", strlen (text), text);
}

static void
append_hello (GString *out)
{
  g_string_append (out, "*1\r\n$4\r\nPING\r\n");
}

static const char *
get_key (const MetricsBenchData *data, guint point)
{
  return metrics_bench_data_get_key (data, metrics_bench_data_get_series (data, point));
}

static void
append_hset (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_autoptr (GString) value = g_string_new (NULL);
  g_autoptr (GString) time = g_string_new (NULL);

  metrics_bench_append_value (value, metrics_bench_data_get_value (data, points[0]));
  metrics_bench_append_time (time, metrics_bench_data_get_time (data, points[0]));
  g_string_append (out, "*4\r\n$4\r\nHSET\r\n");
  append_string (out, get_key (data, points[0]));
  append_string (out, time->str);
  append_string (out, value->str);
}

/* A member is there once: so the time has to be in it, beside the value. */
static void
append_zadd (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_autoptr (GString) member = g_string_new (NULL);
  g_autoptr (GString) time = g_string_new (NULL);

  metrics_bench_append_time (time, metrics_bench_data_get_time (data, points[0]));
  g_string_append_printf (member, "%s:", time->str);
  metrics_bench_append_value (member, metrics_bench_data_get_value (data, points[0]));
  g_string_append (out, "*4\r\n$4\r\nZADD\r\n");
  append_string (out, get_key (data, points[0]));
  append_string (out, time->str);
  append_string (out, member->str);
}

static void
append_hgetall (GString *out, const MetricsBenchData *data, guint series)
{
  g_string_append (out, "*2\r\n$7\r\nHGETALL\r\n");
  append_string (out, metrics_bench_data_get_key (data, series));
}

static void
append_zrange (GString *out, const MetricsBenchData *data, guint series)
{
  g_string_append (out, "*4\r\n$6\r\nZRANGE\r\n");
  append_string (out, metrics_bench_data_get_key (data, series));
  g_string_append (out, "$1\r\n0\r\n$2\r\n-1\r\n");
}

/* The line that says what comes. @state counts the strings of an array that are still to come, @left the
 * bytes of one of them. */
static gssize
parse_line (MetricsBenchReply *reply, const char *line, guint strings_a_point)
{
  gint64 n = line[0] != '\0' ? g_ascii_strtoll (line + 1, NULL, 10) : 0;

  switch (line[0])
    {
    case '-':
      metrics_bench_reply_refuse (reply, line + 1);
      reply->complete = TRUE;
      return 0;
    case '+':
    case ':':
      reply->complete = TRUE;
      return 0;
    case '*':
      reply->state = (guint) MAX (n, 0);
      reply->n_points = reply->state / strings_a_point;
      reply->complete = reply->state == 0;
      return 0;
    case '$':
      reply->left = MAX (n, -2) + 2;
      return 0;
    default:
      return -1;
    }
}

static gssize
parse (MetricsBenchReply *reply, const char *bytes, gsize n_bytes, guint strings_a_point)
{
  gsize used = 0;

  while (used < n_bytes && !reply->complete)
    {
      gsize taken;

      if (reply->left > 0)
        {
          taken = MIN ((gsize) reply->left, n_bytes - used);
          reply->left -= (gint64) taken;
          if (reply->left == 0)
            reply->complete = --reply->state == 0;
        }
      else
        {
          const char *line = metrics_bench_reply_take_line (reply, bytes + used, n_bytes - used, &taken);

          if (line != NULL && parse_line (reply, line, strings_a_point) < 0)
            return -1;
        }
      used += taken;
    }
  return (gssize) used;
}

static gssize
parse_hash (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  return parse (reply, bytes, n_bytes, 2);
}

static gssize
parse_set (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  return parse (reply, bytes, n_bytes, 1);
}

const MetricsBenchDialect bench_dialect_redis_hset = {
  .name = "redis-hset",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = ":1\r\n",
  .append_hello = append_hello,
  .append_put = append_hset,
  .append_get = append_hgetall,
  .parse = parse_hash,
};

const MetricsBenchDialect bench_dialect_redis_zadd = {
  .name = "redis-zadd",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = ":1\r\n",
  .append_hello = append_hello,
  .append_put = append_zadd,
  .append_get = append_zrange,
  .parse = parse_set,
};
