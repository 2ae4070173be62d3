/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-accept.h"
#include "http/metrics-http-private.h"

#include <string.h>

/* What handlers see of a request, and the three ways in which they end it. */

static const char *
split_target (MetricsHttpRequest *self, const char *target, gsize len)
{
  const char *query = memchr (target, '?', len);
  gsize path_len = query != NULL ? (gsize) (query - target) : len;

  self->path = metrics_http_unescape (target, path_len, FALSE);
  if (self->path == NULL)
    return "the path has a wrong %XX in it, or is not UTF-8";
  /* Of `http://host?query`. */
  if (self->path[0] == '\0')
    {
      g_free (self->path);
      self->path = g_strdup ("/");
    }
  if (query == NULL)
    return NULL;
  return metrics_http_parameters_parse (&self->parameters, query + 1, target + len - (query + 1));
}

/**
 * metrics_http_request_new:
 * @client: who asks; it has to live as long as the request
 * @head: a head that is whole
 * @data: its bytes
 *
 * Returns: (transfer full): a request that is not answered, unless its target cannot be read
 */
MetricsHttpRequest *
metrics_http_request_new (MetricsHttpClient *client, const MetricsHttpHead *head, const char *data)
{
  MetricsHttpRequest *self = g_new0 (MetricsHttpRequest, 1);
  const char *problem;
  gboolean is_read;

  self->client = client;
  self->minor = head->minor;
  self->method = g_strndup (data + head->start, head->method_len);
  self->is_head = strcmp (self->method, "HEAD") == 0;
  self->host = head->host_len > 0 ? g_strndup (data + head->host, head->host_len) : NULL;
  self->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  /* But for the empty line. What is wrong with it was found before; a field that is not read must not be
   * taken for one that is not there, for some say who is not let in. */
  is_read = soup_headers_parse (data + head->start, head->len - head->start - 2, self->headers);
  problem = split_target (self, data + head->target, head->target_len);
  if (problem != NULL)
    metrics_http_request_fail (self, 400, "bad-target", NULL, "%s", problem);
  else if (!is_read)
    metrics_http_request_fail (self, 400, "bad-head", NULL, "the header fields cannot be read");
  return self;
}

/**
 * metrics_http_request_free:
 * @self: (transfer full) (nullable): a request; what was given to make its answer is let go
 */
void
metrics_http_request_free (MetricsHttpRequest *self)
{
  if (self == NULL)
    return;
  g_assert (!self->is_called);

  if (self->free_func != NULL)
    self->free_func (self->user_data);
  g_free (self->method);
  g_free (self->path);
  g_free (self->host);
  metrics_http_parameters_clear (&self->parameters);
  g_clear_pointer (&self->headers, soup_message_headers_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self->content_type);
  g_free (self->etag);
  g_free (self->vary);
  if (self->extra != NULL)
    g_string_free (self->extra, TRUE);
  if (self->made != NULL)
    g_string_free (self->made, TRUE);
  metrics_http_gzip_free (self->gzip);
  g_free (self);
}

/**
 * metrics_http_request_get_http:
 * @self: a request
 *
 * Returns: (transfer none): what serves it
 */
MetricsHttp *
metrics_http_request_get_http (MetricsHttpRequest *self)
{
  return metrics_http_client_get_http (self->client);
}

/**
 * metrics_http_request_get_method:
 * @self: a request
 *
 * Returns: (transfer none): its method; HEAD is answered by what answers GET
 */
const char *
metrics_http_request_get_method (MetricsHttpRequest *self)
{
  return self->method;
}

/**
 * metrics_http_request_get_path:
 * @self: a request
 *
 * Returns: (transfer none): its path, decoded, UTF-8
 */
const char *
metrics_http_request_get_path (MetricsHttpRequest *self)
{
  return self->path;
}

/**
 * metrics_http_request_get_parameters:
 * @self: a request
 *
 * Returns: (transfer none): the parameters of its target
 */
const MetricsHttpParameters *
metrics_http_request_get_parameters (MetricsHttpRequest *self)
{
  return &self->parameters;
}

/**
 * metrics_http_request_get_header:
 * @self: a request
 * @name: a header field, whatever the case
 *
 * Returns: (transfer none) (nullable): its value; of several, the last one
 */
const char *
metrics_http_request_get_header (MetricsHttpRequest *self, const char *name)
{
  return soup_message_headers_get_one (self->headers, name);
}

/**
 * metrics_http_request_get_rights:
 * @self: a request
 *
 * Returns: what who asks may do
 */
MetricsRights
metrics_http_request_get_rights (MetricsHttpRequest *self)
{
  return metrics_http_client_get_rights (self->client);
}

/**
 * metrics_http_request_get_body:
 * @self: a request
 *
 * Returns: (transfer none): its body, whole; empty where there is none
 */
GBytes *
metrics_http_request_get_body (MetricsHttpRequest *self)
{
  if (self->body == NULL)
    self->body = g_bytes_new (NULL, 0);
  return self->body;
}

/**
 * metrics_http_request_choose_type:
 * @self: a request
 * @types: what it could be answered as, `%NULL` behind them; the first one is what is meant where nothing is
 *   said
 *
 * Returns: (transfer none) (nullable): what fits best by `Accept`, see metrics_http_accept_choose(); %NULL
 * where nothing does
 */
const char *
metrics_http_request_choose_type (MetricsHttpRequest *self, const char *const *types)
{
  return metrics_http_accept_choose (soup_message_headers_get_list (self->headers, "Accept"), types);
}

/* Whether gzip is not less welcome than the answer as it is. */
gboolean
metrics_http_request_takes_gzip (MetricsHttpRequest *self)
{
  const char *accept = soup_message_headers_get_list (self->headers, "Accept-Encoding");
  GSList *accepted = accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  gboolean takes = FALSE;

  /* In the order of their weights; those of weight 0 are left out. */
  for (GSList *l = accepted; l != NULL && !takes && g_ascii_strcasecmp (l->data, "identity") != 0;
       l = l->next)
    takes = g_ascii_strcasecmp (l->data, "gzip") == 0 || g_ascii_strcasecmp (l->data, "x-gzip") == 0;
  soup_header_free_list (accepted);
  return takes;
}

/* Whether the answer is something that gets smaller. */
gboolean
metrics_http_request_is_text (MetricsHttpRequest *self)
{
  const char *type = self->content_type;

  return type != NULL
         && (g_str_has_prefix (type, "text/") || g_str_has_prefix (type, METRICS_HTTP_JSON)
             || g_str_has_prefix (type, "application/openmetrics-text")
             || g_str_has_prefix (type, "image/svg+xml"));
}

/* What the answer depends on, with what is known of that already. */
void
metrics_http_request_add_vary (MetricsHttpRequest *self, const char *field)
{
  g_autofree char *before = g_steal_pointer (&self->vary);

  self->vary = before != NULL ? g_strconcat (before, ", ", field, NULL) : g_strdup (field);
}

/**
 * metrics_http_request_set_header:
 * @self: a request whose answer has not begun
 * @name: a header field
 * @value: its value, without control characters
 *
 * Adds a field to the answer, whichever that will be. `Cache-Control` takes the place of the default, which
 * is that nothing is kept.
 */
void
metrics_http_request_set_header (MetricsHttpRequest *self, const char *name, const char *value)
{
  g_return_if_fail (!self->has_begun);

  if (g_ascii_strcasecmp (name, "Vary") == 0)
    {
      metrics_http_request_add_vary (self, value);
      return;
    }
  if (self->extra == NULL)
    self->extra = g_string_new (NULL);
  self->has_cache_control |= g_ascii_strcasecmp (name, "Cache-Control") == 0;
  g_string_append_printf (self->extra, "%s: %s\r\n", name, value);
}

/**
 * metrics_http_request_set_endless:
 * @self: a request whose answer has not begun
 *
 * Says that the answer, which metrics_http_request_produce() makes, goes on for ever: its head leaves at
 * once, it is not compressed, and it ends when the client says that it sends nothing more. When the server
 * stops its function is called: it has to look at metrics_http_is_finishing(), and to say
 * %METRICS_HTTP_STEP_OVER soon.
 */
void
metrics_http_request_set_endless (MetricsHttpRequest *self)
{
  self->is_endless = TRUE;
}

/**
 * metrics_http_request_set_etag:
 * @self: a request whose answer has not begun
 * @etag: what names the answer, with its quotation marks: it changes with each byte of it
 *
 * Has a client that has the answer already be told so, 304. It is to be set before
 * metrics_http_request_answer(), and for GET alone.
 */
void
metrics_http_request_set_etag (MetricsHttpRequest *self, const char *etag)
{
  g_free (self->etag);
  self->etag = g_strdup (etag);
}

static gboolean
has_it (MetricsHttpRequest *self)
{
  const char *known = soup_message_headers_get_list (self->headers, "If-None-Match");
  GSList *tags;
  gboolean found = FALSE;

  if (known == NULL || self->etag == NULL)
    return FALSE;
  tags = soup_header_parse_list (known);
  for (GSList *l = tags; l != NULL; l = l->next)
    {
      const char *tag = l->data;

      /* Compared as weak ones, as RFC 9110, 13.1.2 says. */
      found
          |= strcmp (tag, "*") == 0 || strcmp (g_str_has_prefix (tag, "W/") ? tag + 2 : tag, self->etag) == 0;
    }
  soup_header_free_list (tags);
  return found;
}

static gboolean
may_end (MetricsHttpRequest *self)
{
  return !self->is_complete && !self->has_begun;
}

/* The way of an error: nothing of what the answer was to be is left. */
static void
forget_answer (MetricsHttpRequest *self)
{
  g_clear_pointer (&self->etag, g_free);
  self->is_packed = FALSE;
  self->is_endless = FALSE;
}

/**
 * metrics_http_request_fail:
 * @self: a request that is not ended, and of whose answer nothing was made
 * @status: a status, 400 to 599
 * @code: a word of English for programs
 * @where: (nullable): what is wrong: a parameter, a header field, a place in the body
 * @format: a sentence of English, as for printf(); what is not UTF-8 in it is replaced
 * @...: what it needs
 *
 * Ends a request with an error. It is freed later: from where the request was got it can still be used.
 */
void
metrics_http_request_fail (MetricsHttpRequest *self,
                           guint status,
                           const char *code,
                           const char *where,
                           const char *format,
                           ...)
{
  g_autofree char *message = NULL;
  g_autofree char *valid = NULL;
  g_autoptr (GBytes) bytes = NULL;
  va_list args;

  g_return_if_fail (may_end (self));

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  valid = g_utf8_make_valid (message, -1);
  bytes = g_string_free_to_bytes (metrics_http_format_error (status, code, where, valid));
  forget_answer (self);
  metrics_http_request_answer (self, status, METRICS_HTTP_JSON, bytes);
}

/**
 * metrics_http_request_check_no_parameters:
 * @self: a request that is not ended, for something that takes no parameters
 *
 * Returns: whether it has none; else it was ended with an error
 */
gboolean
metrics_http_request_check_no_parameters (MetricsHttpRequest *self)
{
  if (self->parameters.n_items == 0)
    return TRUE;
  metrics_http_request_fail (self, 400, "bad-parameter", self->parameters.items[0].name,
                             "there is no such parameter here");
  return FALSE;
}

/**
 * metrics_http_request_answer:
 * @self: a request that is not ended, and of whose answer nothing was made
 * @status: a status, 200 to 599
 * @content_type: (nullable): what the answer is
 * @bytes: (nullable): the answer
 *
 * Ends a request with an answer that is there. It is freed later, as by metrics_http_request_fail().
 */
void
metrics_http_request_answer (MetricsHttpRequest *self, guint status, const char *content_type, GBytes *bytes)
{
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);

  g_return_if_fail (may_end (self));

  self->status = status;
  g_free (self->content_type);
  self->content_type = g_strdup (content_type);
  if (status == 200 && has_it (self))
    {
      self->status = 304;
      bytes = NULL;
    }
  metrics_http_answer_send_whole (self, bytes != NULL ? bytes : nothing);
}

/**
 * metrics_http_request_produce:
 * @self: a request that is not ended
 * @content_type: what the answer is; its status is 200
 * @func: what makes it, piece by piece
 * @user_data: what to call it with
 * @free_func: (nullable): called with that when it is not called any more: the answer is complete, or nobody
 *   wants it. The request is gone then.
 *
 * Ends a request with an answer that is made while the client takes it. The function is called from the main
 * context, the first time when this has returned.
 */
void
metrics_http_request_produce (MetricsHttpRequest *self,
                              const char *content_type,
                              MetricsHttpProduceFunc func,
                              gpointer user_data,
                              GDestroyNotify free_func)
{
  g_return_if_fail (may_end (self) && self->func == NULL);

  self->status = 200;
  self->content_type = g_strdup (content_type);
  self->func = func;
  self->user_data = user_data;
  self->free_func = free_func;
  self->made = g_string_new (NULL);
  self->is_runnable = TRUE;
  metrics_http_client_schedule (self->client);
}

/**
 * metrics_http_request_wake:
 * @self: a request whose answer is being made
 *
 * Has its function be called again, from the main context, once, though it said %METRICS_HTTP_STEP_WAIT.
 */
void
metrics_http_request_wake (MetricsHttpRequest *self)
{
  if (self->is_complete || self->func == NULL)
    return;
  self->is_woken = TRUE;
  self->is_runnable = TRUE;
  metrics_http_client_schedule (self->client);
}
