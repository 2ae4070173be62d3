/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-body-private.h"

#include "common/metrics-number.h"

#include <string.h>

/**
 * metrics_http_body_new:
 * @bytes: a body
 * @format: JSON or CSV
 * @has_header: for CSV: whether the first line names the columns; else they are `key`, `timestamp` and
 * `value`
 * @now: the time of points that do not have one, in seconds since the Unix epoch
 *
 * Returns: (transfer full): it, to be read from its beginning
 */
MetricsHttpBody *
metrics_http_body_new (GBytes *bytes, MetricsHttpFormat format, gboolean has_header, gint64 now)
{
  MetricsHttpBody *self = g_new0 (MetricsHttpBody, 1);

  self->bytes = g_bytes_ref (bytes);
  self->format = format;
  self->has_header = has_header;
  self->now = now;
  metrics_http_body_rewind (self);
  return self;
}

/**
 * metrics_http_body_free:
 * @self: (transfer full) (nullable): a body
 */
void
metrics_http_body_free (MetricsHttpBody *self)
{
  if (self == NULL)
    return;
  g_bytes_unref (self->bytes);
  g_free (self->message);
  g_free (self->where);
  g_free (self);
}

/**
 * metrics_http_body_rewind:
 * @self: a body
 *
 * Has it read from its beginning again.
 */
void
metrics_http_body_rewind (MetricsHttpBody *self)
{
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->where, g_free);
  if (self->format == METRICS_HTTP_FORMAT_CSV)
    metrics_http_body_rewind_csv (self);
  else
    metrics_http_body_rewind_json (self);
}

/**
 * metrics_http_body_next:
 * @self: a body
 * @budget: (inout): units of work, from which what was done is taken off
 *
 * Reads the next point. Behind an error there is nothing but that error.
 *
 * Returns: what came
 */
MetricsHttpBodyState
metrics_http_body_next (MetricsHttpBody *self, gint *budget)
{
  if (self->message != NULL)
    return METRICS_HTTP_BODY_WRONG;
  return self->format == METRICS_HTTP_FORMAT_CSV ? metrics_http_body_next_csv (self, budget)
                                                 : metrics_http_body_next_json (self, budget);
}

/**
 * metrics_http_body_name_place:
 * @self: a body of which a point was read
 * @field: what of it is meant
 *
 * Returns: (transfer full): where that stands: `points[3].value`, `series[0].points[12][1]`, `line 7`
 */
char *
metrics_http_body_name_place (const MetricsHttpBody *self, MetricsHttpField field)
{
  if (self->format == METRICS_HTTP_FORMAT_CSV)
    return g_strdup_printf ("line %" G_GUINT64_FORMAT, self->line);
  return metrics_http_body_name_place_json (self, field);
}

/**
 * metrics_http_body_get_message:
 * @self: a body
 *
 * Returns: (nullable): what is wrong with it, in English; %NULL where it is right so far
 */
const char *
metrics_http_body_get_message (const MetricsHttpBody *self)
{
  return self->message;
}

/**
 * metrics_http_body_get_where:
 * @self: a body
 *
 * Returns: (nullable): where it is wrong, as metrics_http_body_name_place() names it; %NULL where that is the
 *   body as a whole
 */
const char *
metrics_http_body_get_where (const MetricsHttpBody *self)
{
  return self->where;
}

/**
 * metrics_http_body_fail:
 * @self: a body
 * @where: (transfer full) (nullable): where it is wrong
 * @format: what is wrong, English
 * @...: what stands in it
 *
 * Returns: %METRICS_HTTP_BODY_WRONG
 */
MetricsHttpBodyState
metrics_http_body_fail (MetricsHttpBody *self, char *where, const char *format, ...)
{
  va_list args;

  g_assert (self->message == NULL);

  va_start (args, format);
  self->message = g_strdup_vprintf (format, args);
  va_end (args);
  self->where = where;
  return METRICS_HTTP_BODY_WRONG;
}

/**
 * metrics_http_body_take_key:
 * @self: a body
 * @text: (array length=len): what stands there
 * @len: its length in bytes
 *
 * Takes the key of a point.
 *
 * Returns: %FALSE where it is none
 */
gboolean
metrics_http_body_take_key (MetricsHttpBody *self, const char *text, gsize len)
{
  if (metrics_key_is_valid (text, len))
    {
      memcpy (self->key, text, len);
      self->key[len] = '\0';
      self->key_len = len;
      return TRUE;
    }
  metrics_http_body_fail (self, metrics_http_body_name_place (self, METRICS_HTTP_FIELD_KEY),
                          "not a key: 1 to %d bytes without white space or control characters, and not '*'",
                          METRICS_KEY_MAX);
  return FALSE;
}

/**
 * metrics_http_body_take_value:
 * @self: a body
 * @text: (array length=len): what stands there
 * @len: its length in bytes
 *
 * Takes the value of a point.
 *
 * Returns: %FALSE where it is none
 */
gboolean
metrics_http_body_take_value (MetricsHttpBody *self, const char *text, gsize len)
{
  if (metrics_number_parse_double (text, len, &self->point.value))
    return TRUE;
  metrics_http_body_fail (self, metrics_http_body_name_place (self, METRICS_HTTP_FIELD_VALUE),
                          "not a value: a decimal number that fits into a double");
  return FALSE;
}

/**
 * metrics_http_body_take_timestamp:
 * @self: a body
 * @text: (array length=len): what stands there
 * @len: its length in bytes
 *
 * Takes the time of a point.
 *
 * Returns: %FALSE where it is none
 */
gboolean
metrics_http_body_take_timestamp (MetricsHttpBody *self, const char *text, gsize len)
{
  if (metrics_number_parse_int64 (text, len, &self->point.time))
    return TRUE;
  metrics_http_body_fail (self, metrics_http_body_name_place (self, METRICS_HTTP_FIELD_TIMESTAMP),
                          "not a timestamp: an integer that fits into 64 bits");
  return FALSE;
}
