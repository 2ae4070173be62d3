/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-client-private.h"
#include "client/metrics-request-lines.h"

/* Returns FALSE where the rest is not wanted: by the function, or as it was cancelled. */
static gboolean
call_for_block (const MetricsBlock *block,
                MetricsSampleFunc func,
                gpointer user_data,
                GCancellable *cancellable)
{
  for (guint i = 0; i < block->samples->len; i++)
    {
      if (g_cancellable_is_cancelled (cancellable)
          || !func (&g_array_index (block->samples, MetricsSample, i), user_data))
        return FALSE;
    }
  return TRUE;
}

static gboolean
stream (MetricsChannel *channel,
        MetricsRequest *request,
        MetricsSampleFunc func,
        gpointer user_data,
        GCancellable *cancellable,
        GError **error)
{
  MetricsBlock *block;

  while ((block = metrics_request_wait_block (request)) != NULL)
    {
      gboolean goes_on;

      /* The next ones can come while the function looks at these. */
      metrics_channel_wake (channel);
      goes_on = call_for_block (block, func, user_data, cancellable);
      metrics_block_free (block);
      if (!goes_on)
        {
          metrics_request_stop (request);
          metrics_channel_wake (channel);
          return !g_cancellable_set_error_if_cancelled (cancellable, error);
        }
    }
  return metrics_request_wait (request, error);
}

/**
 * metrics_client_foreach:
 * @self: a client
 * @pattern: which keys, as a glob: see [class@Client]; `*` is every key
 * @from: the first timestamp of the span, or %METRICS_TIME_MIN
 * @to: the last timestamp of the span, or %METRICS_TIME_MAX
 * @func: (scope call) (closure user_data): what to call for each sample
 * @user_data: what to call it with
 * @cancellable: (nullable): what cancels the request
 * @error: return location for a #GError
 *
 * Calls a function for each point of a span of time, of every key that matches, in the order of
 * [method@Client.get_all]. Both ends belong to the span.
 *
 * The function is called in the calling thread, with samples that have come while others are still on their
 * way: an answer of any length takes little memory. While the function is slow, the server waits. Where the
 * call fails in the middle, the function has been called for the points that came until then.
 *
 * The function can end the call early by returning %FALSE; this is no error. The connection is closed then,
 * unless other requests of the client wait for their answers: the next request makes a new one.
 *
 * Requests that are made of the same client meanwhile are answered after the last sample. A synchronous one
 * from within the function would wait for that in vain, until its time is over: use another client there.
 *
 * [property@Client:timeout] is the time in which nothing happens on the connection; the time that the
 * function takes does not count.
 *
 * Returns: %TRUE when the function has been called for all samples or has ended the call early, or %FALSE
 * with an error, see [error@Error]
 *
 * Since: 0.1
 */
gboolean
metrics_client_foreach (MetricsClient *self,
                        const char *pattern,
                        gint64 from,
                        gint64 to,
                        MetricsSampleFunc func,
                        gpointer user_data,
                        GCancellable *cancellable,
                        GError **error)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (pattern != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  request = metrics_request_new_stream (pattern, from, to);
  if (request->is_done)
    return metrics_request_wait (request, error);

  metrics_client_issue (self, request, cancellable);
  return stream (metrics_client_get_channel (self), request, func, user_data, cancellable, error);
}
