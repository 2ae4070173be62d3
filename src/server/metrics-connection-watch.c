/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-connection-private.h"

/* What a client is sent without having asked: blocks of the points that it watches. They stand between
 * replies, never within one, and each is there whole as soon as it is there. */

/* A block is made while so much or less is unsent: what a client does not take should wait where the oldest
 * goes first, and not here. It is at most half of what may be unsent, so that the client's own requests are
 * executed however much it watches. */
#define MAX_UNSENT (64 << 10)

static gsize
get_max_length (MetricsConnection *self)
{
  return MIN (self->outbox.limit / 2, MAX_UNSENT);
}

/* A put that waits has said nothing yet: a block can go before its reply. */
static gboolean
is_between_replies (MetricsConnection *self)
{
  return !metrics_session_is_busy (&self->session)
         || (self->session.query != NULL && self->session.query_kind == METRICS_QUERY_PUT);
}

static void
watch_cb (gpointer user_data)
{
  MetricsConnection *self = user_data;

  metrics_poller_watch_schedule (&self->watch);
}

/**
 * metrics_connection_init_watch:
 * @self: a connection that has its session
 *
 * Has it woken when there is something to be told.
 */
void
metrics_connection_init_watch (MetricsConnection *self)
{
  metrics_session_set_watch_func (&self->session, watch_cb, self);
}

/**
 * metrics_connection_is_push_due:
 * @self: a connection whose client watches
 *
 * Returns: whether a block can be made now
 */
gboolean
metrics_connection_is_push_due (MetricsConnection *self)
{
  return self->phase == PHASE_OPEN && self->session.subscription->has_points && is_between_replies (self)
         && metrics_buffer_length (&self->outbox.buffer) < get_max_length (self)
         && metrics_subscription_is_due (self->session.subscription,
                                         metrics_poller_get_time (self->watch.poller));
}

/**
 * metrics_connection_push:
 * @self: a connection whose client watches, in a turn
 *
 * Makes a block of what was put, where that is due. Where the client has asked for something it takes half of
 * the turn at most, so that neither waits for the other.
 */
void
metrics_connection_push (MetricsConnection *self)
{
  gint share, left;

  if (!metrics_connection_is_push_due (self))
    return;
  share = left = MAX (self->has_work ? self->budget / 2 : self->budget, 1);
  metrics_subscription_tell (self->session.subscription, &left, get_max_length (self),
                             metrics_poller_get_time (self->watch.poller), &self->outbox.buffer);
  self->budget -= share - left;
  if (self->has_work)
    self->budget = MAX (self->budget, 1);
  /* That of a put that waits begins behind the block. */
  metrics_outbox_begin_reply (&self->outbox);
}

/**
 * metrics_connection_push_again:
 * @self: a connection whose client watches, in a turn
 * @n_sent_before: how many bytes had left before it was written to last
 *
 * Returns: whether blocks have left whole, and there are more, for which there is time
 */
gboolean
metrics_connection_push_again (MetricsConnection *self, guint64 n_sent_before)
{
  return self->outbox.n_sent > n_sent_before && self->budget > 0
         && metrics_buffer_length (&self->outbox.buffer) == 0 && metrics_connection_is_push_due (self);
}

/**
 * metrics_connection_fit_deadline:
 * @self: a connection whose client watches
 * @deadline: when it is to be woken, in monotonic microseconds; 0 for never
 *
 * Returns: the same, or when a block is due, where that is earlier but not now
 */
gint64
metrics_connection_fit_deadline (MetricsConnection *self, gint64 deadline)
{
  const MetricsSubscription *subscription = self->session.subscription;

  if (self->phase != PHASE_OPEN || !subscription->has_points
      || subscription->next <= metrics_poller_get_time (self->watch.poller))
    return deadline;
  return deadline == 0 ? subscription->next : MIN (deadline, subscription->next);
}
