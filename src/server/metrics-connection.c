/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-connection-private.h"

#include "protocol/metrics-reply.h"
#include "server/metrics-socket-stream.h"

#include <errno.h>

/* A long line costs as many units of work as it has pieces of this size. */
#define LINE_UNIT 256
/* So many does it cost to look for more behind an answer; who has had more than that waits for none. */
#define LOOK_UNITS 64

typedef enum
{
  PROP_STREAM = 1,
  PROP_STORE,
  PROP_GATE,
  PROP_LIMITS,
  PROP_FIGURES,
  PROP_RIGHTS,
} MetricsConnectionProperty;

static guint signal_closed;

G_DEFINE_FINAL_TYPE (MetricsConnection, metrics_connection, G_TYPE_OBJECT)

static void
close_now (MetricsConnection *self)
{
  if (self->phase == PHASE_CLOSED)
    return;
  self->phase = PHASE_CLOSED;
  if (self->is_called)
    g_object_ref (self);
  metrics_poller_watch_remove (&self->watch);
  metrics_session_clear (&self->session);
  metrics_gate_forget (self->gate, &self->outbox);
  metrics_outbox_clear (&self->outbox);
  /* Only sockets are closed here, which cannot fail in a way that somebody could do something about. */
  g_io_stream_close (G_IO_STREAM (self->stream), NULL, NULL);
  g_signal_emit (self, signal_closed, 0);
}

static GSocket *
get_socket (MetricsConnection *self)
{
  return g_socket_connection_get_socket (self->stream);
}

static gsize
get_sendable (MetricsConnection *self)
{
  return metrics_outbox_get_sendable (&self->outbox, !metrics_session_is_busy (&self->session));
}

/* Reading */

static void
fill (MetricsConnection *self)
{
  g_autoptr (GError) error = NULL;
  gssize n = metrics_line_reader_fill (&self->reader, &error);

  if (n > 0)
    {
      self->figures->bytes_received += n;
      self->has_work = TRUE;
    }
  else if (n == 0)
    self->eof = TRUE;
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_debug ("client gone: %s", error->message);
      close_now (self);
    }
}

/* Takes the next line and executes it; FALSE where there is none. */
static gboolean
execute_line (MetricsConnection *self, gint64 now)
{
  const char *line;
  gsize len;
  MetricsLineState state = metrics_line_reader_take (&self->reader, &line, &len);

  if (state == METRICS_LINE_NONE)
    return FALSE;

  self->budget -= 1;
  self->took_line |= state != METRICS_LINE_TOO_LONG;
  if (G_LIKELY (state == METRICS_LINE))
    {
      metrics_outbox_begin_reply (&self->outbox);
      self->budget -= len / LINE_UNIT;
      self->budget -= metrics_session_execute (&self->session, line, len, now, &self->outbox.buffer);
    }
  else if (state == METRICS_LINE_TOO_LONG)
    metrics_session_refuse_long_line (&self->session, &self->outbox.buffer);
  else
    metrics_session_end_long_line (&self->session, line, len);
  return TRUE;
}

/* Works: lines, and the replies to them, until there are none, or it was enough for this turn, or the client
 * has to take its answers first. */
static void
work (MetricsConnection *self)
{
  gint64 now = metrics_poller_get_real_time (self->watch.poller) / G_USEC_PER_SEC;

  if (metrics_connection_is_watching (self))
    metrics_connection_push (self);
  self->outbox.is_gated = metrics_gate_begin (self->gate);
  metrics_line_reader_begin (&self->reader);
  while (self->has_work && self->budget > 0 && metrics_outbox_has_room (&self->outbox) && !self->session.over)
    {
      if (metrics_session_is_busy (&self->session))
        self->has_work = metrics_session_resume (&self->session, &self->budget, &self->outbox.buffer)
                         != METRICS_QUERY_NOT_YET;
      else
        self->has_work = execute_line (self, now);
      if (G_UNLIKELY (self->outbox.is_gated))
        metrics_gate_note (self->gate, &self->outbox, !metrics_session_is_busy (&self->session));
    }
  metrics_line_reader_end (&self->reader);
  if (self->session.broken)
    {
      g_debug ("client let go: what its answer had yet to show was deleted");
      close_now (self);
    }

  self->figures->largest_slice
      = MAX (self->figures->largest_slice, (guint64) ((gint) self->limits->slice - self->budget));
}

static void
session_wake_cb (MetricsQuery *query, gpointer user_data)
{
  MetricsConnection *self = user_data;

  self->has_work = TRUE;
  metrics_poller_watch_schedule (&self->watch);
}

/* Writing */

/* Writes once what may leave; what the socket does not take waits for it to be ready. */
static void
flush (MetricsConnection *self)
{
  gsize n_bytes = get_sendable (self);
  gssize n;

  if (n_bytes == 0)
    return;

  /* The descriptor of a GSocket never blocks. */
  n = metrics_outbox_send (&self->outbox, self->watch.fd, n_bytes);
  if (n >= 0)
    self->figures->bytes_sent += n;
  else
    {
      g_debug ("client gone: %s", g_strerror (errno));
      close_now (self);
    }
}

static void
outbox_wake_cb (guint n_failed, gpointer user_data)
{
  MetricsConnection *self = user_data;

  self->figures->errors += n_failed;
  metrics_poller_watch_schedule (&self->watch);
}

/* Closing */

static void
begin_flushing (MetricsConnection *self)
{
  self->phase = PHASE_FLUSHING;
  self->has_work = FALSE;
  g_clear_pointer (&self->session.subscription, metrics_subscription_free);
}

/* Closing a socket that holds something unread sends a reset, and that can overtake the last reply: so the
 * client is told that this is the end, and what it still sends is thrown away until it hangs up. */
static void
begin_lingering (MetricsConnection *self)
{
  self->phase = PHASE_LINGERING;
  if (self->eof || !g_socket_shutdown (get_socket (self), FALSE, TRUE, NULL))
    close_now (self);
}

static void
linger (MetricsConnection *self)
{
  gssize n = metrics_socket_stream_throw_away (get_socket (self));

  /* With nothing unread the kernel delivers the rest, so who has no time need not wait. */
  if (n < 0 || (n == 0 && self->is_finishing))
    close_now (self);
}

/* Deadlines */

static gboolean
is_reading (MetricsConnection *self)
{
  return self->phase == PHASE_OPEN && !self->eof && !self->is_finishing && !self->has_work
         && metrics_outbox_has_room (&self->outbox) && !metrics_session_is_busy (&self->session);
}

static void
update_deadlines (MetricsConnection *self)
{
  gboolean reading = is_reading (self);
  gboolean inside_line = reading && metrics_line_reader_is_inside_line (&self->reader);
  /* Who watches waits for others, and has asked for that. */
  gboolean idle = reading && self->limits->idle_timeout > 0
                  && metrics_buffer_length (&self->outbox.buffer) == 0 && self->session.subscription == NULL;
  gboolean lingering = self->phase == PHASE_LINGERING;
  gsize n_waiting = get_sendable (self);
  /* Mostly no time runs, and none has to be asked for. */
  gboolean is_timed = inside_line || idle || lingering || n_waiting > 0;
  gint64 now = is_timed ? metrics_poller_get_time (self->watch.poller) : 0;
  gint64 next;

  metrics_deadlines_note_answer (&self->deadlines, self->outbox.n_sent, n_waiting, now);
  metrics_deadlines_note (&self->deadlines, METRICS_DEADLINE_LINE, inside_line, self->took_line, now);
  metrics_deadlines_note (&self->deadlines, METRICS_DEADLINE_IDLE, idle, self->took_line, now);
  metrics_deadlines_note (&self->deadlines, METRICS_DEADLINE_LINGER, lingering, FALSE, now);
  next = metrics_deadlines_get_next (&self->deadlines);
  if (metrics_connection_is_watching (self))
    next = metrics_connection_fit_deadline (self, next);
  metrics_poller_watch_set_deadline (&self->watch, next);
}

static void
handle_deadline (MetricsConnection *self)
{
  gint64 now = metrics_poller_get_time (self->watch.poller);
  MetricsDeadline which = metrics_deadlines_get_passed (&self->deadlines, now);

  if (which == METRICS_DEADLINE_LINE || which == METRICS_DEADLINE_IDLE)
    {
      const char *message = which == METRICS_DEADLINE_LINE ? "line timeout" : "idle timeout";

      metrics_session_refuse (&self->session, message, &self->outbox.buffer);
      begin_flushing (self);
    }
  else if (which != METRICS_N_DEADLINES)
    /* Behind an answer that is stuck there is no way to say anything. */
    close_now (self);
}

/* What comes next */

static void
update_interest (MetricsConnection *self)
{
  MetricsPollerEvents interest = 0;

  if (is_reading (self) || self->phase == PHASE_LINGERING)
    interest |= METRICS_POLLER_IN;
  if (get_sendable (self) > 0)
    interest |= METRICS_POLLER_OUT;
  if (!metrics_poller_watch_set_interest (&self->watch, interest))
    {
      g_debug ("client lost: %s", g_strerror (errno));
      close_now (self);
      return;
    }

  if ((self->phase == PHASE_OPEN && self->has_work && metrics_outbox_has_room (&self->outbox))
      || metrics_line_reader_is_untidy (&self->reader)
      || (metrics_connection_is_watching (self) && metrics_connection_is_push_due (self)))
    metrics_poller_watch_schedule (&self->watch);
}

/* Whether no more requests will be executed, and all replies are complete. */
static gboolean
is_done (MetricsConnection *self)
{
  if (metrics_session_is_busy (&self->session))
    return FALSE;
  return self->session.over || ((self->eof || self->is_finishing) && !self->has_work);
}

/* Where the client watches, what was put before is told first. */
static void
finish_session (MetricsConnection *self)
{
  if (!metrics_connection_is_watching (self))
    {
      begin_flushing (self);
      return;
    }
  metrics_session_end_watch (&self->session);
  self->has_work = TRUE;
}

static void
advance (MetricsConnection *self)
{
  if (self->phase == PHASE_OPEN && is_done (self))
    finish_session (self);
  if (self->phase == PHASE_FLUSHING && metrics_buffer_length (&self->outbox.buffer) == 0)
    begin_lingering (self);
  if (self->phase == PHASE_LINGERING && self->is_finishing)
    linger (self);
  if (self->phase == PHASE_CLOSED)
    return;

  update_deadlines (self);
  update_interest (self);
}

/* Behind a short answer that has left whole: reads once more, if that may be and is worth it. */
static gboolean
look_again (MetricsConnection *self, guint64 n_sent_before, gint budget_before)
{
  if (self->outbox.n_sent == n_sent_before || metrics_buffer_length (&self->outbox.buffer) > 0
      || !is_reading (self) || self->session.over || metrics_connection_is_watching (self)
      || budget_before - self->budget > LOOK_UNITS || self->budget <= LOOK_UNITS
      || !metrics_poller_is_alone (self->watch.poller) || !metrics_second_look_is_due (&self->second_look))
    return FALSE;

  self->budget -= LOOK_UNITS;
  fill (self);
  metrics_second_look_note (&self->second_look, self->has_work);
  return self->has_work;
}

static void
poller_cb (MetricsPollerEvents events, gpointer user_data)
{
  MetricsConnection *self = user_data;
  guint64 n_sent;
  gint budget;

  self->is_called = TRUE;
  self->budget = self->limits->slice;
  self->took_line = FALSE;
  if (events & METRICS_POLLER_DEADLINE)
    handle_deadline (self);
  if (events & METRICS_POLLER_TURN)
    metrics_line_reader_tidy (&self->reader);
  if ((events & (METRICS_POLLER_IN | METRICS_POLLER_GONE)) && is_reading (self))
    fill (self);
  else if ((events & (METRICS_POLLER_IN | METRICS_POLLER_GONE)) && self->phase == PHASE_LINGERING)
    linger (self);
  do
    {
      n_sent = self->outbox.n_sent;
      budget = self->budget;
      if (self->phase == PHASE_OPEN)
        work (self);
      if (self->phase == PHASE_OPEN || self->phase == PHASE_FLUSHING)
        flush (self);
    }
  while (look_again (self, n_sent, budget)
         || (metrics_connection_is_watching (self) && metrics_connection_push_again (self, n_sent)));
  if (self->phase != PHASE_CLOSED)
    advance (self);
  self->is_called = FALSE;
  /* The reference is from close_now(). */
  if (self->phase == PHASE_CLOSED)
    g_object_unref (self);
}

/* The object */

static void
metrics_connection_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  MetricsConnection *self = METRICS_CONNECTION (object);

  switch ((MetricsConnectionProperty) property_id)
    {
    case PROP_STREAM:
      self->stream = g_value_dup_object (value);
      break;
    case PROP_STORE:
      self->store = g_value_dup_object (value);
      break;
    case PROP_GATE:
      self->gate = g_value_dup_object (value);
      break;
    case PROP_LIMITS:
      self->limits = g_value_get_pointer (value);
      break;
    case PROP_FIGURES:
      self->figures = g_value_get_pointer (value);
      break;
    case PROP_RIGHTS:
      self->rights = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
metrics_connection_constructed (GObject *object)
{
  MetricsConnection *self = METRICS_CONNECTION (object);
  g_autoptr (GInputStream) base = metrics_socket_stream_new (get_socket (self));

  G_OBJECT_CLASS (metrics_connection_parent_class)->constructed (object);

  metrics_line_reader_init (&self->reader, base, self->limits->line);
  metrics_session_init (&self->session, self->store, self->limits, self->figures, self->rights);
  metrics_session_set_socket (&self->session, get_socket (self));
  metrics_session_set_wake_func (&self->session, session_wake_cb, self);
  metrics_connection_init_watch (self);
  metrics_outbox_set_wake_func (&self->outbox, outbox_wake_cb, self);
  metrics_outbox_set_limit (&self->outbox, self->limits->unsent);
  metrics_deadlines_init (&self->deadlines, self->limits);
}

static void
metrics_connection_dispose (GObject *object)
{
  MetricsConnection *self = METRICS_CONNECTION (object);

  metrics_poller_watch_remove (&self->watch);
  metrics_session_clear (&self->session);
  metrics_line_reader_clear (&self->reader);
  if (self->gate != NULL)
    metrics_gate_forget (self->gate, &self->outbox);
  metrics_outbox_clear (&self->outbox);
  g_clear_object (&self->gate);
  g_clear_object (&self->store);
  g_clear_object (&self->stream);

  G_OBJECT_CLASS (metrics_connection_parent_class)->dispose (object);
}

static void
metrics_connection_class_init (MetricsConnectionClass *klass)
{
  const GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamSpec *props[PROP_RIGHTS + 1] = { NULL };

  object_class->constructed = metrics_connection_constructed;
  object_class->set_property = metrics_connection_set_property;
  object_class->dispose = metrics_connection_dispose;

  props[PROP_STREAM] = g_param_spec_object ("stream", NULL, NULL, G_TYPE_SOCKET_CONNECTION, flags);
  props[PROP_STORE] = g_param_spec_object ("store", NULL, NULL, METRICS_TYPE_STORE, flags);
  props[PROP_GATE] = g_param_spec_object ("gate", NULL, NULL, METRICS_TYPE_GATE, flags);
  props[PROP_LIMITS] = g_param_spec_pointer ("limits", NULL, NULL, flags);
  props[PROP_FIGURES] = g_param_spec_pointer ("figures", NULL, NULL, flags);
  props[PROP_RIGHTS]
      = g_param_spec_uint ("rights", NULL, NULL, 0, METRICS_RIGHTS_ALL, METRICS_RIGHTS_ALL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);

  /**
   * MetricsConnection::closed:
   *
   * The socket was closed; the connection does nothing any more.
   */
  signal_closed = g_signal_new ("closed", METRICS_TYPE_CONNECTION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
}

static void
metrics_connection_init (MetricsConnection *self)
{
}

/**
 * metrics_connection_new:
 * @stream: a connected socket
 * @store: what the client puts into and reads from
 * @gate: where replies wait that tell of changes of the store
 * @limits: its limits; they have to live as long as the connection
 * @figures: where it counts; they have to live as long as the connection
 * @rights: what the client may do
 *
 * Returns: (transfer full): a connection that does nothing yet
 */
MetricsConnection *
metrics_connection_new (GSocketConnection *stream,
                        MetricsStore *store,
                        MetricsGate *gate,
                        const MetricsLimits *limits,
                        MetricsFigures *figures,
                        MetricsRights rights)
{
  return g_object_new (METRICS_TYPE_CONNECTION, "stream", stream, "store", store, "gate", gate, "limits",
                       limits, "figures", figures, "rights", rights, NULL);
}

/**
 * metrics_connection_start:
 * @self: a new connection
 * @poller: what wakes it; it has to live as long as the connection is not closed
 * @error: return location for a #GError
 *
 * Begins to serve the client.
 *
 * Returns: %FALSE where the socket cannot be watched
 */
gboolean
metrics_connection_start (MetricsConnection *self, MetricsPoller *poller, GError **error)
{
  g_return_val_if_fail (self->phase == PHASE_NEW, FALSE);

  if (!metrics_poller_add (poller, &self->watch, g_socket_get_fd (get_socket (self)), METRICS_POLLER_IN,
                           poller_cb, self, error))
    return FALSE;
  self->phase = PHASE_OPEN;
  advance (self);
  return TRUE;
}

/**
 * metrics_connection_take_limits:
 * @self: a connection
 *
 * Says that its limits have changed. What it has already is not taken from it: a line that has begun, or an
 * answer that waits, is only looked at by the new ones.
 */
void
metrics_connection_take_limits (MetricsConnection *self)
{
  metrics_line_reader_set_limit (&self->reader, self->limits->line);
  metrics_outbox_set_limit (&self->outbox, self->limits->unsent);
  metrics_deadlines_set_limits (&self->deadlines, self->limits);
  /* In a turn it sets its deadline anew, and goes on where there is room now. */
  if (self->phase != PHASE_CLOSED)
    metrics_poller_watch_schedule (&self->watch);
}

/**
 * metrics_connection_refuse:
 * @self: a connection that was just started
 * @message: one line of English
 *
 * Tells the client that it is not served, and why, and lets it go.
 */
void
metrics_connection_refuse (MetricsConnection *self, const char *message)
{
  g_return_if_fail (self->phase == PHASE_OPEN);

  metrics_reply_error (&self->outbox.buffer, message);
  begin_flushing (self);
  /* Who is over the limit must not stay for as long as it likes. */
  self->is_finishing = TRUE;
  metrics_poller_watch_schedule (&self->watch);
}

/**
 * metrics_connection_finish:
 * @self: a connection
 *
 * Reads nothing more, executes what was read, and closes when the client has taken the replies.
 */
void
metrics_connection_finish (MetricsConnection *self)
{
  self->is_finishing = TRUE;
  if (self->phase != PHASE_CLOSED)
    metrics_poller_watch_schedule (&self->watch);
}

/**
 * metrics_connection_abort:
 * @self: a connection
 *
 * Closes it at once, whatever is owed.
 */
void
metrics_connection_abort (MetricsConnection *self)
{
  close_now (self);
}
