/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-request-lines.h"

#include "client/metrics-check.h"
#include "common/metrics-key.h"
#include "common/metrics-row.h"
#include <glib/gi18n-lib.h>
#include <metrics-glib/metrics-enums.h>
#include <string.h>

G_STATIC_ASSERT (METRICS_REQUEST_MAX_PUT >= sizeof "put " + METRICS_ROW_MAX (METRICS_KEY_MAX));

/* One end of the span that a request is about. It is open only where it is the very end of time on its own
 * side: a span from the last moment to the last moment must not become all of time. */
static void
append_time (GString *line, gint64 time, gint64 open)
{
  g_string_append_c (line, ' ');
  if (time == open)
    g_string_append_c (line, '-');
  else
    g_string_append_printf (line, "%" G_GINT64_FORMAT, time);
}

static MetricsRequest *
make (MetricsAnswerKind kind, GString *line)
{
  g_string_append_c (line, '\n');
  return metrics_request_new (kind, g_string_free_to_bytes (line), 1);
}

/* The request that fails because @pattern is none, or NULL where it is one. */
static MetricsRequest *
refuse_pattern (const char *pattern)
{
  GError *error = NULL;

  return metrics_check_pattern (pattern, &error) ? NULL : metrics_request_new_done (error);
}

static GString *
start_line (const char *command, const char *pattern)
{
  GString *line = g_string_new (command);

  g_string_append_c (line, ' ');
  return g_string_append (line, pattern);
}

static GString *
start_span (const char *command, const char *pattern, gint64 from, gint64 to)
{
  GString *line = start_line (command, pattern);

  append_time (line, from, METRICS_TIME_MIN);
  append_time (line, to, METRICS_TIME_MAX);
  return line;
}

static MetricsRequest *
make_for_pattern (MetricsAnswerKind kind, const char *command, const char *pattern)
{
  MetricsRequest *refused = refuse_pattern (pattern);

  return refused != NULL ? refused : make (kind, start_line (command, pattern));
}

static MetricsRequest *
make_for_span (MetricsAnswerKind kind, const char *command, const char *pattern, gint64 from, gint64 to)
{
  MetricsRequest *refused = refuse_pattern (pattern);

  return refused != NULL ? refused : make (kind, start_span (command, pattern, from, to));
}

/**
 * metrics_request_write_put:
 * @out: (out caller-allocates): room for %METRICS_REQUEST_MAX_PUT bytes
 * @key: (array length=key_len): a key
 * @key_len: its length in bytes
 * @value: a finite number
 * @timestamp: a time
 *
 * Writes the line that puts a point.
 *
 * Returns: how many bytes were written
 */
gsize
metrics_request_write_put (char *out, const char *key, gsize key_len, double value, gint64 timestamp)
{
  memcpy (out, "put ", 4);
  return 4 + metrics_row_print (out + 4, key, key_len, value, timestamp);
}

/**
 * metrics_request_new_ping:
 *
 * Returns: (transfer full): the request that only has the server answer
 */
MetricsRequest *
metrics_request_new_ping (void)
{
  return make (METRICS_ANSWER_EMPTY, g_string_new ("ping"));
}

/**
 * metrics_request_new_put:
 * @key: whose point it is
 * @value: what was measured
 * @timestamp: when
 *
 * Returns: (transfer full): the request; where @key is no key or @value is not finite, one that has failed
 *   with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_put (const char *key, double value, gint64 timestamp)
{
  GError *error = NULL;
  char line[METRICS_REQUEST_MAX_PUT];
  gsize len;

  if (!metrics_check_key (key, &error) || !metrics_check_value (value, &error))
    return metrics_request_new_done (error);
  len = metrics_request_write_put (line, key, strlen (key), value, timestamp);
  return metrics_request_new (METRICS_ANSWER_EMPTY, g_bytes_new (line, len), 1);
}

/**
 * metrics_request_new_put_batch:
 * @text: (transfer full): what metrics_request_write_put() wrote, @n_lines times
 * @n_lines: how many points, at least one
 *
 * Its time is over when nothing has happened for so long, and its refusals are gathered.
 *
 * Returns: (transfer full): the request that puts these points
 */
MetricsRequest *
metrics_request_new_put_batch (GBytes *text, guint n_lines)
{
  MetricsRequest *request = metrics_request_new (METRICS_ANSWER_EMPTY, text, n_lines);

  request->is_batch = TRUE;
  request->is_long = TRUE;
  return request;
}

/**
 * metrics_request_new_get:
 * @key: whose points
 *
 * The answer may hold no other key.
 *
 * Returns: (transfer full): the request; where @key is no key, one that has failed with
 *   %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_get (const char *key)
{
  GError *error = NULL;
  MetricsRequest *request;
  GString *line;

  if (!metrics_check_key (key, &error))
    return metrics_request_new_done (error);
  line = g_string_new ("get ");
  g_string_append (line, key);
  request = make (METRICS_ANSWER_SAMPLES, line);
  request->answer.only_key = g_strdup (key);
  return request;
}

/**
 * metrics_request_new_get_all:
 *
 * Returns: (transfer full): the request for all points of all keys
 */
MetricsRequest *
metrics_request_new_get_all (void)
{
  return make (METRICS_ANSWER_SAMPLES, g_string_new ("get *"));
}

/**
 * metrics_request_new_last:
 * @pattern: which keys
 *
 * Returns: (transfer full): the request for the newest point of each; where @pattern is none, one that has
 *   failed with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_last (const char *pattern)
{
  return make_for_pattern (METRICS_ANSWER_SAMPLES, "last", pattern);
}

/**
 * metrics_request_new_range:
 * @pattern: which keys
 * @from: the earliest time; %METRICS_TIME_MIN is open
 * @to: the latest time; %METRICS_TIME_MAX is open
 *
 * Returns: (transfer full): the request for the points; where @pattern is none, one that has failed with
 *   %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_range (const char *pattern, gint64 from, gint64 to)
{
  return make_for_span (METRICS_ANSWER_SAMPLES, "range", pattern, from, to);
}

static const char *
get_function_name (MetricsFunction function)
{
  g_autoptr (GEnumClass) functions = g_type_class_ref (METRICS_TYPE_FUNCTION);
  GEnumValue *value = g_enum_get_value (functions, function);

  /* The names live as long as the type, which is static. */
  return value != NULL ? value->value_nick : NULL;
}

/**
 * metrics_request_new_range_buckets:
 * @pattern: which keys
 * @from: the earliest time; %METRICS_TIME_MIN is open
 * @to: the latest time; %METRICS_TIME_MAX is open
 * @step: how long a bucket lasts, in the unit of the timestamps
 * @function: what becomes of the points of a bucket
 *
 * Returns: (transfer full): the request for the buckets; where @pattern is none, @step is not positive or
 *   there is no such @function, one that has failed with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_range_buckets (const char *pattern,
                                   gint64 from,
                                   gint64 to,
                                   gint64 step,
                                   MetricsFunction function)
{
  const char *name = get_function_name (function);
  MetricsRequest *refused = refuse_pattern (pattern);
  GString *line;

  if (refused != NULL)
    return refused;
  if (step <= 0 || name == NULL)
    return metrics_request_new_done (g_error_new_literal (METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
                                                          step <= 0
                                                              ? _ ("a bucket has to last for some time")
                                                              : _ ("there is no such function of buckets")));
  line = start_span ("range", pattern, from, to);
  g_string_append_printf (line, " %" G_GINT64_FORMAT " %s", step, name);
  return make (METRICS_ANSWER_SAMPLES, line);
}

/**
 * metrics_request_new_keys:
 * @pattern: which keys
 *
 * Returns: (transfer full): the request for what there is of each; where @pattern is none, one that has
 *   failed with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_keys (const char *pattern)
{
  return make_for_pattern (METRICS_ANSWER_KEYS, "keys", pattern);
}

/* The same as a method of the bus, for where the line is not allowed. */
static MetricsRequest *
make_delete (MetricsRequest *request, const char *pattern, gint64 from, gint64 to)
{
  if (request->is_done)
    return request;
  request->method = "Delete";
  request->arguments = g_variant_ref_sink (g_variant_new ("(sxxa{sv})", pattern, from, to, NULL));
  return request;
}

/**
 * metrics_request_new_delete:
 * @pattern: which keys
 *
 * Returns: (transfer full): the request that deletes them; where @pattern is none, one that has failed with
 *   %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_delete (const char *pattern)
{
  return make_delete (make_for_pattern (METRICS_ANSWER_COUNT, "del", pattern), pattern, METRICS_TIME_MIN,
                      METRICS_TIME_MAX);
}

/**
 * metrics_request_new_delete_range:
 * @pattern: which keys
 * @from: the earliest time; %METRICS_TIME_MIN is open
 * @to: the latest time; %METRICS_TIME_MAX is open
 *
 * Returns: (transfer full): the request that deletes these points; where @pattern is none, one that has
 *   failed with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_delete_range (const char *pattern, gint64 from, gint64 to)
{
  return make_delete (make_for_span (METRICS_ANSWER_COUNT, "del", pattern, from, to), pattern, from, to);
}

/**
 * metrics_request_new_stats:
 *
 * Returns: (transfer full): the request for the figures of the server
 */
MetricsRequest *
metrics_request_new_stats (void)
{
  return make (METRICS_ANSWER_FIGURES, g_string_new ("stats"));
}

/**
 * metrics_request_new_stream:
 * @pattern: which keys
 * @from: the earliest time; %METRICS_TIME_MIN is open
 * @to: the latest time; %METRICS_TIME_MAX is open
 *
 * As metrics_request_new_range(), but for an answer that is handed over in blocks while it comes.
 *
 * Returns: (transfer full): the request for the points; where @pattern is none, one that has failed with
 *   %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_stream (const char *pattern, gint64 from, gint64 to)
{
  gboolean is_all = strcmp (pattern, "*") == 0 && from == METRICS_TIME_MIN && to == METRICS_TIME_MAX;
  /* The one form that servers know which speak only the first part of the protocol. */
  MetricsRequest *request = is_all ? make (METRICS_ANSWER_BLOCK, g_string_new ("get *"))
                                   : make_for_span (METRICS_ANSWER_BLOCK, "range", pattern, from, to);

  request->is_long = TRUE;
  return request;
}

/**
 * metrics_request_new_watch:
 * @patterns: which keys
 *
 * It is answered for as long as the connection lasts; its time is over when nothing comes, not even when the
 * server is asked for a sign of life.
 *
 * Returns: (transfer full): the request for points as they are put, to which a link has yet to be given;
 * where one of @patterns is none, or there are none, one that has failed with %METRICS_ERROR_INVALID_ARGUMENT
 */
MetricsRequest *
metrics_request_new_watch (const char *const *patterns)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  GError *error = NULL;
  MetricsRequest *request;
  guint n;

  for (n = 0; patterns[n] != NULL; n++)
    {
      if (!metrics_check_pattern (patterns[n], &error))
        return metrics_request_new_done (error);
      g_string_append_printf (lines, "watch %s\n", patterns[n]);
    }
  if (n == 0)
    return metrics_request_new_done (g_error_new_literal (METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
                                                          _ ("there is no pattern to watch")));

  request = metrics_request_new (METRICS_ANSWER_BLOCK, g_string_free_to_bytes (g_steal_pointer (&lines)), n);
  request->is_long = TRUE;
  return request;
}
