/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-subscription.h"

#include "protocol/metrics-reply.h"

/* How points that are put become blocks of those who watch them.
 *
 * The first point after a pause is told at once. What comes right behind it is gathered for some
 * milliseconds: else each put would cost a block and a system call for each who watches, and the one who puts
 * would wait for them. Where a good part of the queue is used up meanwhile, nothing is waited for.
 *
 * What a client does not take stays in the queue of its watcher, where the oldest points go and are counted:
 * how much of it is turned into bytes is limited by whoever sends them. */

/* Which is less than anybody sees, and so seldom that a flood costs little: 200 blocks a second. */
#define INTERVAL (5 * G_TIME_SPAN_MILLISECOND)

/* How many bytes points may take, with their keys, that were not turned into blocks yet. They have to hold
 * what many clients put in a round of the main loop, before this one has its turn. */
#define QUEUE_LIMIT (1 << 20)

static void
wake_cb (MetricsWatcher *watcher, gpointer user_data)
{
  MetricsSubscription *self = user_data;

  self->is_pressed = self->has_points;
  self->has_points = TRUE;
  if (self->func != NULL)
    self->func (self->user_data);
}

/**
 * metrics_subscription_new:
 * @store: what is watched
 * @func: (nullable): what to call when there is something to be told
 * @user_data: what to call it with
 *
 * Returns: (transfer full): a subscription to nothing
 */
MetricsSubscription *
metrics_subscription_new (MetricsStore *store, MetricsSubscriptionFunc func, gpointer user_data)
{
  MetricsSubscription *self = g_new0 (MetricsSubscription, 1);

  self->watcher = metrics_watcher_new (store, QUEUE_LIMIT, wake_cb, self);
  self->func = func;
  self->user_data = user_data;
  return self;
}

/**
 * metrics_subscription_free:
 * @self: (transfer full) (nullable): a subscription
 *
 * Drops what was not told yet.
 */
void
metrics_subscription_free (MetricsSubscription *self)
{
  if (self == NULL)
    return;
  metrics_watcher_free (self->watcher);
  g_free (self);
}

/**
 * metrics_subscription_add:
 * @self: a subscription that was not stopped
 * @pattern: (array length=len): a valid pattern
 * @len: its length in bytes
 * @error: return location for a #GError
 *
 * Watches what matches the pattern, too, from the next put on.
 *
 * Returns: whether it does; else @error is set to %METRICS_STORE_ERROR_WATCH_LIMIT
 */
gboolean
metrics_subscription_add (MetricsSubscription *self, const char *pattern, gsize len, GError **error)
{
  return metrics_watcher_add (self->watcher, pattern, len, error);
}

/**
 * metrics_subscription_stop:
 * @self: a subscription
 *
 * Watches no more. What was put before can still be told, and there is nothing to wait for.
 */
void
metrics_subscription_stop (MetricsSubscription *self)
{
  metrics_watcher_stop (self->watcher);
  self->next = 0;
}

/**
 * metrics_subscription_is_due:
 * @self: a subscription
 * @now: monotonic time in microseconds
 *
 * Returns: whether something is to be told now; where nothing is, but there are points, it is so at
 *   MetricsSubscription.next, or before that when the function is called
 */
gboolean
metrics_subscription_is_due (const MetricsSubscription *self, gint64 now)
{
  return self->has_points && (self->is_pressed || now >= self->next);
}

/**
 * metrics_subscription_tell:
 * @self: a subscription
 * @budget: (inout): how many points it may tell, at least 1; those that it told are taken off
 * @max_length: how much @out may hold before no further point is added
 * @now: monotonic time in microseconds
 * @out: where to
 *
 * Tells what was put, oldest first, as one block, and before it how many points were lost, which are older
 * than those. Nothing is written where there is nothing to be said.
 */
void
metrics_subscription_tell (MetricsSubscription *self,
                           gint *budget,
                           gsize max_length,
                           gint64 now,
                           MetricsBuffer *out)
{
  guint64 n_dropped = metrics_watcher_take_n_dropped (self->watcher);
  gboolean is_begun = FALSE;
  MetricsWatchRow row;

  if (n_dropped > 0)
    metrics_reply_append_dropped (out, n_dropped);
  while (*budget > 0 && metrics_buffer_length (out) < max_length)
    {
      if (!metrics_watcher_take (self->watcher, &row))
        {
          self->has_points = self->is_pressed = FALSE;
          self->next = now + INTERVAL;
          break;
        }
      if (!is_begun)
        metrics_reply_begin (out);
      is_begun = TRUE;
      metrics_reply_append_points (out, row.key, row.key_len, &row.point, 1);
      *budget -= 1;
    }
  if (is_begun)
    metrics_reply_end (out);
}
