/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-private.h"

#include "common/metrics-json.h"

#include <string.h>

/* How an answer is put on the wire.
 *
 * An answer that is made piece by piece begins to leave when there is more of it than fits in one packet, or
 * its maker waits: what is complete by then has a length, and can still turn out to be an error. Else it
 * leaves in chunks, so that an answer which ends early is told from a whole one; who speaks HTTP/1.0 sees the
 * end of the connection in place of that. */

/* Less is neither held back nor compressed. */
#define SMALL 1024

static void
append (MetricsHttpClient *client, const GString *text)
{
  metrics_buffer_append (metrics_http_client_get_out (client), text->str, text->len);
}

static void
append_date (GString *head)
{
  static gint64 last;
  static char text[64];
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  if (now != last)
    {
      g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (now);
      g_autofree char *formatted = soup_date_time_to_string (date, SOUP_DATE_HTTP);

      g_strlcpy (text, formatted, sizeof text);
      last = now;
    }
  g_string_append_printf (head, "Date: %s\r\n", text);
}

/* What is younger than libsoup 3.2's list. */
static const char *
get_phrase (guint status)
{
  switch (status)
    {
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return soup_status_get_phrase (status);
    }
}

/* What stands in each answer: nobody is to take it for something else, to show it in a frame of another site,
 * or to keep it. */
static void
append_common (GString *head, guint status, gboolean stays)
{
  g_string_append_printf (head, "HTTP/1.1 %u %s\r\n", status, get_phrase (status));
  append_date (head);
  g_string_append (head, "X-Content-Type-Options: nosniff\r\n"
                         "Referrer-Policy: no-referrer\r\n"
                         "Cross-Origin-Resource-Policy: same-origin\r\n");
  if (!stays)
    g_string_append (head, "Connection: close\r\n");
}

static gboolean
has_body (const MetricsHttpRequest *self)
{
  return self->status != 204 && self->status != 304;
}

static void
send_head (MetricsHttpRequest *self, gssize length)
{
  g_autoptr (GString) head = g_string_sized_new (512);

  self->has_begun = TRUE;
  self->is_chunked = length < 0 && self->minor > 0;
  /* That it ends is all that says where. */
  if (length < 0 && !self->is_chunked)
    metrics_http_client_let_go (self->client);
  append_common (head, self->status, metrics_http_client_stays (self->client));
  if (self->content_type != NULL && has_body (self))
    g_string_append_printf (head, "Content-Type: %s\r\n", self->content_type);
  if (!self->has_cache_control)
    g_string_append (head, "Cache-Control: no-store\r\n");
  if (self->etag != NULL)
    g_string_append_printf (head, "ETag: %s\r\n", self->etag);
  if (self->extra != NULL)
    g_string_append_len (head, self->extra->str, self->extra->len);
  if (self->gzip != NULL)
    metrics_http_request_add_vary (self, "Accept-Encoding");
  if (self->vary != NULL)
    g_string_append_printf (head, "Vary: %s\r\n", self->vary);
  if (self->gzip != NULL || (self->is_packed && self->status == 200))
    g_string_append (head, "Content-Encoding: gzip\r\n");
  if (self->is_chunked)
    g_string_append (head, "Transfer-Encoding: chunked\r\n");
  else if (length >= 0 && has_body (self))
    g_string_append_printf (head, "Content-Length: %" G_GSSIZE_FORMAT "\r\n", length);
  g_string_append (head, "\r\n");
  append (self->client, head);
}

static void
complete (MetricsHttpRequest *self)
{
  self->is_complete = TRUE;
  self->is_runnable = FALSE;
  metrics_http_note_answer (metrics_http_client_get_http (self->client), self->status);
  metrics_http_client_schedule (self->client);
}

static gboolean
wants_gzip (MetricsHttpRequest *self)
{
  return !self->is_endless && !self->is_head && metrics_http_request_takes_gzip (self)
         && metrics_http_request_is_text (self);
}

/* Returns: (nullable): the answer as gzip; with it, the encoder is there for the head alone */
static GBytes *
pack (MetricsHttpRequest *self, GBytes *bytes)
{
  g_autoptr (GString) packed = NULL;
  gsize len;
  const char *data = g_bytes_get_data (bytes, &len);

  self->gzip = metrics_http_gzip_new ();
  if (self->gzip == NULL)
    return NULL;
  packed = g_string_new (NULL);
  metrics_http_gzip_write (self->gzip, data, len, TRUE, packed);
  return g_string_free_to_bytes (g_steal_pointer (&packed));
}

/**
 * metrics_http_answer_send_whole:
 * @self: a request whose answer has not begun
 * @bytes: all of it
 *
 * Sends an answer that is there.
 */
void
metrics_http_answer_send_whole (MetricsHttpRequest *self, GBytes *bytes)
{
  g_autoptr (GBytes) packed = NULL;

  if (self->etag == NULL && g_bytes_get_size (bytes) > SMALL && wants_gzip (self))
    packed = pack (self, bytes);
  if (packed != NULL)
    bytes = packed;
  send_head (self, g_bytes_get_size (bytes));
  if (!self->is_head && has_body (self))
    metrics_http_client_send_bytes (self->client, bytes);
  complete (self);
}

static void
send_chunk (MetricsHttpRequest *self, const char *data, gsize len)
{
  MetricsBuffer *out = metrics_http_client_get_out (self->client);
  char size[24];

  if (self->is_head || len == 0)
    return;
  if (self->is_chunked)
    {
      g_snprintf (size, sizeof size, "%" G_GSIZE_MODIFIER "x\r\n", len);
      metrics_buffer_append (out, size, strlen (size));
    }
  metrics_buffer_append (out, data, len);
  if (self->is_chunked)
    metrics_buffer_append (out, "\r\n", 2);
}

/* What was made leaves; of what is compressed, perhaps later. */
static void
send_made (MetricsHttpRequest *self, gboolean is_end)
{
  if (self->gzip != NULL)
    {
      g_autoptr (GString) packed = g_string_new (NULL);

      metrics_http_gzip_write (self->gzip, self->made->str, self->made->len, is_end, packed);
      send_chunk (self, packed->str, packed->len);
    }
  else
    send_chunk (self, self->made->str, self->made->len);
  g_string_truncate (self->made, 0);
}

static void
begin (MetricsHttpRequest *self)
{
  if (wants_gzip (self))
    self->gzip = metrics_http_gzip_new ();
  send_head (self, -1);
}

/* What was made so far can leave. */
static void
pass_on (MetricsHttpRequest *self, gboolean is_waiting)
{
  if (!self->has_begun
      && (self->made->len > SMALL || (is_waiting && self->made->len > 0) || self->is_endless))
    begin (self);
  if (self->has_begun && self->made->len > 0)
    send_made (self, FALSE);
}

static void
end (MetricsHttpRequest *self)
{
  if (!self->has_begun && self->made->len <= SMALL)
    {
      send_head (self, self->made->len);
      send_chunk (self, self->made->str, self->made->len);
      complete (self);
      return;
    }
  if (!self->has_begun)
    begin (self);
  send_made (self, TRUE);
  if (self->is_chunked && !self->is_head)
    metrics_buffer_append (metrics_http_client_get_out (self->client), "0\r\n\r\n", 5);
  complete (self);
}

static void
lose (MetricsHttpRequest *self)
{
  if (!self->has_begun)
    {
      metrics_http_request_fail (self, 503, "answer-lost", NULL,
                                 "what the answer had yet to show was deleted");
      return;
    }
  self->is_lost = TRUE;
  metrics_http_client_schedule (self->client);
}

/**
 * metrics_http_answer_step:
 * @self: a request whose answer is made piece by piece
 * @budget: (inout): units of work
 *
 * Makes the next piece. To a HEAD it is enough to know that there is one.
 */
void
metrics_http_answer_step (MetricsHttpRequest *self, gint *budget)
{
  MetricsHttpStep step;

  self->is_called = TRUE;
  self->is_woken = FALSE;
  step = self->func (self, self->made, budget, self->user_data);
  /* One that makes nothing has to come to its end as well. */
  *budget -= 1;
  self->is_called = FALSE;
  if (self->is_complete)
    return;
  switch (step)
    {
    case METRICS_HTTP_STEP_AGAIN:
      pass_on (self, FALSE);
      break;
    case METRICS_HTTP_STEP_WAIT:
      pass_on (self, TRUE);
      self->is_runnable = self->is_woken;
      break;
    case METRICS_HTTP_STEP_OVER:
      end (self);
      break;
    case METRICS_HTTP_STEP_LOST:
    default:
      lose (self);
      break;
    }
  if (self->is_head && self->has_begun && !self->is_complete)
    complete (self);
}

/**
 * metrics_http_answer_refusal:
 * @client: a client that has no request
 * @status: a status
 * @code: a word of English for it
 * @where: (nullable): the place of what is wrong
 * @message: a sentence of English
 * @extra: (nullable): header fields, each with CR LF
 *
 * Says what is wrong, to one who is let go then.
 */
void
metrics_http_answer_refusal (MetricsHttpClient *client,
                             guint status,
                             const char *code,
                             const char *where,
                             const char *message,
                             const char *extra)
{
  g_autoptr (GString) answer = g_string_sized_new (512);
  g_autoptr (GString) body = metrics_http_format_error (status, code, where, message);

  append_common (answer, status, FALSE);
  g_string_append_printf (answer,
                          "Content-Type: " METRICS_HTTP_JSON "\r\nCache-Control: no-store\r\n"
                          "%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
                          extra != NULL ? extra : "", body->len);
  g_string_append_len (answer, body->str, body->len);
  append (client, answer);
  metrics_http_note_answer (metrics_http_client_get_http (client), status);
}

/**
 * metrics_http_format_error:
 * @status: a status
 * @code: a word of English for it
 * @where: (nullable): the place of what is wrong
 * @message: a sentence of English
 *
 * Returns: (transfer full): an error as JSON
 */
GString *
metrics_http_format_error (guint status, const char *code, const char *where, const char *message)
{
  GString *json = g_string_new (NULL);

  g_string_append_printf (json, "{\"error\":{\"status\":%u,\"code\":", status);
  metrics_json_append_string (json, code);
  g_string_append (json, ",\"message\":");
  metrics_json_append_string (json, message);
  if (where != NULL)
    {
      g_string_append (json, ",\"where\":");
      metrics_json_append_string (json, where);
    }
  g_string_append (json, "}}\n");
  return json;
}
