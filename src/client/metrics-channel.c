/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-channel-private.h"

#include "client/metrics-worker.h"
#include "common/metrics-address.h"
#include <glib/gi18n-lib.h>

/* The way of a request: `incoming` (any thread puts it there) -> `queued` -> its lines into the output
 * buffer, and `in_flight` -> answered. A request that is a call on the bus stays in `queued`, first, until it
 * has returned (metrics-channel-bus.c): it has its place in the order like any other.
 *
 * A request that was given up (cancelled, out of time, stopped) leaves `incoming` and `queued` at once. In
 * `in_flight` it has to stay, done as it is, as its answer will still come in its place. */

/**
 * metrics_channel_ref:
 * @self: a channel
 *
 * Returns: (transfer full): @self
 */
MetricsChannel *
metrics_channel_ref (MetricsChannel *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * metrics_channel_unref:
 * @self: (transfer full): a channel
 */
void
metrics_channel_unref (MetricsChannel *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_assert (g_queue_is_empty (&self->incoming));
  g_assert (g_queue_is_empty (&self->queued) && g_queue_is_empty (&self->in_flight));
  g_assert (self->connection == NULL);

  g_source_unref (self->wake_source);
  metrics_answer_clear (&self->discard);
  g_free (self->server);
  g_free (self->address);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* Puts a request at the end of those that are to be sent. */
static void
enqueue (MetricsChannel *self, MetricsRequest *request)
{
  metrics_request_ref (request);
  request->is_queued = TRUE;
  g_queue_push_tail_link (&self->queued, &request->queued);
}

static void
unqueue (MetricsChannel *self, MetricsRequest *request)
{
  g_queue_unlink (&self->queued, &request->queued);
  request->is_queued = FALSE;
  metrics_request_unref (request);
}

/**
 * metrics_channel_take_off:
 * @self: a channel
 * @request: the first of the queue, of which lines have just been taken to be sent
 *
 * Puts the request among those that await an answer, and out of the queue where all of it was taken.
 */
void
metrics_channel_take_off (MetricsChannel *self, MetricsRequest *request)
{
  if (!request->is_in_flight)
    {
      metrics_request_ref (request);
      request->is_in_flight = TRUE;
      g_queue_push_tail_link (&self->in_flight, &request->in_flight);
    }
  if (request->n_lines_taken == request->n_lines)
    unqueue (self, request);
}

/**
 * metrics_channel_land:
 * @self: a channel
 * @request: a request that is done and whose last line was answered
 */
void
metrics_channel_land (MetricsChannel *self, MetricsRequest *request)
{
  g_assert (request->is_done && !request->is_queued);

  g_queue_unlink (&self->in_flight, &request->in_flight);
  request->is_in_flight = FALSE;
  metrics_request_unref (request);
}

/**
 * metrics_channel_withdraw:
 * @self: a channel
 * @request: a request that is done
 *
 * Sees to it that no more of it is sent; what was is still answered.
 */
void
metrics_channel_withdraw (MetricsChannel *self, MetricsRequest *request)
{
  g_assert (request->is_done);

  if (!request->is_queued)
    return;
  request->n_lines = request->n_lines_taken;
  if (request->is_in_flight && request->n_answered == request->n_lines)
    {
      g_queue_unlink (&self->in_flight, &request->in_flight);
      request->is_in_flight = FALSE;
      metrics_request_unref (request);
    }
  unqueue (self, request);
}

static void
abandon (MetricsChannel *self, MetricsRequest *request, GError *error)
{
  metrics_request_complete (request, error);
  metrics_channel_withdraw (self, request);
}

/**
 * metrics_channel_fail:
 * @self: a channel
 * @request: a request that is not done
 * @code: what happened
 * @message: the same in words
 *
 * Tells the request's maker that it failed, and of a batch how much of it is known to be done.
 */
void
metrics_channel_fail (MetricsChannel *self, MetricsRequest *request, MetricsError code, const char *message)
{
  if (request->is_batch)
    metrics_request_complete (request, g_error_new (METRICS_ERROR, code,
                                                    /* Translators: a message, and of the points that were
                                                     * sent how many were acknowledged */
                                                    g_dngettext (GETTEXT_PACKAGE,
                                                                 "%s (%u of %u point was acknowledged)",
                                                                 "%s (%u of %u points were acknowledged)",
                                                                 request->n_lines),
                                                    message, request->n_answered - request->n_refused,
                                                    request->n_lines));
  else
    metrics_request_complete (request, g_error_new_literal (METRICS_ERROR, code, message));
}

/**
 * metrics_channel_fail_queued:
 * @self: a channel
 * @code: what happened
 * @message: the same in words
 *
 * Fails all requests that have not been sent.
 */
void
metrics_channel_fail_queued (MetricsChannel *self, MetricsError code, const char *message)
{
  GList *link;

  while ((link = g_queue_peek_head_link (&self->queued)) != NULL)
    {
      metrics_channel_fail (self, link->data, code, message);
      metrics_channel_withdraw (self, link->data);
    }
}

/**
 * metrics_channel_lose:
 * @self: a channel
 * @message: what happened to the connection, in words
 *
 * Ends the connection. Requests that await an answer fail: whether the server has done what they ask for
 * cannot be known, and doing it twice is not always the same as doing it once, so that none is sent again.
 */
void
metrics_channel_lose (MetricsChannel *self, const char *message)
{
  GList *link;

  metrics_channel_disconnect (self);
  while ((link = g_queue_peek_head_link (&self->in_flight)) != NULL)
    {
      MetricsRequest *request = link->data;

      if (!request->is_done)
        metrics_channel_fail (self, request, METRICS_ERROR_CLOSED, message);
      request->n_lines = request->n_lines_taken;
      if (request->is_queued)
        unqueue (self, request);
      metrics_channel_land (self, request);
    }
}

/* Whether somebody still waits for an answer. */
static gboolean
has_waiting (MetricsChannel *self)
{
  for (GList *l = self->in_flight.head; l != NULL; l = l->next)
    {
      if (!((MetricsRequest *) l->data)->is_done)
        return TRUE;
    }
  return FALSE;
}

/* While the server is made to wait for the request's maker, the maker does not wait for the server. */
static gint64
get_deadline (MetricsChannel *self, MetricsRequest *request)
{
  if (self->is_paused && request == g_queue_peek_head (&self->in_flight))
    return G_MAXINT64;
  return metrics_request_get_deadline (request, self->last_progress);
}

static void
arm_for (MetricsChannel *self, MetricsRequest *request)
{
  self->timer = MIN (self->timer, get_deadline (self, request));
}

static void
time_out (MetricsChannel *self, MetricsRequest *request)
{
  g_autofree char *message = NULL;
  char seconds[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (seconds, sizeof seconds, "%.15g", request->timeout / (double) G_TIME_SPAN_SECOND);
  /* Translators: an address, and seconds, which may have a fraction: 0.5 */
  message = g_strdup_printf (self->connection == NULL && !metrics_channel_is_calling (self, request)
                                 ? _ ("no connection to %s within %s seconds")
                             : request->is_long ? _ ("nothing came from %s for %s seconds")
                                                : _ ("no answer from %s within %s seconds"),
                             self->address, seconds);
  metrics_channel_fail (self, request, METRICS_ERROR_TIMED_OUT, message);
  metrics_channel_withdraw (self, request);
}

/* Fails the requests of a queue whose time is over. Returns whether the first one that somebody waited for
 * was among them. */
static gboolean
expire_queue (MetricsChannel *self, GQueue *queue, gint64 now)
{
  gboolean is_first = TRUE;
  gboolean is_first_late = FALSE;
  GList *next;

  for (GList *l = queue->head; l != NULL; l = next)
    {
      MetricsRequest *request = l->data;

      next = l->next;
      if (request->is_done)
        continue;
      if (get_deadline (self, request) > now || metrics_channel_ping_watched (self, request))
        arm_for (self, request);
      else
        {
          is_first_late |= is_first;
          time_out (self, request);
        }
      is_first = FALSE;
    }
  return is_first_late;
}

static void
expire (MetricsChannel *self, gint64 now)
{
  gboolean is_late;

  if (now < self->timer)
    return;
  self->timer = G_MAXINT64;

  is_late = expire_queue (self, &self->in_flight, now);
  is_late |= expire_queue (self, &self->queued, now) && !has_waiting (self);

  /* Those behind it have only just less time left, and a connection on which nothing comes is of use to none.
   */
  if (is_late && self->connection != NULL)
    {
      g_autofree char *message
          = g_strdup_printf (_ ("the connection to %s was given up, as an answer did not come in time"),
                             self->address);

      metrics_channel_lose (self, message);
    }
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (MetricsRequest) request = metrics_request_ref (user_data);
  MetricsChannel *self = request->channel;
  GError *error = NULL;

  g_cancellable_set_error_if_cancelled (cancellable, &error);
  abandon (self, request, error);
  metrics_channel_settle (self);
  return G_SOURCE_REMOVE;
}

static void
watch_cancellable (MetricsChannel *self, MetricsRequest *request)
{
  request->cancel_source = g_cancellable_source_new (request->cancellable);
  g_source_set_callback (request->cancel_source, G_SOURCE_FUNC (on_cancelled), request, NULL);
  g_source_attach (request->cancel_source, metrics_worker_get_context ());
}

static void
close_for_program (MetricsChannel *self)
{
  g_autofree char *message
      = g_strdup_printf (_ ("the connection to %s was closed before its answer was complete"), self->address);

  metrics_channel_lose (self, message);
  metrics_channel_fail_queued (self, METRICS_ERROR_CLOSED, message);
}

static void
take_request (MetricsChannel *self, MetricsRequest *request)
{
  GError *error = NULL;

  if (request->text == NULL && request->method == NULL)
    {
      close_for_program (self);
      return;
    }
  if (request->text == NULL && self->bus == G_BUS_TYPE_NONE)
    {
      metrics_request_complete (request, g_error_new (METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
                                                      _ ("only a server on the bus can be asked to flush: %s "
                                                         "is not one"),
                                                      self->address));
      return;
    }
  if (g_cancellable_set_error_if_cancelled (request->cancellable, &error))
    {
      metrics_request_complete (request, error);
      return;
    }
  request->channel = self;
  enqueue (self, request);
  arm_for (self, request);
  if (request->cancellable != NULL)
    watch_cancellable (self, request);
}

/* A maker that wants no more of a long answer has it thrown away only where others wait behind it. */
static void
end_stopped (MetricsChannel *self)
{
  MetricsRequest *request = g_queue_peek_head (&self->in_flight);

  if (request == NULL || request->is_done || !metrics_request_is_stopped (request))
    return;
  metrics_request_complete (request, NULL);
  if (!has_waiting (self))
    metrics_channel_lose (self, "");
}

static void
tear_down (MetricsChannel *self)
{
  close_for_program (self);
  metrics_channel_advance_call (self);
  g_source_destroy (self->wake_source);
}

static gboolean
on_wake (gpointer user_data)
{
  g_autoptr (MetricsChannel) self = metrics_channel_ref (user_data);
  GQueue incoming = G_QUEUE_INIT;
  MetricsRequest *request;
  gboolean is_shut_down;

  g_mutex_lock (&self->mutex);
  incoming = self->incoming;
  g_queue_init (&self->incoming);
  self->is_woken = FALSE;
  is_shut_down = self->is_shut_down;
  g_mutex_unlock (&self->mutex);

  end_stopped (self);
  while ((request = g_queue_pop_head (&incoming)) != NULL)
    {
      take_request (self, request);
      metrics_request_unref (request);
    }
  if (is_shut_down)
    {
      tear_down (self);
      return G_SOURCE_REMOVE;
    }
  expire (self, g_get_monotonic_time ());
  metrics_channel_settle (self);
  return G_SOURCE_CONTINUE;
}

/**
 * metrics_channel_settle:
 * @self: a channel
 *
 * To be called after anything has changed: connects where requests wait, sends what can be sent, and waits
 * for what is to come.
 */
void
metrics_channel_settle (MetricsChannel *self)
{
  MetricsRequest *next;
  gboolean is_needed;

  metrics_channel_advance_call (self);
  next = g_queue_peek_head (&self->queued);
  is_needed = next != NULL && !metrics_channel_is_call (self, next);
  if (self->connection != NULL && is_needed && metrics_channel_is_stale (self))
    metrics_channel_disconnect (self);

  if (self->connection != NULL)
    {
      if (metrics_channel_transfer (self) && !g_queue_is_empty (&self->in_flight))
        arm_for (self, g_queue_peek_head (&self->in_flight));
    }
  else if (is_needed)
    metrics_channel_connect (self);
  else
    metrics_channel_disconnect (self);

  g_mutex_lock (&self->mutex);
  if (!self->is_woken)
    g_source_set_ready_time (self->wake_source, self->timer == G_MAXINT64 ? -1 : self->timer);
  g_mutex_unlock (&self->mutex);
}

static gboolean
wake_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs wake_source_funcs = { .dispatch = wake_source_dispatch };

/**
 * metrics_channel_new:
 * @address: (type filename): where the server is, as metrics_address_parse() and metrics_address_parse_bus()
 *   read it
 *
 * Returns: (transfer full): a channel, which connects when it has something to send;
 *   metrics_channel_shut_down() ends it
 */
MetricsChannel *
metrics_channel_new (const char *address)
{
  MetricsChannel *self = g_new0 (MetricsChannel, 1);

  g_atomic_ref_count_init (&self->refs);
  self->server = g_strdup (address);
  self->address = g_utf8_make_valid (address, -1);
  self->bus = metrics_address_parse_bus (address);
  self->timer = G_MAXINT64;
  g_mutex_init (&self->mutex);
  g_queue_init (&self->incoming);
  g_queue_init (&self->queued);
  g_queue_init (&self->in_flight);
  metrics_answer_init (&self->discard, METRICS_ANSWER_DISCARD);

  self->wake_source = g_source_new (&wake_source_funcs, sizeof (GSource));
  g_source_set_static_name (self->wake_source, "MetricsChannel");
  g_source_set_callback (self->wake_source, on_wake, metrics_channel_ref (self),
                         (GDestroyNotify) metrics_channel_unref);
  g_source_attach (self->wake_source, metrics_worker_get_context ());
  return self;
}

/**
 * metrics_channel_get_server:
 * @self: a channel
 *
 * Returns: (transfer none) (type filename): where the server is, byte for byte
 */
const char *
metrics_channel_get_server (MetricsChannel *self)
{
  return self->server;
}

static void
wake_locked (MetricsChannel *self)
{
  self->is_woken = TRUE;
  g_source_set_ready_time (self->wake_source, 0);
}

/**
 * metrics_channel_shut_down:
 * @self: (transfer full): a channel
 *
 * Closes the connection and frees the channel, both some time later in the worker thread. May be called from
 * any thread.
 */
void
metrics_channel_shut_down (MetricsChannel *self)
{
  g_mutex_lock (&self->mutex);
  self->is_shut_down = TRUE;
  wake_locked (self);
  g_mutex_unlock (&self->mutex);
  metrics_channel_unref (self);
}

/**
 * metrics_channel_submit:
 * @self: a channel
 * @request: a request; the channel takes a reference
 *
 * Has the request made, after all those before it. May be called from any thread.
 */
void
metrics_channel_submit (MetricsChannel *self, MetricsRequest *request)
{
  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->incoming, metrics_request_ref (request));
  wake_locked (self);
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_channel_wake:
 * @self: a channel
 *
 * Says that a request's maker has taken blocks, or wants no more. May be called from any thread.
 */
void
metrics_channel_wake (MetricsChannel *self)
{
  g_mutex_lock (&self->mutex);
  wake_locked (self);
  g_mutex_unlock (&self->mutex);
}
