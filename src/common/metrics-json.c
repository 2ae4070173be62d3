/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-json.h"

#include "common/metrics-number.h"

#include <string.h>

/**
 * metrics_json_append_string_len:
 * @json: what to append to
 * @text: (array length=len): valid UTF-8
 * @len: its length in bytes
 *
 * Appends a string with its quotation marks, escaped as RFC 8259, section 7, asks.
 */
void
metrics_json_append_string_len (GString *json, const char *text, gsize len)
{
  g_string_append_c (json, '"');
  for (const char *p = text; p < text + len; p++)
    {
      guchar c = *p;

      if (c == '"' || c == '\\')
        {
          g_string_append_c (json, '\\');
          g_string_append_c (json, c);
        }
      else if (c < 0x20)
        g_string_append_printf (json, "\\u%04x", c);
      else
        g_string_append_c (json, c);
    }
  g_string_append_c (json, '"');
}

/**
 * metrics_json_append_string:
 * @json: what to append to
 * @text: valid UTF-8
 *
 * As metrics_json_append_string_len(), of a text with a NUL at its end.
 */
void
metrics_json_append_string (GString *json, const char *text)
{
  metrics_json_append_string_len (json, text, strlen (text));
}

/**
 * metrics_json_append_double:
 * @json: what to append to
 * @value: a finite number
 *
 * Appends the shortest decimal that reads back as the same double; the same form as the line protocol's,
 * which is valid JSON.
 */
void
metrics_json_append_double (GString *json, double value)
{
  char text[METRICS_NUMBER_MAX_DOUBLE];

  g_string_append_len (json, text, metrics_number_print_double (text, value));
}

/**
 * metrics_json_append_int64:
 * @json: what to append to
 * @value: a number
 */
void
metrics_json_append_int64 (GString *json, gint64 value)
{
  char text[METRICS_NUMBER_MAX_INT64];

  g_string_append_len (json, text, metrics_number_print_int64 (text, value));
}
