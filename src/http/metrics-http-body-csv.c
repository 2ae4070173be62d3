/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-body-private.h"

#include <string.h>

/* Points written down as CSV (RFC 4180): a record a line, which ends with CRLF or LF; a field in quotation
 * marks may hold commas, line breaks and, doubled, quotation marks. The first line names the columns, in any
 * order; `timestamp` may be left out. Empty lines are passed over. */

#define MAX_FIELD 2048
#define UNITS_OF_EMPTY_LINES 64
#define MAX_EMPTY_LINES 1024

static const char *const column_names[METRICS_HTTP_N_FIELDS] = { "", "key", "value", "timestamp" };

/**
 * metrics_http_body_rewind_csv:
 * @self: a body
 *
 * Goes to its beginning.
 */
void
metrics_http_body_rewind_csv (MetricsHttpBody *self)
{
  static const char mark[] = "\xef\xbb\xbf";
  gsize len;
  const char *text = g_bytes_get_data (self->bytes, &len);

  /* Spreadsheets begin with a byte order mark. */
  self->at = len >= strlen (mark) && memcmp (text, mark, strlen (mark)) == 0 ? strlen (mark) : 0;
  self->line = self->next_line = 1;
  self->is_header = self->has_header;
  self->n_columns = 3;
  self->columns[0] = METRICS_HTTP_FIELD_KEY;
  self->columns[1] = METRICS_HTTP_FIELD_TIMESTAMP;
  self->columns[2] = METRICS_HTTP_FIELD_VALUE;
}

static char *
name_line (const MetricsHttpBody *self)
{
  return metrics_http_body_name_place (self, METRICS_HTTP_FIELD_NONE);
}

static void
fail (MetricsHttpBody *self, const char *message)
{
  metrics_http_body_fail (self, name_line (self), "%s", message);
}

/* Fields */

/* Reads a field in quotation marks, of which the first one was read. */
static gboolean
read_quoted (MetricsHttpBody *self, const char *text, gsize len, char *field, gsize *field_len)
{
  *field_len = 0;
  for (; self->at < len; self->at++)
    {
      char c = text[self->at];

      if (c == '"')
        {
          self->at++;
          if (self->at == len || text[self->at] != '"')
            return TRUE;
        }
      self->next_line += c == '\n';
      if (*field_len == MAX_FIELD)
        {
          fail (self, "a field is longer than 2048 bytes");
          return FALSE;
        }
      field[(*field_len)++] = c;
    }
  fail (self, "a quotation mark is not closed");
  return FALSE;
}

static gboolean
read_plain (MetricsHttpBody *self, const char *text, gsize len, char *field, gsize *field_len)
{
  *field_len = 0;
  for (; self->at < len; self->at++)
    {
      char c = text[self->at];

      if (c == ',' || c == '\n' || (c == '\r' && (self->at + 1 == len || text[self->at + 1] == '\n')))
        return TRUE;
      if (c == '"')
        {
          fail (self, "a quotation mark in a field that does not begin with one");
          return FALSE;
        }
      if (*field_len == MAX_FIELD)
        {
          fail (self, "a field is longer than 2048 bytes");
          return FALSE;
        }
      field[(*field_len)++] = c;
    }
  return TRUE;
}

/* Goes behind a line break, or stays where there is none. */
static gboolean
skip_line_break (MetricsHttpBody *self, const char *text, gsize len)
{
  gsize at = self->at;

  if (at < len && text[at] == '\r')
    at++;
  if (at == len || text[at] != '\n')
    {
      /* A carriage return at the very end is as good as a line break. */
      gboolean is_end = at == len && at > self->at;

      self->at = is_end ? at : self->at;
      return is_end;
    }
  self->at = at + 1;
  self->next_line++;
  return TRUE;
}

/* Reads a field and what ends it. */
static gboolean
read_field (MetricsHttpBody *self, char *field, gsize *field_len, gboolean *is_last)
{
  gsize len;
  const char *text = g_bytes_get_data (self->bytes, &len);
  gboolean is_quoted = self->at < len && text[self->at] == '"';

  self->at += is_quoted;
  if (!(is_quoted ? read_quoted (self, text, len, field, field_len)
                  : read_plain (self, text, len, field, field_len)))
    return FALSE;
  *is_last = self->at == len || skip_line_break (self, text, len);
  if (*is_last)
    return TRUE;
  if (text[self->at] != ',')
    {
      fail (self, "expected ',' or the end of the line behind a quotation mark");
      return FALSE;
    }
  self->at++;
  return TRUE;
}

/* Records */

static gboolean
take_column (MetricsHttpBody *self, guint n, const char *field, gsize len, guint *seen)
{
  for (guint i = METRICS_HTTP_FIELD_KEY; i < METRICS_HTTP_N_FIELDS; i++)
    {
      if (len != strlen (column_names[i]) || memcmp (field, column_names[i], len) != 0)
        continue;
      if ((*seen & 1 << i) != 0)
        break;
      *seen |= 1 << i;
      self->columns[n] = i;
      self->n_columns = n + 1;
      return TRUE;
    }
  fail (self, "the first line has to name the columns: key,timestamp,value");
  return FALSE;
}

static gboolean
take_field (MetricsHttpBody *self, guint n, const char *field, gsize len)
{
  switch (n < self->n_columns ? self->columns[n] : METRICS_HTTP_FIELD_NONE)
    {
    case METRICS_HTTP_FIELD_KEY:
      return metrics_http_body_take_key (self, field, len);
    case METRICS_HTTP_FIELD_VALUE:
      return metrics_http_body_take_value (self, field, len);
    case METRICS_HTTP_FIELD_TIMESTAMP:
      return metrics_http_body_take_timestamp (self, field, len);
    case METRICS_HTTP_FIELD_NONE:
      break;
    }
  fail (self, "there are too many fields");
  return FALSE;
}

static gboolean
end_record (MetricsHttpBody *self, guint n, guint seen)
{
  const guint needed = 1 << METRICS_HTTP_FIELD_KEY | 1 << METRICS_HTTP_FIELD_VALUE;

  if (self->is_header && (seen & needed) != needed)
    fail (self, "the first line has to name the columns: key,timestamp,value");
  else if (!self->is_header && n < self->n_columns)
    fail (self, "there are too few fields");
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_record (MetricsHttpBody *self)
{
  char field[MAX_FIELD];
  gsize len;
  gboolean is_last = FALSE;
  guint n = 0, seen = 0;

  self->point.time = self->now;
  for (; !is_last; n++)
    {
      if (!read_field (self, field, &len, &is_last))
        return FALSE;
      if (!(self->is_header ? take_column (self, n, field, len, &seen) : take_field (self, n, field, len)))
        return FALSE;
    }
  return end_record (self, n, seen);
}

/* Returns: FALSE where there are more of them */
static gboolean
skip_empty_lines (MetricsHttpBody *self)
{
  gsize len;
  const char *text = g_bytes_get_data (self->bytes, &len);

  for (guint i = 0; i < MAX_EMPTY_LINES; i++)
    if (self->at == len || !skip_line_break (self, text, len))
      return TRUE;
  return FALSE;
}

/**
 * metrics_http_body_next_csv:
 * @self: a body
 * @budget: (inout): units of work
 *
 * Returns: what came
 */
MetricsHttpBodyState
metrics_http_body_next_csv (MetricsHttpBody *self, gint *budget)
{
  while (*budget > 0)
    {
      if (!skip_empty_lines (self))
        {
          *budget -= UNITS_OF_EMPTY_LINES;
          continue;
        }
      self->line = self->next_line;
      if (self->at == g_bytes_get_size (self->bytes) && !self->is_header)
        return METRICS_HTTP_BODY_END;
      --*budget;
      if (!read_record (self))
        return METRICS_HTTP_BODY_WRONG;
      if (!self->is_header)
        return METRICS_HTTP_BODY_POINT;
      self->is_header = FALSE;
    }
  return METRICS_HTTP_BODY_PAUSED;
}
