/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-json-reader.h"
#include "common/metrics-json.h"

#include <string.h>

/* What the reader takes for JSON is written down again from its tokens, and read once more: the same tokens
 * come. A copy of the reader goes on as the reader itself does. */

static void
append_token (GString *out, const MetricsJsonReader *reader, MetricsJsonToken token)
{
  static const char *const marks[] = {
    [METRICS_JSON_BEGIN_OBJECT] = "{", [METRICS_JSON_END_OBJECT] = "}", [METRICS_JSON_BEGIN_ARRAY] = "[",
    [METRICS_JSON_END_ARRAY] = "]",    [METRICS_JSON_TRUE] = "true",    [METRICS_JSON_FALSE] = "false",
    [METRICS_JSON_NULL] = "null",
  };
  char last = out->len > 0 ? out->str[out->len - 1] : '[';
  gboolean is_end = token == METRICS_JSON_END_OBJECT || token == METRICS_JSON_END_ARRAY;

  if (!is_end && last != '{' && last != '[' && last != ':')
    g_string_append_c (out, ',');
  if (token == METRICS_JSON_NUMBER)
    {
      g_string_append_len (out, reader->number, reader->number_len);
      return;
    }
  if (token != METRICS_JSON_NAME && token != METRICS_JSON_STRING)
    {
      g_string_append (out, marks[token]);
      return;
    }
  g_assert_true (g_utf8_validate_len (reader->string, reader->string_len, NULL));
  g_assert_cmpuint (strlen (reader->string), ==, reader->string_len);
  metrics_json_append_string (out, reader->string);
  if (token == METRICS_JSON_NAME)
    g_string_append_c (out, ':');
}

/* Returns: (nullable): the same text, each token as short as can be; %NULL where it is no JSON */
static char *
write_again (const char *text, gsize len)
{
  g_autoptr (GString) out = g_string_new (NULL);
  MetricsJsonReader reader, copy;
  MetricsJsonToken token;
  gsize line, column;

  metrics_json_reader_init (&reader, text, len);
  for (;;)
    {
      copy = reader;
      token = metrics_json_reader_next (&reader);
      g_assert_cmpint (metrics_json_reader_next (&copy), ==, token);
      g_assert_cmpuint (copy.at, ==, reader.at);
      g_assert_cmpuint (reader.at, <=, len);
      metrics_json_reader_get_place (&reader, &line, &column);
      g_assert_cmpuint (line + column, <=, len + 2);
      g_assert_cmpint (token == METRICS_JSON_WRONG, ==, metrics_json_reader_get_message (&reader) != NULL);
      if (token == METRICS_JSON_WRONG || token == METRICS_JSON_END)
        break;
      if (token != METRICS_JSON_PAUSED)
        append_token (out, &reader, token);
    }
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, token);
  return token == METRICS_JSON_END ? g_strdup (out->str) : NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *once = write_again ((const char *) data, size);
  g_autofree char *twice = NULL;

  if (once == NULL)
    return 0;
  twice = write_again (once, strlen (once));
  g_assert_cmpstr (once, ==, twice);
  return 0;
}
