/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-head.h"

#include <libsoup/soup.h>
#include <string.h>

/* SoupServer mends or skips much that is wrong, takes the last of two lengths, and ends connections without a
 * word for the rest and for heads over 64 KiB. So each line is looked at before, and what it gets is short.
 */

#define MAX_TARGET (16 * 1024)
#define MAX_VALUE 300 /* of a field that is kept */
/* Of names, addresses and ports; what is between them g_uri_is_valid() knows. */
#define HOST_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._~%:[]"

#define FAULT(id, status, code, reason) static const MarksFault id = { status, code, reason }

FAULT (long_request_line, 431, "head-too-large", "Too long request line");
FAULT (long_header_line, 431, "head-too-large", "Too long header line");
FAULT (many_headers, 431, "head-too-large", "Too many headers");
FAULT (long_head, 431, "head-too-large", "Too long headers");
FAULT (bad_request_line, 400, "bad-head", "Malformed request line");
FAULT (bad_header_line, 400, "bad-head", "Malformed header line");
FAULT (bad_host, 400, "bad-head", "Malformed or missing Host");
FAULT (bad_length, 400, "bad-head", "Malformed Content-Length");
FAULT (bad_target, 400, "bad-head", "Malformed target");
FAULT (no_length, 411, "length-required", "A body needs a Content-Length");
FAULT (long_body, 413, "body-too-large", "Too long body");
FAULT (long_target, 414, "target-too-long", "Too long target");
FAULT (no_expectations, 417, "expectation-failed", "Expectations are not met here");
FAULT (no_connect, 501, "not-implemented", "This is no proxy");
FAULT (bad_version, 505, "version-not-supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here");

/* Whether TEXT is what names of methods and fields are made of: a token of RFC 9110. */
static gboolean
is_token (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("!#$%&'*+-.^_`|~", *c) == NULL)
      return FALSE;
  return *text != '\0';
}

static const MarksFault *
take_request_line (MarksHead *self, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 4);
  const char *version;

  if (g_strv_length (words) != 3 || !is_token (words[0]) || words[1][0] == '\0')
    return &bad_request_line;
  version = words[2];
  if (strlen (version) != strlen ("HTTP/1.1") || !g_str_has_prefix (version, "HTTP/")
      || !g_ascii_isdigit (version[5]) || version[6] != '.' || !g_ascii_isdigit (version[7]))
    return &bad_request_line;
  if (version[5] != '1')
    return &bad_version;
  if (g_str_equal (words[0], "CONNECT"))
    return &no_connect;
  if (strlen (words[1]) > MAX_TARGET)
    return &long_target;
  self->target = g_strdup (words[1]);
  self->needs_host = version[7] != '0';
  return NULL;
}

static const MarksFault *
take_length (MarksHead *self, const char *value)
{
  g_autoptr (GError) error = NULL;
  guint64 length;

  if (self->has_length)
    return &bad_length;
  if (!g_ascii_string_to_unsigned (value, 10, 0, MARKS_HEAD_MAX_BODY, &length, &error))
    return g_error_matches (error, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS) ? &long_body
                                                                                               : &bad_length;
  self->has_length = TRUE;
  self->body_size = length;
  return NULL;
}

/* Keeps the value of a field that may be there once. */
static const MarksFault *
take_text (char **place, const char *value, const MarksFault *fault)
{
  if (*place != NULL || *value == '\0' || strlen (value) > MAX_VALUE)
    return fault;
  *place = g_strdup (value);
  return NULL;
}

static const MarksFault *
take_header_line (MarksHead *self, char *line)
{
  char *colon = strchr (line, ':');
  const char *value;

  if (colon == NULL)
    return &bad_header_line;
  *colon = '\0';
  /* A blank before the colon, or at the beginning of a line, is no part of a name either. */
  if (!is_token (line))
    return &bad_header_line;
  if (++self->n_fields > MARKS_HEAD_MAX_FIELDS)
    return &many_headers;
  value = g_strstrip (colon + 1);
  if (g_ascii_strcasecmp (line, "Content-Length") == 0)
    return take_length (self, value);
  if (g_ascii_strcasecmp (line, "Transfer-Encoding") == 0)
    return &no_length;
  if (g_ascii_strcasecmp (line, "Expect") == 0)
    return &no_expectations;
  if (g_ascii_strcasecmp (line, "Content-Type") == 0)
    return take_text (&self->content_type, value, &bad_header_line);
  if (g_ascii_strcasecmp (line, "Origin") == 0)
    return take_text (&self->origin, value, &bad_header_line);
  if (g_ascii_strcasecmp (line, "Host") == 0)
    return take_text (&self->host, value, &bad_host);
  return NULL;
}

/* What has to be known of all lines: whether the address that they ask for is one. */
static const MarksFault *
take_end (MarksHead *self)
{
  gboolean is_path = self->target[0] == '/';
  g_autofree char *root = g_strconcat ("http://", self->host != NULL ? self->host : "localhost", NULL);
  g_autofree char *text = is_path ? g_strconcat (root, self->target, NULL) : g_strdup (self->target);
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if ((self->host == NULL ? self->needs_host : self->host[strspn (self->host, HOST_CHARACTERS)] != '\0')
      || !g_uri_is_valid (root, SOUP_HTTP_URI_FLAGS, NULL))
    return &bad_host;
  if (host == NULL || *host == '\0' || !g_str_equal (g_uri_get_scheme (uri), "http"))
    return &bad_target;
  return NULL;
}

/* LINE has its end, CR and LF or, as from a person with a terminal, LF alone. */
static const MarksFault *
take_line (MarksHead *self, const char *line, gsize size)
{
  gsize length = size > 1 && line[size - 2] == '\r' ? size - 2 : size - 1;
  g_autofree char *text = g_strndup (line, length);
  gboolean is_first = self->line == 0;

  if (length == 0 && !is_first)
    {
      self->size = self->line + size;
      return take_end (self);
    }
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (line[i]) && (line[i] != '\t' || is_first))
      return is_first ? &bad_request_line : &bad_header_line;
  if (!is_first)
    return take_header_line (self, text);
  self->first_size = size;
  return take_request_line (self, text);
}

/* Goes on with DATA, which begins with the request and has grown since the last time.
 *
 * Returns: (nullable): what is wrong; the head is not read further then */
const MarksFault *
marks_head_read (MarksHead *self, const char *data, gsize size)
{
  while (self->size == 0)
    {
      const char *end = memchr (data + self->seen, '\n', size - self->seen);
      gsize line_size = (end != NULL ? (gsize) (end + 1 - data) : size) - self->line;
      const MarksFault *fault;

      if (line_size > MARKS_HEAD_MAX_LINE)
        return self->line == 0 ? &long_request_line : &long_header_line;
      if (self->line + line_size > MARKS_HEAD_MAX_SIZE)
        return &long_head;
      self->seen = self->line + line_size;
      if (end == NULL)
        return NULL;
      fault = take_line (self, data + self->line, line_size);
      if (fault != NULL)
        return fault;
      self->line = self->seen;
    }
  return NULL;
}

/* Frees what the head has. */
void
marks_head_clear (MarksHead *self)
{
  g_free (self->host);
  g_free (self->content_type);
  g_free (self->origin);
  g_free (self->target);
}
