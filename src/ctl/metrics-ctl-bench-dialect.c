/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-dialect.h"

#include "common/metrics-number.h"

#include <string.h>

/* Where in a reply of the line protocol it is. */
enum
{
  STATE_STATUS,
  STATE_DATA,
  STATE_ERROR,
  STATE_ERROR_END,
};

/**
 * metrics_bench_append_value:
 * @out: a request or an answer
 * @value: a value
 *
 * Appends it as servers print it: the shortest decimal that reads back as the same.
 */
void
metrics_bench_append_value (GString *out, double value)
{
  char text[METRICS_NUMBER_MAX_DOUBLE];

  g_string_append_len (out, text, (gssize) metrics_number_print_double (text, value));
}

/**
 * metrics_bench_append_time:
 * @out: a request or an answer
 * @time: a time
 */
void
metrics_bench_append_time (GString *out, gint64 time)
{
  char text[METRICS_NUMBER_MAX_INT64];

  g_string_append_len (out, text, (gssize) metrics_number_print_int64 (text, time));
}

/**
 * metrics_bench_reply_take_line:
 * @reply: a reply
 * @bytes: what has come of it and was not yet looked at
 * @n_bytes: how much that is
 * @taken: (out): how many bytes belong to the line
 *
 * Takes a line, also one that comes in pieces. It is for the few lines that a dialect has to understand: of a
 * long one only the beginning is kept.
 *
 * Returns: (nullable): the line, without LF and CR, NUL-terminated, until the next call; %NULL where its end
 * has yet to come
 */
const char *
metrics_bench_reply_take_line (MetricsBenchReply *reply, const char *bytes, gsize n_bytes, gsize *taken)
{
  const char *end = memchr (bytes, '\n', n_bytes);
  gsize len = end != NULL ? (gsize) (end - bytes) : n_bytes;
  gsize kept = MIN (len, sizeof reply->line - 1 - reply->line_len);

  memcpy (reply->line + reply->line_len, bytes, kept);
  reply->line_len += (guint) kept;
  *taken = len + (end != NULL);
  if (end == NULL)
    return NULL;
  if (reply->line_len > 0 && reply->line[reply->line_len - 1] == '\r')
    reply->line_len--;
  reply->line[reply->line_len] = '\0';
  reply->line_len = 0;
  return reply->line;
}

/**
 * metrics_bench_reply_refuse:
 * @reply: a reply
 * @text: what it says
 *
 * Notes that the request was not carried out, and what was said first about it.
 */
void
metrics_bench_reply_refuse (MetricsBenchReply *reply, const char *text)
{
  if (!reply->refused)
    g_strlcpy (reply->text, text, sizeof reply->text);
  reply->refused = TRUE;
}

static void
append_hello (GString *out)
{
  g_string_append (out, "ping\n");
}

static void
append_point (GString *out, const MetricsBenchData *data, guint point)
{
  g_string_append (out, metrics_bench_data_get_key (data, metrics_bench_data_get_series (data, point)));
  g_string_append_c (out, ' ');
  metrics_bench_append_value (out, metrics_bench_data_get_value (data, point));
  g_string_append_c (out, ' ');
  metrics_bench_append_time (out, metrics_bench_data_get_time (data, point));
  g_string_append_c (out, '\n');
}

static void
append_put (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points)
{
  g_string_append (out, "put ");
  append_point (out, data, points[0]);
}

static void
append_get (GString *out, const MetricsBenchData *data, guint series)
{
  g_string_append (out, "get ");
  g_string_append (out, metrics_bench_data_get_key (data, series));
  g_string_append_c (out, '\n');
}

/* Not `get *`: where there are other keys they are no business of ours. */
static void
append_get_all (GString *out, const MetricsBenchData *data)
{
  g_string_append_printf (out, "range %s.* - -\n", metrics_bench_data_get_prefix (data));
}

static void
append_answer (GString *out, const MetricsBenchData *data, guint first_series, guint n_series)
{
  g_string_append (out, "ok\n");
  for (guint i = first_series; i < first_series + n_series && !metrics_bench_data_is_cancelled (data); i++)
    for (guint k = 0; k < metrics_bench_data_count_points (data, i); k++)
      append_point (out, data, i + k * metrics_bench_data_get_n_series (data));
  g_string_append_c (out, '\n');
}

/* The lines of points: they are counted, but for those that do not begin in @bytes. */
static gsize
parse_data (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  const char *p = bytes, *end = bytes + n_bytes;

  while (p < end)
    {
      if (reply->left == 0 && *p == '\n')
        {
          reply->complete = TRUE;
          return (gsize) (p + 1 - bytes);
        }
      p = memchr (p, '\n', (gsize) (end - p));
      /* Whether a line has begun. */
      reply->left = p == NULL;
      if (p == NULL)
        break;
      reply->n_points++;
      p++;
    }
  return n_bytes;
}

static gssize
parse_line (MetricsBenchReply *reply, const char *line)
{
  if (reply->state == STATE_STATUS && strcmp (line, "ok") == 0)
    reply->state = STATE_DATA;
  else if (reply->state == STATE_STATUS && strcmp (line, "error") == 0)
    reply->state = STATE_ERROR;
  else if (reply->state == STATE_ERROR && line[0] != '\0')
    {
      metrics_bench_reply_refuse (reply, line);
      reply->state = STATE_ERROR_END;
    }
  else if (reply->state == STATE_ERROR_END && line[0] == '\0')
    reply->complete = TRUE;
  else
    return -1;
  return 0;
}

static gssize
parse (MetricsBenchReply *reply, const char *bytes, gsize n_bytes)
{
  gsize used = 0;

  while (used < n_bytes && !reply->complete)
    {
      gsize taken;

      if (reply->state == STATE_DATA)
        taken = parse_data (reply, bytes + used, n_bytes - used);
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

/* The line protocol of metricsd itself. */
const MetricsBenchDialect metrics_bench_dialect_line = {
  .name = "line",
  .points_a_put = 1,
  .has_acks = TRUE,
  .ack = "ok\n\n",
  .append_hello = append_hello,
  .append_put = append_put,
  .append_get = append_get,
  .append_get_all = append_get_all,
  .append_answer = append_answer,
  .parse = parse,
};
