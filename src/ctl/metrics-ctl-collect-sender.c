/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-collect-sender.h"

#include "ctl/metrics-ctl-sender.h"

#include "ctl/metrics-ctl-collect-queue.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* Points are put in batches of so many: enough for one request after the other not to matter, and few enough
 * for a break in the middle to cost little. */
#define BATCH_POINTS 10000

/* How long to wait before the next attempt, in milliseconds: twice as long each time, within these bounds. */
#define WAIT_MIN 250
#define WAIT_MAX 5000

/* Points are sent one batch at a time, so that they arrive in order. Of a batch that was broken off, the
 * points that were not answered for are sent again: the same put twice does no harm, for a key has one value
 * at a time. */
struct _MetricsCollectSender
{
  MetricsCtl *ctl;            /* (unowned) */
  MetricsClient *client;      /* (owned) */
  MetricsCollectQueue *queue; /* (owned) */
  MetricsBatch *batch;        /* (owned) (nullable): what is being sent */
  GCancellable *cancellable;  /* (owned): of what is being sent */
  guint retry;                /* the source that ends a wait; 0 is none */
  guint wait;                 /* how long the last wait was, in milliseconds; 0 before the first */
  gboolean last;              /* no waits any more */
  gboolean connected;         /* the last batch was answered */
  gboolean lost;              /* it was told that points cannot be sent */
  guint64 n_dropped_told;     /* how many dropped points were told of */
  gboolean refusing;          /* the server refused some of the last batch */
  guint64 n_refused;          /* points that the server did not want */
  MetricsCollectSenderFunc func;
  gpointer user_data; /* (unowned): for @func */
};

static void send_next (MetricsCollectSender *self);

/**
 * metrics_collect_sender_new:
 * @ctl: the command line's state: where to send to, and who speaks
 * @capacity: how many points are kept, at least one; of more the oldest are dropped
 * @func: called, from the default main context, when there is nothing to do for now
 * @user_data: for @func
 *
 * Returns: (transfer full): a sender; it connects when there is something to send
 */
MetricsCollectSender *
metrics_collect_sender_new (MetricsCtl *ctl,
                            guint capacity,
                            MetricsCollectSenderFunc func,
                            gpointer user_data)
{
  MetricsCollectSender *self = g_new0 (MetricsCollectSender, 1);

  self->ctl = ctl;
  self->client = metrics_ctl_new_client (ctl);
  self->queue = metrics_collect_queue_new (capacity);
  self->cancellable = g_cancellable_new ();
  self->func = func;
  self->user_data = user_data;
  return self;
}

static void
tell_unsent (MetricsCollectSender *self)
{
  guint n = metrics_collect_queue_get_length (self->queue);

  if (n > 0)
    metrics_ctl_warn (self->ctl, ngettext ("%u point was not sent", "%u points were not sent", n), n);
}

static void
tell_dropped (MetricsCollectSender *self)
{
  guint64 n = metrics_collect_queue_get_n_dropped (self->queue) - self->n_dropped_told;

  if (n == 0)
    return;
  metrics_ctl_warn (self->ctl,
                    ngettext ("%" PRIu64 " point was dropped, for the buffer was full",
                              "%" PRIu64 " points were dropped, for the buffer was full", (gulong) n),
                    n);
  self->n_dropped_told += n;
}

static void
tell_refused (MetricsCollectSender *self)
{
  metrics_ctl_warn (self->ctl,
                    ngettext ("the server refused %" PRIu64 " point in all",
                              "the server refused %" PRIu64 " points in all", (gulong) self->n_refused),
                    self->n_refused);
}

/**
 * metrics_collect_sender_free:
 * @self: (transfer full): a sender
 *
 * Breaks off what is being sent, and tells how many points are lost with it.
 */
void
metrics_collect_sender_free (MetricsCollectSender *self)
{
  self->func = NULL;
  self->last = TRUE;
  g_clear_handle_id (&self->retry, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  while (self->batch != NULL)
    g_main_context_iteration (NULL, TRUE);

  tell_dropped (self);
  tell_unsent (self);
  if (self->refusing)
    tell_refused (self);
  g_object_unref (self->cancellable);
  g_object_unref (self->client);
  metrics_collect_queue_free (self->queue);
  g_free (self);
}

static void
notify (MetricsCollectSender *self, const GError *error)
{
  if (self->func != NULL)
    self->func (error, self->user_data);
}

static void
note_refused (MetricsCollectSender *self, MetricsBatch *batch)
{
  guint n = metrics_batch_get_n_refused (batch);
  gboolean refusing = n > 0;
  guint index;

  self->n_refused += n;
  if (refusing && !self->refusing)
    metrics_ctl_warn (self->ctl, _ ("the server refuses points, which are not sent again: %s"),
                      metrics_batch_get_refusal (batch, 0, &index));
  if (!refusing && self->refusing)
    tell_refused (self);
  self->refusing = refusing;
}

static void
batch_answered (MetricsCollectSender *self, MetricsBatch *batch)
{
  metrics_collect_queue_settle (self->queue, metrics_batch_get_n_points (batch));
  if (self->lost)
    metrics_ctl_warn (self->ctl, _ ("sending to %s again"), metrics_ctl_get_address (self->ctl));
  self->lost = FALSE;
  self->connected = TRUE;
  self->wait = 0;
  tell_dropped (self);
  note_refused (self, batch);
  send_next (self);
}

static gboolean
retry_cb (gpointer user_data)
{
  MetricsCollectSender *self = user_data;

  self->retry = 0;
  send_next (self);
  return G_SOURCE_REMOVE;
}

static void
wait_and_retry (MetricsCollectSender *self)
{
  self->wait = CLAMP (self->wait * 2, WAIT_MIN, WAIT_MAX);
  self->retry = g_timeout_add (self->wait, retry_cb, self);
}

static void
batch_failed (MetricsCollectSender *self, MetricsBatch *batch, const GError *error)
{
  gboolean was_connected = self->connected;

  metrics_collect_queue_settle (self->queue, metrics_ctl_count_answered (batch));
  self->connected = FALSE;
  /* A connection that was closed while nothing was sent is noticed with the next batch. Where the server is
   * there all the same, that is nobody's concern. */
  if (was_connected && g_error_matches (error, METRICS_ERROR, METRICS_ERROR_CLOSED))
    {
      send_next (self);
      return;
    }
  if (!self->last)
    {
      if (!self->lost)
        metrics_ctl_warn (self->ctl, _ ("%s; what is gathered is kept until it can be sent"), error->message);
      self->lost = TRUE;
      wait_and_retry (self);
    }
  notify (self, error);
}

static void
sent_cb (GObject *client, GAsyncResult *result, gpointer user_data)
{
  MetricsCollectSender *self = user_data;
  g_autoptr (MetricsBatch) batch = g_steal_pointer (&self->batch);
  g_autoptr (GError) error = NULL;

  if (metrics_client_put_batch_finish (METRICS_CLIENT (client), result, &error)
      || g_error_matches (error, METRICS_ERROR, METRICS_ERROR_REFUSED))
    batch_answered (self, batch);
  else
    batch_failed (self, batch, error);
}

static void
send_next (MetricsCollectSender *self)
{
  guint n = MIN (metrics_collect_queue_get_length (self->queue), BATCH_POINTS);

  g_assert (self->batch == NULL);

  if (n == 0 || g_cancellable_is_cancelled (self->cancellable))
    {
      notify (self, NULL);
      return;
    }
  metrics_collect_queue_begin (self->queue);
  self->batch = metrics_batch_new ();
  for (guint i = 0; i < n; i++)
    {
      const MetricsCollectPoint *point = metrics_collect_queue_get (self->queue, i);
      gboolean added = metrics_batch_add (self->batch, point->key, point->value, point->time, NULL);

      g_assert (added);
    }
  metrics_client_put_batch_async (self->client, self->batch, self->cancellable, sent_cb, self);
}

/**
 * metrics_collect_sender_push:
 * @self: a sender
 * @key: a point's key; valid
 * @value: its value; finite
 * @time: its time
 *
 * Adds a point to what is to be sent.
 */
void
metrics_collect_sender_push (MetricsCollectSender *self, const char *key, double value, gint64 time)
{
  metrics_collect_queue_push (self->queue, key, value, time);
}

/**
 * metrics_collect_sender_send:
 * @self: a sender
 *
 * Starts to send, unless it does so already, or waits for the server to come back.
 */
void
metrics_collect_sender_send (MetricsCollectSender *self)
{
  if (self->batch == NULL && self->retry == 0)
    send_next (self);
}

/**
 * metrics_collect_sender_send_last:
 * @self: a sender
 *
 * From here on it does not wait for the server: what cannot be sent now is reported with an error.
 */
void
metrics_collect_sender_send_last (MetricsCollectSender *self)
{
  self->last = TRUE;
  g_clear_handle_id (&self->retry, g_source_remove);
  metrics_collect_sender_send (self);
}

/**
 * metrics_collect_sender_get_n_refused:
 * @self: a sender
 *
 * Returns: how many points the server did not want
 */
guint64
metrics_collect_sender_get_n_refused (MetricsCollectSender *self)
{
  return self->n_refused;
}
