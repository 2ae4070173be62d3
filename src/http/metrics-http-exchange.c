/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-client-private.h"

/* The requests of a client, one after the other: from its bytes to a handler, and to the end of the answer.
 */

/* A part of a body of this size has to come within the time for a line. */
#define BODY_PIECE (256 << 10)
/* One of this size costs no more than what is read ahead, and is not refused for the large ones of others. */
#define SMALL_BODY (16 << 10)
/* What a request costs beside its answer, in units of work. */
#define REQUEST_UNITS 64

void
metrics_http_client_drop_request (MetricsHttpClient *self)
{
  g_clear_pointer (&self->request, metrics_http_request_free);
  if (self->n_reserved > 0)
    {
      metrics_http_reserve_body (self->http, -(gssize) self->n_reserved);
      self->n_reserved = 0;
    }
  g_clear_pointer (&self->body, g_byte_array_unref);
}

static const char *
get_input (MetricsHttpClient *self)
{
  /* Of no bytes there is no address. */
  return self->in.data != NULL ? self->in.data + self->in.start : "";
}

/* Requests */

void
metrics_http_client_begin_flushing (MetricsHttpClient *self)
{
  metrics_http_client_drop_request (self);
  self->stays = FALSE;
  metrics_http_client_set_phase (self, PHASE_FLUSHING);
}

void
metrics_http_client_refuse_request (MetricsHttpClient *self,
                                    guint status,
                                    const char *code,
                                    const char *where,
                                    const char *message)
{
  metrics_http_client_drop_request (self);
  metrics_http_answer_refusal (self, status, code, where, message, NULL);
  metrics_http_client_begin_flushing (self);
}

static gboolean
has_body (MetricsHttpClient *self)
{
  return self->head.is_chunked || self->head.content_length > 0;
}

static void
run_request (MetricsHttpClient *self)
{
  metrics_http_client_set_phase (self, PHASE_ANSWER);
  if (self->body != NULL)
    self->request->body = g_byte_array_free_to_bytes (g_steal_pointer (&self->body));
  self->request->route->handler (self->request);
}

/* Of one that is not let through the body is not waited for, so nothing can come behind it. */
static void
begin_request (MetricsHttpClient *self)
{
  gboolean stays = self->head.keep_alive && !self->is_finishing;

  self->stays = stays && !has_body (self);
  self->budget -= REQUEST_UNITS;
  self->request = metrics_http_request_new (self, &self->head, get_input (self));
  if (!metrics_http_request_admit (self->request, &self->head, get_input (self)))
    {
      metrics_http_client_set_phase (self, PHASE_ANSWER);
      metrics_buffer_consume (&self->in, self->head.len);
      return;
    }
  self->stays = stays;
  metrics_buffer_consume (&self->in, self->head.len);
  if (!has_body (self))
    {
      run_request (self);
      return;
    }
  metrics_http_client_set_phase (self, PHASE_BODY);
  self->body = g_byte_array_new ();
  self->chunks = (MetricsHttpChunks){ 0 };
  if (self->head.is_awaited && metrics_buffer_length (&self->in) == 0)
    metrics_buffer_append (&self->out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

/* Returns: FALSE where there is no whole head */
gboolean
metrics_http_client_work_on_head (MetricsHttpClient *self)
{
  gsize len = metrics_buffer_length (&self->in);

  if (len == 0)
    return FALSE;
  /* The time for a head runs from when its first byte is seen. */
  if (self->head.n_seen == 0)
    self->since = metrics_poller_get_time (self->watch.poller);
  switch (metrics_http_head_read (&self->head, get_input (self), len))
    {
    case METRICS_HTTP_HEAD_WHOLE:
      begin_request (self);
      return TRUE;
    case METRICS_HTTP_HEAD_BAD:
      metrics_http_client_refuse_request (self, self->head.status, self->head.code, self->head.where,
                                          self->head.message);
      return TRUE;
    case METRICS_HTTP_HEAD_MORE:
    default:
      return FALSE;
    }
}

/* Takes the next part of a body; returns whether all of it is there. */
static gboolean
read_body (MetricsHttpClient *self, MetricsHttpChunksState *state)
{
  gsize len = metrics_buffer_length (&self->in), before = self->body->len;

  *state = METRICS_HTTP_CHUNKS_MORE;
  if (self->head.is_chunked)
    *state
        = metrics_http_chunks_read (&self->chunks, get_input (self), &len, self->body, METRICS_HTTP_MAX_BODY);
  else
    {
      len = MIN (len, (gsize) self->head.content_length - self->body->len);
      g_byte_array_append (self->body, (const guint8 *) get_input (self), len);
      if (self->body->len == (gsize) self->head.content_length)
        *state = METRICS_HTTP_CHUNKS_END;
    }
  metrics_buffer_consume (&self->in, len);
  if (self->body->len / BODY_PIECE > before / BODY_PIECE)
    self->since = metrics_poller_get_time (self->watch.poller);
  self->n_reserved += self->body->len - before;
  return metrics_http_reserve_body (self->http, self->body->len - before) || self->body->len <= SMALL_BODY;
}

/* Returns: FALSE where more of the body is waited for */
gboolean
metrics_http_client_work_on_body (MetricsHttpClient *self)
{
  MetricsHttpChunksState state;

  if (metrics_buffer_length (&self->in) == 0)
    return FALSE;
  if (!read_body (self, &state))
    {
      metrics_http_client_refuse_request (self, 503, "busy", NULL, "too many large requests at once");
      return TRUE;
    }
  switch (state)
    {
    case METRICS_HTTP_CHUNKS_END:
      run_request (self);
      return TRUE;
    case METRICS_HTTP_CHUNKS_LARGE:
      metrics_http_client_refuse_request (self, 413, "body-too-large", NULL,
                                          "a body has at most 8388608 bytes");
      return TRUE;
    case METRICS_HTTP_CHUNKS_BAD:
      metrics_http_client_refuse_request (self, 400, "bad-body", "Transfer-Encoding",
                                          "the body is not made of chunks");
      return TRUE;
    case METRICS_HTTP_CHUNKS_MORE:
    default:
      return FALSE;
    }
}

static void
end_request (MetricsHttpClient *self)
{
  gboolean is_lost = self->request->is_lost;

  metrics_http_client_drop_request (self);
  self->has_asked = TRUE;
  if (is_lost)
    {
      /* What was made leaves; that the end is missing is seen. */
      metrics_http_client_begin_flushing (self);
      return;
    }
  if (!self->stays)
    {
      metrics_http_client_begin_flushing (self);
      return;
    }
  metrics_http_head_init (&self->head);
  metrics_http_client_set_phase (self, PHASE_HEAD);
}

/* Returns: FALSE where nothing can be done for now */
gboolean
metrics_http_client_work_on_answer (MetricsHttpClient *self)
{
  if (self->request->is_complete || self->request->is_lost)
    {
      end_request (self);
      return TRUE;
    }
  if (self->request->is_endless && self->eof)
    {
      metrics_http_client_close (self);
      return FALSE;
    }
  if (!self->request->is_runnable
      || metrics_http_client_get_unsent (self) >= metrics_http_get_limits (self->http)->unsent)
    return FALSE;
  metrics_http_answer_step (self->request, &self->budget);
  return TRUE;
}
