/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-sender.h"

struct _MetricsCtlSender
{
  MetricsClient *client;     /* (owned): used by the thread alone */
  GCancellable *cancellable; /* (owned) (nullable) */
  GAsyncQueue *waiting;      /* (owned) (element-type MetricsCtlPiece): then the sender itself: the end */
  GAsyncQueue *sent;         /* (owned) (element-type MetricsCtlPiece): in the order of @waiting */
  guint n_under_way;         /* how many were pushed and not popped */
  GThread *thread;           /* (owned) */
};

/**
 * metrics_ctl_piece_new:
 *
 * Returns: (transfer full): an empty piece
 */
MetricsCtlPiece *
metrics_ctl_piece_new (void)
{
  MetricsCtlPiece *self = g_new0 (MetricsCtlPiece, 1);

  self->batch = metrics_batch_new ();
  self->line_numbers = g_new (guint64, METRICS_CTL_PIECE_SIZE);
  return self;
}

/**
 * metrics_ctl_piece_free:
 * @self: (transfer full) (nullable): a piece
 */
void
metrics_ctl_piece_free (MetricsCtlPiece *self)
{
  if (self == NULL)
    return;
  g_object_unref (self->batch);
  g_free (self->line_numbers);
  g_clear_error (&self->error);
  g_free (self);
}

/**
 * metrics_ctl_piece_clear:
 * @self: a piece
 *
 * Makes it empty, to be filled again.
 */
void
metrics_ctl_piece_clear (MetricsCtlPiece *self)
{
  metrics_batch_clear (self->batch);
  self->n_accepted = 0;
  g_clear_error (&self->error);
}

/* Whether the next piece can be sent after this error. */
static gboolean
is_end (const GError *error)
{
  return error != NULL && !g_error_matches (error, METRICS_ERROR, METRICS_ERROR_REFUSED);
}

static gpointer
run (gpointer user_data)
{
  MetricsCtlSender *self = user_data;
  g_autoptr (GError) end = NULL;
  gpointer item;

  while ((item = g_async_queue_pop (self->waiting)) != self)
    {
      MetricsCtlPiece *piece = item;

      /* The client would connect again: but what came in between may be lost, and the user is to know. */
      if (end != NULL)
        piece->error = g_error_copy (end);
      else
        {
          metrics_client_put_batch (self->client, piece->batch, self->cancellable, &piece->error);
          piece->n_accepted = metrics_batch_get_n_accepted (piece->batch);
          if (is_end (piece->error))
            end = g_error_copy (piece->error);
        }
      g_async_queue_push (self->sent, piece);
    }
  return NULL;
}

/**
 * metrics_ctl_sender_new:
 * @client: what to send with; nobody else may use it meanwhile
 * @cancellable: (nullable): ends it early
 *
 * Returns: (transfer full): a sender that waits for the first piece
 */
MetricsCtlSender *
metrics_ctl_sender_new (MetricsClient *client, GCancellable *cancellable)
{
  MetricsCtlSender *self = g_new0 (MetricsCtlSender, 1);

  self->client = g_object_ref (client);
  self->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  self->waiting = g_async_queue_new ();
  self->sent = g_async_queue_new ();
  self->thread = g_thread_new ("sender", run, self);
  return self;
}

/**
 * metrics_ctl_sender_free:
 * @self: (transfer full) (nullable): a sender; waits for the pieces that are under way
 */
void
metrics_ctl_sender_free (MetricsCtlSender *self)
{
  MetricsCtlPiece *piece;

  if (self == NULL)
    return;
  while ((piece = metrics_ctl_sender_pop (self)) != NULL)
    metrics_ctl_piece_free (piece);
  g_async_queue_push (self->waiting, self);
  g_thread_join (self->thread);
  g_async_queue_unref (self->waiting);
  g_async_queue_unref (self->sent);
  g_clear_object (&self->cancellable);
  g_object_unref (self->client);
  g_free (self);
}

/**
 * metrics_ctl_sender_push:
 * @self: a sender
 * @piece: (transfer full): what to send
 *
 * After an error that is no mere refusal of points all further pieces come back with that error, unsent.
 */
void
metrics_ctl_sender_push (MetricsCtlSender *self, MetricsCtlPiece *piece)
{
  self->n_under_way++;
  g_async_queue_push (self->waiting, piece);
}

/**
 * metrics_ctl_sender_pop:
 * @self: a sender
 *
 * Waits for the oldest piece that is under way.
 *
 * Returns: (transfer full) (nullable): that piece, with its outcome; %NULL where none is under way
 */
MetricsCtlPiece *
metrics_ctl_sender_pop (MetricsCtlSender *self)
{
  if (self->n_under_way == 0)
    return NULL;
  self->n_under_way--;
  return g_async_queue_pop (self->sent);
}

/**
 * metrics_ctl_count_answered:
 * @batch: a batch that was broken off
 *
 * A server that closes the connection for a reason of its own (an idle time, too many connections) says so in
 * an error first, which looks like the answer to a request that it never read: an error that was the last
 * word is no answer.
 *
 * Returns: how many points of it, from the first one on, the server has answered for
 */
guint
metrics_ctl_count_answered (MetricsBatch *batch)
{
  guint n_refused = metrics_batch_get_n_refused (batch);
  guint n_answered = metrics_batch_get_n_accepted (batch) + n_refused;
  guint index;

  if (n_refused > 0 && metrics_batch_get_refusal (batch, n_refused - 1, &index) != NULL
      && index == n_answered - 1)
    n_answered--;
  return n_answered;
}
