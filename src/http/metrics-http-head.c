/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-head.h"

#include <string.h>

/* What is let through to those who read the head, RFC 9112 in its strict reading.
 *
 * Where two readers of the same bytes could come to different ends (two lengths, a length beside chunks, a
 * folded line, a bare CR or LF, blanks before a colon) there is no right reading, and the request is refused:
 * that is what request smuggling is made of. A pure function of the bytes: it is called with what there is so
 * far, and looks at each line once. */

/* The longest method of RFC 9110 and of WebDAV has 17. */
#define MAX_METHOD 20
/* Before the request line, of clients that end a body with one too many. */
#define MAX_EMPTY_LINES 2
#define VERSION_LEN 8 /* HTTP/1.1 */

static MetricsHttpHeadState
refuse (MetricsHttpHead *self, guint status, const char *code, const char *where, const char *message)
{
  self->status = status;
  self->code = code;
  self->where = where;
  self->message = message;
  return METRICS_HTTP_HEAD_BAD;
}

static MetricsHttpHeadState
refuse_field (MetricsHttpHead *self, const char *where, const char *message)
{
  return refuse (self, 400, "bad-head", where, message);
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

static gboolean
is_token (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!is_token_char (text[i]))
      return FALSE;
  return len > 0;
}

static gboolean
equals (const char *text, gsize len, const char *word)
{
  return len == strlen (word) && g_ascii_strncasecmp (text, word, len) == 0;
}

/* Whether it is made of what hosts and ports are made of; whose it is, others look at. */
static gboolean
is_authority (const char *text, gsize len)
{
  const char *colon = memchr (text, ':', len);
  gsize host_len = colon != NULL ? (gsize) (colon - text) : len;

  if (len > 0 && text[0] == '[')
    {
      const char *end = memchr (text, ']', len);

      if (end == NULL)
        return FALSE;
      for (const char *c = text + 1; c < end; c++)
        if (!g_ascii_isxdigit (*c) && *c != ':' && *c != '.')
          return FALSE;
      host_len = end + 1 - text;
    }
  else
    for (gsize i = 0; i < host_len; i++)
      if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '.' && text[i] != '_')
        return FALSE;
  if (host_len == 0 || (host_len < len && text[host_len] != ':') || len - host_len > strlen (":65535"))
    return FALSE;
  for (gsize i = host_len + 1; i < len; i++)
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
  return TRUE;
}

/* Proxies are asked for `http://host/path`, and everybody has to understand it. */
static gboolean
take_authority (MetricsHttpHead *self, const char *data)
{
  static const char scheme[] = "http://";
  const char *target = data + self->target;
  const char *authority = target + strlen (scheme);
  gsize len = 0;

  if (self->target_len <= strlen (scheme) || g_ascii_strncasecmp (target, scheme, strlen (scheme)) != 0)
    return FALSE;
  while (strlen (scheme) + len < self->target_len && authority[len] != '/' && authority[len] != '?')
    len++;
  if (!is_authority (authority, len))
    return FALSE;
  self->host = authority - data;
  self->host_len = len;
  self->has_authority = TRUE;
  self->target += strlen (scheme) + len;
  self->target_len -= strlen (scheme) + len;
  return TRUE;
}

static MetricsHttpHeadState
read_target (MetricsHttpHead *self, const char *data)
{
  const char *target = data + self->target;

  if (self->target_len > METRICS_HTTP_MAX_TARGET)
    return refuse (self, 414, "target-too-long", NULL,
                   "the target of the request is longer than 16384 bytes");
  for (gsize i = 0; i < self->target_len; i++)
    if (target[i] <= ' ' || target[i] > '~' || target[i] == '#')
      return refuse_field (self, NULL, "the target has a character that has to be written as %XX");
  if (self->target_len > 0 && target[0] == '/')
    return METRICS_HTTP_HEAD_MORE;
  if (self->target_len == 1 && target[0] == '*' && equals (data + self->start, self->method_len, "OPTIONS"))
    return METRICS_HTTP_HEAD_MORE;
  if (take_authority (self, data))
    return METRICS_HTTP_HEAD_MORE;
  return refuse_field (self, NULL, "the target is neither a path nor an http:// address");
}

static MetricsHttpHeadState
read_version (MetricsHttpHead *self, const char *version, gsize len)
{
  if (len != VERSION_LEN || strncmp (version, "HTTP/", 5) != 0 || !g_ascii_isdigit (version[5])
      || version[6] != '.' || !g_ascii_isdigit (version[7]))
    return refuse (self, 400, "not-http", NULL, "the first line is not METHOD TARGET HTTP/1.1");
  if (version[5] != '1')
    return refuse (self, 505, "version-not-supported", NULL, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  self->minor = version[7] == '0' ? 0 : 1;
  self->keep_alive = self->minor > 0;
  return METRICS_HTTP_HEAD_MORE;
}

static MetricsHttpHeadState
read_request_line (MetricsHttpHead *self, const char *data, gsize len)
{
  const char *line = data + self->line;
  const char *space = memchr (line, ' ', len);
  const char *last = space;
  MetricsHttpHeadState state;

  for (const char *c = space; c != NULL && c < line + len; c++)
    if (*c == ' ')
      last = c;
  self->start = self->line;
  self->method_len = space != NULL ? (gsize) (space - line) : len;
  if (!is_token (line, self->method_len) || self->method_len > MAX_METHOD || last == space)
    return refuse (self, 400, "not-http", NULL, "the first line is not METHOD TARGET HTTP/1.1");
  state = read_version (self, last + 1, line + len - (last + 1));
  if (state == METRICS_HTTP_HEAD_BAD)
    return state;
  self->target = space + 1 - data;
  self->target_len = last - (space + 1);
  return read_target (self, data);
}

static MetricsHttpHeadState
read_content_length (MetricsHttpHead *self, const char *value, gsize len)
{
  gint64 length = 0;

  if (self->content_length >= 0)
    return refuse_field (self, "Content-Length", "there are two of it");
  /* 18 digits cannot overflow. */
  if (len == 0 || len > 18)
    return refuse_field (self, "Content-Length", "it is not a number of bytes");
  for (gsize i = 0; i < len; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return refuse_field (self, "Content-Length", "it is not a number of bytes");
      length = length * 10 + (value[i] - '0');
    }
  self->content_length = length;
  return METRICS_HTTP_HEAD_MORE;
}

static MetricsHttpHeadState
read_transfer_encoding (MetricsHttpHead *self, const char *value, gsize len)
{
  if (self->has_encoding)
    return refuse_field (self, "Transfer-Encoding", "there are two of it");
  if (self->minor == 0)
    return refuse_field (self, "Transfer-Encoding", "HTTP/1.0 does not have it");
  self->has_encoding = TRUE;
  self->is_chunked = equals (value, len, "chunked");
  if (!self->is_chunked)
    return refuse (self, 501, "encoding-not-supported", "Transfer-Encoding", "only chunked is understood");
  return METRICS_HTTP_HEAD_MORE;
}

static MetricsHttpHeadState
read_host (MetricsHttpHead *self, const char *data, const char *value, gsize len)
{
  if (self->has_host)
    return refuse_field (self, "Host", "there are two of it");
  self->has_host = TRUE;
  if (!is_authority (value, len))
    return refuse_field (self, "Host", "it is not a host, or a host and a port");
  /* What the request line says goes before it. */
  if (self->has_authority)
    return METRICS_HTTP_HEAD_MORE;
  self->host = value - data;
  self->host_len = len;
  return METRICS_HTTP_HEAD_MORE;
}

static void
read_connection (MetricsHttpHead *self, const char *value, gsize len)
{
  for (gsize i = 0; i < len;)
    {
      gsize n = 0;

      while (i + n < len && value[i + n] != ',' && value[i + n] != ' ' && value[i + n] != '\t')
        n++;
      if (equals (value + i, n, "close"))
        self->keep_alive = FALSE;
      i += n + 1;
    }
}

static MetricsHttpHeadState
read_field (MetricsHttpHead *self,
            const char *data,
            const char *name,
            gsize name_len,
            const char *value,
            gsize len)
{
  if (equals (name, name_len, "Content-Length"))
    return read_content_length (self, value, len);
  if (equals (name, name_len, "Transfer-Encoding"))
    return read_transfer_encoding (self, value, len);
  if (equals (name, name_len, "Host"))
    return read_host (self, data, value, len);
  if (equals (name, name_len, "Connection"))
    read_connection (self, value, len);
  if (equals (name, name_len, "Expect"))
    {
      if (!equals (value, len, "100-continue"))
        return refuse (self, 417, "expectation-failed", "Expect", "only 100-continue can be expected");
      /* Who speaks HTTP/1.0 would not understand it. */
      self->is_awaited = self->minor > 0;
    }
  return METRICS_HTTP_HEAD_MORE;
}

static MetricsHttpHeadState
read_header_line (MetricsHttpHead *self, const char *data, gsize len)
{
  const char *line = data + self->line;
  const char *colon = memchr (line, ':', len);
  const char *value;
  gsize value_len;

  if (line[0] == ' ' || line[0] == '\t')
    return refuse_field (self, NULL, "a header field goes on in a second line");
  if (colon == NULL || !is_token (line, colon - line))
    return refuse_field (self, NULL, "a line of the head is not NAME: VALUE");
  if (++self->n_lines > METRICS_HTTP_MAX_FIELDS + 1)
    return refuse (self, 431, "head-too-large", NULL, "there are more than 100 header fields");
  value = colon + 1;
  value_len = line + len - value;
  for (gsize i = 0; i < value_len; i++)
    if (((guchar) value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
      return refuse_field (self, NULL, "a header field has a control character");
  while (value_len > 0 && (value[0] == ' ' || value[0] == '\t'))
    {
      value++;
      value_len--;
    }
  while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
    value_len--;
  return read_field (self, data, line, colon - line, value, value_len);
}

static MetricsHttpHeadState
end (MetricsHttpHead *self)
{
  self->len = self->line;
  if (self->has_encoding && self->content_length >= 0)
    return refuse_field (self, "Content-Length", "it stands beside Transfer-Encoding");
  if (self->minor > 0 && !self->has_host)
    return refuse_field (self, "Host", "HTTP/1.1 needs it");
  return METRICS_HTTP_HEAD_WHOLE;
}

/* A line without its CR LF. */
static MetricsHttpHeadState
read_line (MetricsHttpHead *self, const char *data, gsize len)
{
  gsize next = self->line + len + 2;
  MetricsHttpHeadState state = METRICS_HTTP_HEAD_MORE;
  gboolean is_end = FALSE;

  if (len > 0 && memchr (data + self->line, '\r', len) != NULL)
    return refuse_field (self, NULL, "there is a CR without LF");
  if (self->n_lines == 0 && len == 0)
    {
      if (next > 2 * MAX_EMPTY_LINES)
        return refuse (self, 400, "not-http", NULL, "there are empty lines before the request");
    }
  else if (self->n_lines == 0)
    {
      state = read_request_line (self, data, len);
      self->n_lines++;
    }
  else if (len == 0)
    is_end = TRUE;
  else
    state = read_header_line (self, data, len);
  self->line = next;
  return is_end ? end (self) : state;
}

/* What can be said of a line that has not ended. */
static MetricsHttpHeadState
check_rest (MetricsHttpHead *self, const char *data, gsize len)
{
  gsize rest = len - self->line;

  if (self->n_lines == 0)
    {
      /* Another protocol, TLS perhaps, is told at once. */
      for (gsize i = 0; i < MIN (rest, MAX_METHOD + 1); i++)
        {
          char c = data[self->line + i];

          if (c == ' ' && i > 0)
            break;
          if (c != '\r' && (!is_token_char (c) || i == MAX_METHOD))
            return refuse (self, 400, "not-http", NULL, "the first line is not METHOD TARGET HTTP/1.1");
        }
      if (rest > MAX_METHOD + METRICS_HTTP_MAX_TARGET + VERSION_LEN + 4)
        return refuse (self, 414, "target-too-long", NULL,
                       "the target of the request is longer than 16384 bytes");
    }
  if (len >= METRICS_HTTP_MAX_HEAD)
    return refuse (self, 431, "head-too-large", NULL, "the head of the request is larger than 65536 bytes");
  return METRICS_HTTP_HEAD_MORE;
}

/**
 * metrics_http_head_init:
 * @self: (out caller-allocates): a head of which nothing has been read
 */
void
metrics_http_head_init (MetricsHttpHead *self)
{
  *self = (MetricsHttpHead){ .content_length = -1 };
}

/**
 * metrics_http_head_read:
 * @self: a head that was %METRICS_HTTP_HEAD_MORE so far
 * @data: the bytes of the client: those that were given before, and more behind them
 * @len: how many they are
 *
 * Reads on.
 *
 * Returns: how far it is; what is behind a whole head is not looked at
 */
MetricsHttpHeadState
metrics_http_head_read (MetricsHttpHead *self, const char *data, gsize len)
{
  MetricsHttpHeadState state = METRICS_HTTP_HEAD_MORE;
  const char *lf;

  /* Of no bytes there may be no address, which memchr() must not be given. */
  while (state == METRICS_HTTP_HEAD_MORE && self->n_seen < len
         && (lf = memchr (data + self->n_seen, '\n', len - self->n_seen)) != NULL)
    {
      gsize line_len = lf - (data + self->line);

      self->n_seen = lf + 1 - data;
      if (self->n_seen > METRICS_HTTP_MAX_HEAD)
        return refuse (self, 431, "head-too-large", NULL,
                       "the head of the request is larger than 65536 bytes");
      if (line_len == 0 || lf[-1] != '\r')
        {
          gboolean is_first = self->n_lines == 0;

          return refuse (self, 400, is_first ? "not-http" : "bad-head", NULL,
                         is_first ? "the first line is not METHOD TARGET HTTP/1.1, or does not end in CR LF"
                                  : "a line of the head does not end in CR LF");
        }
      state = read_line (self, data, line_len - 1);
    }
  if (state != METRICS_HTTP_HEAD_MORE)
    return state;
  self->n_seen = len;
  return check_rest (self, data, len);
}
