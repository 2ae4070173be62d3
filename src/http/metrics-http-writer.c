/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-writer.h"

#include "common/metrics-json.h"
#include "common/metrics-number.h"

#include <string.h>

#define MAX_PAIR (METRICS_NUMBER_MAX_INT64 + METRICS_NUMBER_MAX_DOUBLE + 4)

/**
 * metrics_http_writer_init:
 * @self: (out caller-allocates): a writer
 * @format: JSON or CSV
 * @is_of_keys: whether the rows are what there is of each series (%METRICS_QUERY_KEYS), or points
 */
void
metrics_http_writer_init (MetricsHttpWriter *self, MetricsHttpFormat format, gboolean is_of_keys)
{
  *self = (MetricsHttpWriter){
    .format = format,
    .is_of_keys = is_of_keys,
    .key = g_string_new (NULL),
    .field = g_string_new (NULL),
  };
}

/**
 * metrics_http_writer_clear:
 * @self: a writer
 */
void
metrics_http_writer_clear (MetricsHttpWriter *self)
{
  g_string_free (self->key, TRUE);
  g_string_free (self->field, TRUE);
}

/* Only a comma, a quotation mark or a line break needs quotation marks (RFC 4180, section 2); a key has no
 * line breaks. */
static void
append_field (GString *out, const char *key, gsize len)
{
  if (memchr (key, ',', len) == NULL && memchr (key, '"', len) == NULL)
    {
      g_string_append_len (out, key, len);
      return;
    }
  g_string_append_c (out, '"');
  for (gsize i = 0; i < len; i++)
    {
      if (key[i] == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, key[i]);
    }
  g_string_append_c (out, '"');
}

/**
 * metrics_http_writer_begin:
 * @self: a writer
 * @out: where to
 *
 * Writes what stands before all rows.
 */
void
metrics_http_writer_begin (MetricsHttpWriter *self, GString *out)
{
  if (self->format == METRICS_HTTP_FORMAT_CSV)
    g_string_append (out, self->is_of_keys ? "key,points,first,last\r\n" : "key,timestamp,value\r\n");
  else
    g_string_append (out, self->is_of_keys ? "{\"keys\":[" : "{\"series\":[");
}

static void
append_key (MetricsHttpWriter *self, const MetricsQueryRow *row, GString *out)
{
  char text[METRICS_NUMBER_MAX_INT64];
  const gint64 numbers[] = { row->n_total, row->first, row->last };
  static const char *const json[] = { ",\"points\":", ",\"first\":", ",\"last\":" };
  gboolean is_csv = self->format == METRICS_HTTP_FORMAT_CSV;

  if (is_csv)
    append_field (out, row->key, row->key_len);
  else
    {
      g_string_append (out, self->n_series > 0 ? ",{\"key\":" : "{\"key\":");
      metrics_json_append_string_len (out, row->key, row->key_len);
    }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_string_append (out, is_csv ? "," : json[i]);
      g_string_append_len (out, text, metrics_number_print_int64 (text, numbers[i]));
    }
  g_string_append (out, is_csv ? "\r\n" : "}");
  self->n_series++;
}

/* Returns: whether a series begins with the row */
static gboolean
begin_series (MetricsHttpWriter *self, const MetricsQueryRow *row)
{
  if (self->n_series > 0 && self->key->len == row->key_len
      && memcmp (self->key->str, row->key, row->key_len) == 0)
    return FALSE;
  g_string_truncate (self->key, 0);
  g_string_append_len (self->key, row->key, row->key_len);
  self->n_series++;
  return TRUE;
}

static void
append_records (MetricsHttpWriter *self, const MetricsQueryRow *row, GString *out)
{
  if (begin_series (self, row))
    {
      g_string_truncate (self->field, 0);
      append_field (self->field, row->key, row->key_len);
    }
  for (guint i = 0; i < row->n_points; i++)
    {
      char text[MAX_PAIR];
      char *at = text;

      *at++ = ',';
      at += metrics_number_print_int64 (at, row->points[i].time);
      *at++ = ',';
      at += metrics_number_print_double (at, row->points[i].value);
      *at++ = '\r';
      *at++ = '\n';
      g_string_append_len (out, self->field->str, self->field->len);
      g_string_append_len (out, text, at - text);
    }
}

static void
append_pairs (MetricsHttpWriter *self, const MetricsQueryRow *row, GString *out)
{
  gboolean is_first = begin_series (self, row);

  if (is_first)
    {
      g_string_append (out, self->n_series > 1 ? "]},{\"key\":" : "{\"key\":");
      metrics_json_append_string_len (out, row->key, row->key_len);
      g_string_append (out, ",\"points\":[");
    }
  for (guint i = 0; i < row->n_points; i++)
    {
      char text[MAX_PAIR];
      char *at = text;

      *at++ = ',';
      *at++ = '[';
      at += metrics_number_print_int64 (at, row->points[i].time);
      *at++ = ',';
      at += metrics_number_print_double (at, row->points[i].value);
      *at++ = ']';
      /* The first one of a series goes without its comma. */
      g_string_append_len (out, text + is_first, at - text - is_first);
      is_first = FALSE;
    }
}

/**
 * metrics_http_writer_add:
 * @self: a writer that was begun
 * @row: a row; the rows of a series come one behind the other
 * @out: where to
 *
 * Writes a row down.
 */
void
metrics_http_writer_add (MetricsHttpWriter *self, const MetricsQueryRow *row, GString *out)
{
  if (self->is_of_keys)
    append_key (self, row, out);
  else if (self->format == METRICS_HTTP_FORMAT_CSV)
    append_records (self, row, out);
  else
    append_pairs (self, row, out);
}

/**
 * metrics_http_writer_end:
 * @self: a writer that was begun
 * @out: where to
 *
 * Writes what stands behind all rows.
 */
void
metrics_http_writer_end (MetricsHttpWriter *self, GString *out)
{
  if (self->format == METRICS_HTTP_FORMAT_CSV)
    return;
  if (!self->is_of_keys && self->n_series > 0)
    g_string_append (out, "]}");
  g_string_append (out, "]}");
}
