/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-client-private.h"

#include <errno.h>
#include <sys/socket.h>

/* A client of HTTP: what comes of its socket, one request after the other, and what leaves.
 *
 * Each round reads once, works as far as a slice of work and the client's taking of its answers allow, and
 * writes once, as a connection of the line protocol does. A head is looked at before anything else sees it
 * (metrics-http-head.c), and where a body ends is known here as well: so the next request begins where it
 * should, and a connection can be kept. */

/* How much is read at once, and how much of what has not been looked at is held. */
#define PIECE 16384
#define HEAD_PIECE 2048
#define MAX_UNREAD METRICS_HTTP_MAX_HEAD
/* What is kept of a buffer while it is empty. */
#define IDLE_BUFFER_MAX 512

static guint signal_closed;

G_DEFINE_FINAL_TYPE (MetricsHttpClient, metrics_http_client, G_TYPE_OBJECT)

void
metrics_http_client_close (MetricsHttpClient *self)
{
  if (self->phase == PHASE_CLOSED)
    return;
  self->phase = PHASE_CLOSED;
  if (self->is_called)
    g_object_ref (self);
  metrics_poller_watch_remove (&self->watch);
  metrics_http_client_drop_request (self);
  g_io_stream_close (G_IO_STREAM (self->stream), NULL, NULL);
  g_signal_emit (self, signal_closed, 0);
}

void
metrics_http_client_set_phase (MetricsHttpClient *self, Phase phase)
{
  self->phase = phase;
  self->since = metrics_poller_get_time (self->watch.poller);
}

gsize
metrics_http_client_get_unsent (MetricsHttpClient *self)
{
  gsize n_tail = self->tail != NULL ? g_bytes_get_size (self->tail) - self->n_tail : 0;

  return metrics_buffer_length (&self->out) + n_tail;
}

/* Reading */

static gboolean
is_reading (MetricsHttpClient *self)
{
  gsize max = self->phase == PHASE_ANSWER ? PIECE : MAX_UNREAD;

  return (self->phase == PHASE_HEAD || self->phase == PHASE_BODY || self->phase == PHASE_ANSWER) && !self->eof
         && !self->is_finishing && metrics_buffer_length (&self->in) < max
         && (self->phase == PHASE_ANSWER
             || metrics_http_client_get_unsent (self) < metrics_http_get_limits (self->http)->unsent);
}

static void
fill (MetricsHttpClient *self)
{
  /* Thousands may be in the middle of a head. */
  gsize size = self->phase == PHASE_BODY ? PIECE : HEAD_PIECE;
  char *room = metrics_buffer_reserve (&self->in, size);
  gssize n;

  do
    n = recv (self->watch.fd, room, size, 0);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    {
      metrics_buffer_commit (&self->in, n);
      metrics_http_count (self->http)->bytes_received += n;
    }
  else if (n == 0)
    self->eof = TRUE;
  else if (errno != EAGAIN)
    {
      g_debug ("HTTP client gone: %s", g_strerror (errno));
      metrics_http_client_close (self);
    }
}

/* What the client still sends; nobody wants it. */
static void
throw_away (MetricsHttpClient *self)
{
  char piece[PIECE];
  gssize n = recv (self->watch.fd, piece, sizeof piece, 0);

  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || (n < 0 && self->is_finishing))
    metrics_http_client_close (self);
}

/* Whether more may be made: what was asked before has to be taken first. */
static gboolean
has_room (MetricsHttpClient *self)
{
  return self->tail == NULL
         && metrics_http_client_get_unsent (self) < metrics_http_get_limits (self->http)->unsent;
}

/* Whether something of a request has come that was not looked at: a slice of work ends between a head and
 * its body as well. */
gboolean
metrics_http_client_has_input (MetricsHttpClient *self)
{
  if (self->phase == PHASE_HEAD)
    return metrics_buffer_length (&self->in) > self->head.n_seen;
  return self->phase == PHASE_BODY && metrics_buffer_length (&self->in) > 0;
}

/* Whether there is something that can be gone on with. */
static gboolean
has_work (MetricsHttpClient *self)
{
  if (!has_room (self))
    return FALSE;
  if (self->phase == PHASE_ANSWER)
    return self->request->is_runnable || self->request->is_complete || self->request->is_lost;
  return metrics_http_client_has_input (self);
}

static void
work (MetricsHttpClient *self)
{
  gboolean goes_on = TRUE;

  while (goes_on && self->budget > 0)
    switch (self->phase)
      {
      case PHASE_HEAD:
        goes_on = has_room (self) && metrics_http_client_work_on_head (self);
        break;
      case PHASE_BODY:
        goes_on = metrics_http_client_work_on_body (self);
        break;
      case PHASE_ANSWER:
        goes_on = metrics_http_client_work_on_answer (self);
        break;
      case PHASE_NEW:
      case PHASE_FLUSHING:
      case PHASE_LINGERING:
      case PHASE_CLOSED:
      default:
        goes_on = FALSE;
        break;
      }
}

/* Writing */

static gssize
send_some (MetricsHttpClient *self)
{
  gsize n_out = metrics_buffer_length (&self->out), n_tail = 0;
  const char *tail = self->tail != NULL ? g_bytes_get_data (self->tail, &n_tail) : NULL;
  struct iovec pieces[] = {
    { .iov_base = self->out.data + self->out.start, .iov_len = n_out },
    { .iov_base = tail != NULL ? (char *) tail + self->n_tail : NULL, .iov_len = n_tail - self->n_tail },
  };
  struct msghdr message = { .msg_iov = pieces, .msg_iovlen = tail != NULL ? 2 : 1 };
  gssize n;

  do
    n = sendmsg (self->watch.fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

static void
flush (MetricsHttpClient *self)
{
  gssize n;
  gsize n_out = metrics_buffer_length (&self->out);

  if (metrics_http_client_get_unsent (self) == 0)
    return;
  n = send_some (self);
  if (n < 0 && errno != EAGAIN)
    {
      g_debug ("HTTP client gone: %s", g_strerror (errno));
      metrics_http_client_close (self);
    }
  if (n <= 0)
    return;
  self->n_sent += n;
  metrics_http_count (self->http)->bytes_sent += n;
  metrics_buffer_consume (&self->out, MIN ((gsize) n, n_out));
  if ((gsize) n > n_out)
    self->n_tail += n - n_out;
  if (self->tail != NULL && self->n_tail == g_bytes_get_size (self->tail))
    {
      g_clear_pointer (&self->tail, g_bytes_unref);
      self->n_tail = 0;
    }
}

/* What comes next */

/* Closing a socket that holds something unread sends a reset, which can overtake the answer. */
static void
begin_lingering (MetricsHttpClient *self)
{
  metrics_http_client_set_phase (self, PHASE_LINGERING);
  metrics_buffer_clear (&self->in);
  if (self->eof || shutdown (self->watch.fd, SHUT_WR) < 0)
    metrics_http_client_close (self);
}

/* Nothing more is read: what is not complete will not be. */
static void
end_asking (MetricsHttpClient *self)
{
  if (self->phase == PHASE_HEAD)
    metrics_http_client_begin_flushing (self);
  else if (self->phase == PHASE_BODY && self->is_finishing)
    metrics_http_client_refuse_request (self, 503, "stopping", NULL, "the server stops");
  else if (self->phase == PHASE_BODY)
    metrics_http_client_refuse_request (self, 400, "bad-body", NULL, "the body is shorter than was said");
}

static void
trim (MetricsBuffer *buffer)
{
  if (metrics_buffer_length (buffer) == 0 && buffer->size > IDLE_BUFFER_MAX)
    metrics_buffer_clear (buffer);
}

static void
advance (MetricsHttpClient *self)
{
  MetricsPollerEvents interest = 0;

  if ((self->eof || self->is_finishing) && !metrics_http_client_has_input (self))
    end_asking (self);
  if (self->phase == PHASE_FLUSHING && metrics_http_client_get_unsent (self) == 0)
    begin_lingering (self);
  /* With nothing unread the kernel delivers the rest, so who has no time need not wait. */
  if (self->phase == PHASE_LINGERING && self->is_finishing)
    throw_away (self);
  if (self->phase == PHASE_CLOSED)
    return;

  trim (&self->in);
  trim (&self->out);
  if (is_reading (self) || self->phase == PHASE_LINGERING)
    interest |= METRICS_POLLER_IN;
  if (metrics_http_client_get_unsent (self) > 0)
    interest |= METRICS_POLLER_OUT;
  if (has_work (self))
    metrics_poller_watch_schedule (&self->watch);
  metrics_http_client_update_deadline (self);
  if (!metrics_poller_watch_set_interest (&self->watch, interest))
    {
      g_debug ("HTTP client lost: %s", g_strerror (errno));
      metrics_http_client_close (self);
    }
}

static void
poller_cb (MetricsPollerEvents events, gpointer user_data)
{
  MetricsHttpClient *self = user_data;

  self->is_called = TRUE;
  self->budget = metrics_http_get_limits (self->http)->slice;
  if (events & METRICS_POLLER_DEADLINE)
    metrics_http_client_handle_deadline (self);
  if ((events & METRICS_POLLER_GONE) && self->phase != PHASE_CLOSED)
    metrics_http_client_close (self);
  if ((events & METRICS_POLLER_IN) && self->phase == PHASE_LINGERING)
    throw_away (self);
  else if ((events & METRICS_POLLER_IN) && is_reading (self))
    fill (self);
  work (self);
  if (self->phase != PHASE_CLOSED)
    flush (self);
  if (self->phase != PHASE_CLOSED)
    advance (self);
  self->is_called = FALSE;
  /* The reference is from close_now(). */
  if (self->phase == PHASE_CLOSED)
    g_object_unref (self);
}

/* The object */

static void
metrics_http_client_dispose (GObject *object)
{
  MetricsHttpClient *self = METRICS_HTTP_CLIENT (object);

  metrics_poller_watch_remove (&self->watch);
  if (self->http != NULL)
    metrics_http_client_drop_request (self);
  g_clear_object (&self->stream);
  g_clear_pointer (&self->tail, g_bytes_unref);
  metrics_buffer_clear (&self->in);
  metrics_buffer_clear (&self->out);

  G_OBJECT_CLASS (metrics_http_client_parent_class)->dispose (object);
}

static void
metrics_http_client_class_init (MetricsHttpClientClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = metrics_http_client_dispose;

  /**
   * MetricsHttpClient::closed:
   *
   * The socket was closed; the client does nothing any more.
   */
  signal_closed = g_signal_new ("closed", METRICS_TYPE_HTTP_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
}

static void
metrics_http_client_init (MetricsHttpClient *self)
{
  metrics_http_head_init (&self->head);
}

/**
 * metrics_http_client_new:
 * @http: what it is served by; it has to live as long as the client
 * @stream: a connected socket
 * @rights: what who is at its other end may do
 *
 * Returns: (transfer full): a client that does nothing yet
 */
MetricsHttpClient *
metrics_http_client_new (MetricsHttp *http, GSocketConnection *stream, MetricsRights rights)
{
  MetricsHttpClient *self = g_object_new (METRICS_TYPE_HTTP_CLIENT, NULL);

  self->http = http;
  self->stream = g_object_ref (stream);
  self->rights = rights;
  return self;
}

/**
 * metrics_http_client_start:
 * @self: a new client
 * @poller: what wakes it; it has to live as long as the client is not closed
 * @error: return location for a #GError
 *
 * Begins to serve the client.
 *
 * Returns: %FALSE where the socket cannot be watched
 */
gboolean
metrics_http_client_start (MetricsHttpClient *self, MetricsPoller *poller, GError **error)
{
  if (!metrics_poller_add (poller, &self->watch, g_socket_get_fd (metrics_http_client_get_socket (self)),
                           METRICS_POLLER_IN, poller_cb, self, error))
    return FALSE;
  metrics_http_client_set_phase (self, PHASE_HEAD);
  advance (self);
  return TRUE;
}

/**
 * metrics_http_client_refuse:
 * @self: a client that was just started
 *
 * Tells it that there are too many, and lets it go.
 */
void
metrics_http_client_refuse (MetricsHttpClient *self)
{
  metrics_http_answer_refusal (self, 503, "too-many-connections", NULL, "there are too many connections",
                               "Retry-After: 5\r\n");
  metrics_http_client_begin_flushing (self);
  metrics_poller_watch_schedule (&self->watch);
}

/**
 * metrics_http_client_take_limits:
 * @self: a client
 *
 * Says that its limits have changed.
 */
void
metrics_http_client_take_limits (MetricsHttpClient *self)
{
  metrics_http_client_schedule (self);
}

/**
 * metrics_http_client_finish:
 * @self: a client
 *
 * Answers what was asked, ends what goes on for ever, and closes when the client has taken it.
 */
void
metrics_http_client_finish (MetricsHttpClient *self)
{
  self->is_finishing = TRUE;
  self->stays = FALSE;
  /* It says the rest, and that it is over. */
  if (self->request != NULL && self->request->is_endless)
    metrics_http_request_wake (self->request);
  metrics_http_client_schedule (self);
}

/**
 * metrics_http_client_abort:
 * @self: a client
 *
 * Closes it at once, whatever is owed.
 */
void
metrics_http_client_abort (MetricsHttpClient *self)
{
  metrics_http_client_close (self);
}

/**
 * metrics_http_client_get_http:
 * @self: a client
 *
 * Returns: (transfer none): what serves it
 */
MetricsHttp *
metrics_http_client_get_http (MetricsHttpClient *self)
{
  return self->http;
}

/**
 * metrics_http_client_get_rights:
 * @self: a client
 *
 * Returns: what it may do
 */
MetricsRights
metrics_http_client_get_rights (MetricsHttpClient *self)
{
  return self->rights;
}

/**
 * metrics_http_client_get_socket:
 * @self: a client
 *
 * Returns: (transfer none): its socket
 */
GSocket *
metrics_http_client_get_socket (MetricsHttpClient *self)
{
  return g_socket_connection_get_socket (self->stream);
}

/**
 * metrics_http_client_stays:
 * @self: a client with a request
 *
 * Returns: whether it may ask again behind the answer
 */
gboolean
metrics_http_client_stays (MetricsHttpClient *self)
{
  return self->stays;
}

/**
 * metrics_http_client_let_go:
 * @self: a client with a request
 *
 * The connection ends behind the answer.
 */
void
metrics_http_client_let_go (MetricsHttpClient *self)
{
  self->stays = FALSE;
}

/**
 * metrics_http_client_get_out:
 * @self: a client
 *
 * Returns: (transfer none): what leaves; nothing is appended to it behind metrics_http_client_send_bytes()
 *   until the next request
 */
MetricsBuffer *
metrics_http_client_get_out (MetricsHttpClient *self)
{
  return &self->out;
}

/**
 * metrics_http_client_send_bytes:
 * @self: a client
 * @bytes: what leaves behind what is in its buffer
 *
 * Sends something large without a copy of it.
 */
void
metrics_http_client_send_bytes (MetricsHttpClient *self, GBytes *bytes)
{
  gsize len;
  const char *data = g_bytes_get_data (bytes, &len);

  if (len <= PIECE || self->tail != NULL)
    metrics_buffer_append (&self->out, data, len);
  else
    self->tail = g_bytes_ref (bytes);
}

/**
 * metrics_http_client_schedule:
 * @self: a client
 *
 * Has it go on in its next turn.
 */
void
metrics_http_client_schedule (MetricsHttpClient *self)
{
  if (self->phase != PHASE_CLOSED && self->phase != PHASE_NEW)
    metrics_poller_watch_schedule (&self->watch);
}
