/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-watch.h>

#include "client/metrics-watch-private.h"

/* What a batch is to the program. */
static GPtrArray *
describe (MetricsFeedBatch *batch, guint64 *n_dropped, gboolean *gap)
{
  if (n_dropped != NULL)
    *n_dropped = batch != NULL ? batch->n_dropped : 0;
  if (gap != NULL)
    *gap = batch != NULL && batch->is_gap;
  return batch != NULL ? metrics_feed_batch_make_samples (batch) : NULL;
}

/**
 * metrics_watch_next:
 * @self: a watch
 * @n_dropped: (out) (optional): how many points were dropped since the last ones, as they were not taken in
 * time
 * @gap: (out) (optional): whether the connection was away since the last ones, so that points may be missing
 * @cancellable: (nullable): what ends the wait
 * @error: return location for a #GError
 *
 * Waits for points and takes them, in the order in which the server has got them. The calling thread is
 * blocked, and no main context is iterated, for as long as none come: also while the server is away and the
 * watch tries to reach it again.
 *
 * From the first call on [signal@Watch::points] and [signal@Watch::dropped] are not emitted any more.
 *
 * One call may wait at a time; a second one fails with %G_IO_ERROR_PENDING. What has come before the watch
 * has failed is still given, and then the error that [signal@Watch::failed] tells; when [method@Watch.close]
 * was called, it is %METRICS_ERROR_CLOSED.
 *
 * Returns: (transfer container) (element-type MetricsSample): the points, in an array that frees them with
 *   itself, or %NULL with an error; the array is empty where only @n_dropped or @gap is to be told
 *
 * Since: 0.1
 */
GPtrArray *
metrics_watch_next (MetricsWatch *self,
                    guint64 *n_dropped,
                    gboolean *gap,
                    GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (MetricsFeedBatch) batch = NULL;
  MetricsFeed *feed;

  g_return_val_if_fail (METRICS_IS_WATCH (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  feed = metrics_watch_get_feed (self);
  if (metrics_feed_begin_next (feed, NULL, error))
    {
      batch = metrics_feed_wait (feed, cancellable, error);
      metrics_feed_end_next (feed);
    }
  return describe (batch, n_dropped, gap);
}

static gboolean
on_ready (gpointer user_data)
{
  GTask *task = user_data;
  MetricsFeed *feed = metrics_watch_get_feed (g_task_get_source_object (task));
  MetricsFeedBatch *batch = NULL;
  GError *error = NULL;

  if (!g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error)
      && !metrics_feed_poll (feed, &batch, &error))
    return G_SOURCE_CONTINUE;

  /* Before the callback, which may well ask for the next one. */
  metrics_feed_end_next (feed);
  if (batch != NULL)
    g_task_return_pointer (task, batch, (GDestroyNotify) metrics_feed_batch_free);
  else
    g_task_return_error (task, error);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_watch_next_async:
 * @self: a watch
 * @cancellable: (nullable): what ends the wait
 * @callback: (nullable) (scope async): what to call when there are points
 * @user_data: what to call it with
 *
 * As [method@Watch.next], without blocking: calls back in the thread-default main context of the calling
 * thread. Called again from there, it is an asynchronous iterator without an end. A call that is cancelled
 * loses no points.
 *
 * Since: 0.1
 */
void
metrics_watch_next_async (MetricsWatch *self,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;
  GError *error = NULL;

  g_return_if_fail (METRICS_IS_WATCH (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, metrics_watch_next_async);
  /* Whether it was cancelled or there were points first is decided when it is dispatched. */
  g_task_set_check_cancellable (task, FALSE);

  source = metrics_feed_new_source ();
  g_source_set_static_name (source, "MetricsWatch.next");
  if (!metrics_feed_begin_next (metrics_watch_get_feed (self), source, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (source, cancelled);
    }
  g_task_attach_source (task, source, on_ready);
}

/**
 * metrics_watch_next_finish:
 * @self: a watch
 * @result: what the callback was given
 * @n_dropped: (out) (optional): how many points were dropped since the last ones
 * @gap: (out) (optional): whether the connection was away since the last ones
 * @error: return location for a #GError
 *
 * Gets what became of [method@Watch.next_async].
 *
 * Returns: (transfer container) (element-type MetricsSample): as [method@Watch.next]
 *
 * Since: 0.1
 */
GPtrArray *
metrics_watch_next_finish (MetricsWatch *self,
                           GAsyncResult *result,
                           guint64 *n_dropped,
                           gboolean *gap,
                           GError **error)
{
  g_autoptr (MetricsFeedBatch) batch = NULL;

  g_return_val_if_fail (METRICS_IS_WATCH (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, metrics_watch_next_async), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  batch = g_task_propagate_pointer (G_TASK (result), error);
  return describe (batch, n_dropped, gap);
}
