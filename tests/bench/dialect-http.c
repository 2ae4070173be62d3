/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InfluxDB and VictoriaMetrics, over HTTP/1.1 with connections that stay. */

#include "config.h"

#include "dialects.h"

#include <string.h>

#define INFLUX_POINTS_A_PUT 5000

enum
{
  STATE_STATUS,
  STATE_HEADERS,
  STATE_BODY,
  STATE_CHUNK_SIZE,
  STATE_CHUNK,
  STATE_CHUNK_END,
  STATE_TRAILER,
};

static void
end_headers (MetricsBenchReply *reply)
{
  if (reply->left < 0)
    reply->state = STATE_CHUNK_SIZE;
  else
    reply->state = STATE_BODY;
  reply->complete = reply->left == 0;
}

static gssize
parse_line (MetricsBenchReply *reply, const char *line)
{
  switch (reply->state)
    {
    case STATE_STATUS:
      if (!g_str_has_prefix (line, "HTTP/1.1 "))
        return -1;
      if (line[strlen ("HTTP/1.1 ")] != '2')
        metrics_bench_reply_refuse (reply, line);
      reply->state = STATE_HEADERS;
      return 0;
    case STATE_HEADERS:
      if (line[0] == '\0')
        end_headers (reply);
      else if (g_ascii_strncasecmp (line, "Content-Length: ", 16) == 0)
        reply->left = g_ascii_strtoll (line + 16, NULL, 10);
      else if (g_ascii_strcasecmp (line, "Transfer-Encoding: chunked") == 0)
        reply->left = -1;
      return 0;
    case STATE_CHUNK_SIZE:
      reply->left = g_ascii_strtoll (line, NULL, 16);
      reply->state = reply->left == 0 ? STATE_TRAILER : STATE_CHUNK;
      return 0;
    case STATE_CHUNK_END:
      reply->state = STATE_CHUNK_SIZE;
      return 0;
    case STATE_TRAILER:
      reply->complete = line[0] == '\0';
      return 0;
    default:
      return -1;
    }
}

static guint64
count_commas (const char *bytes, gsize n_bytes)
{
  guint64 n = 0;

  for (gsize i = 0; i < n_bytes; i++)
    n += bytes[i] == ',';
  return n;
}

/* In lists of lists, those that begin with a number. */
static guint64
count_rows (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  guint64 n = 0;

  for (gsize i = 0; i < n_bytes; i++)
    {
      n += reply->last == '[' && g_ascii_isdigit (bytes[i]);
      reply->last = bytes[i];
    }
  return n;
}

static gsize
take_body (MetricsBenchReply *reply, const char *bytes, gsize n_bytes, char counted)
{
  gsize taken = MIN ((gsize) reply->left, n_bytes);

  reply->n_points += counted == ',' ? count_commas (bytes, taken) : count_rows (reply, bytes, taken);
  reply->left -= (gint64) taken;
  if (reply->left == 0 && reply->state == STATE_BODY)
    reply->complete = TRUE;
  else if (reply->left == 0)
    reply->state = STATE_CHUNK_END;
  return taken;
}

gssize
bench_http_parse (MetricsBenchReply *reply, const char *bytes, gsize n_bytes, char counted)
{
  gsize used = 0;

  while (used < n_bytes && !reply->complete)
    {
      gsize taken;

      if (reply->state == STATE_BODY || reply->state == STATE_CHUNK)
        taken = take_body (reply, bytes + used, n_bytes - used, counted);
      else
        {
          const char *line = metrics_bench_reply_take_line (reply, bytes + used, n_bytes - used, &taken);

          if (line != NULL && parse_line (reply, line) < 0)
            return -1;
        }
      used += taken;
    }
  return (gssize) used;
}

/* A list of times and one of values, as long as each other: `,` between the two, before the first, and in
 * them. */
static gssize
parse_victoria (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  gssize used = bench_http_parse (reply, bytes, n_bytes, ',');

  if (reply->complete)
    reply->n_points /= 2;
  return used;
}

static gssize
parse_influx (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  return bench_http_parse (reply, bytes, n_bytes, '[');
}

static void
append_request (GString *out, const char *path, const char *query)
{
  g_autofree char *escaped = g_uri_escape_string (query, NULL, FALSE);

  g_string_append_printf (out, "GET %s%s HTTP/1.1\r\nHost: localhost\r\n\r\n", path, escaped);
}

static void
append_victoria_get (GString *out, const MetricsBenchData *data, guint series)
{
  g_autofree char *query = g_strdup_printf ("{__name__=\"%s\"}", metrics_bench_data_get_key (data, series));

  append_request (out, "/api/v1/export?match[]=", query);
}

static void
append_victoria_get_all (GString *out, const MetricsBenchData *data)
{
  g_autofree char *query = g_strdup_printf ("{__name__=~\"%s.*\"}", metrics_bench_data_get_prefix (data));

  append_request (out, "/api/v1/export?match[]=", query);
}

static void
append_influx_put (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_autoptr (GString) body = g_string_sized_new (n_points * 48);

  for (guint i = 0; i < n_points; i++)
    {
      g_string_append (body, "m,s=");
      g_string_append (body,
                       metrics_bench_data_get_key (data, metrics_bench_data_get_series (data, points[i])));
      g_string_append (body, " v=");
      metrics_bench_append_value (body, metrics_bench_data_get_value (data, points[i]));
      g_string_append_c (body, ' ');
      metrics_bench_append_time (body, metrics_bench_data_get_time (data, points[i]));
      g_string_append_c (body, '\n');
    }
  g_string_append_printf (out,
                          "POST /write?db=b&precision=s HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          body->len);
  g_string_append_len (out, body->str, (gssize) body->len);
}

static void
append_influx_get (GString *out, const MetricsBenchData *data, guint series)
{
  g_autofree char *query
      = g_strdup_printf ("SELECT v FROM m WHERE s='%s'", metrics_bench_data_get_key (data, series));

  append_request (out, "/query?db=b&epoch=s&q=", query);
}

static void
append_influx_get_all (GString *out, const MetricsBenchData *data)
{
  append_request (out, "/query?db=b&epoch=s&q=", "SELECT v FROM m GROUP BY s");
}

const MetricsBenchDialect bench_dialect_victoria = {
  .name = "victoria",
  .points_a_put = 1,
  .has_acks = TRUE,
  .append_get = append_victoria_get,
  .append_get_all = append_victoria_get_all,
  .parse = parse_victoria,
};

const MetricsBenchDialect bench_dialect_influx = {
  .name = "influx",
  .points_a_put = INFLUX_POINTS_A_PUT,
  .has_acks = TRUE,
  .append_put = append_influx_put,
  .append_get = append_influx_get,
  .append_get_all = append_influx_get_all,
  .parse = parse_influx,
};
