/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-watch-link.h"

#include "client/metrics-channel.h"
#include "client/metrics-request-lines.h"
#include "client/metrics-worker.h"
#include <metrics-glib/metrics-error.h>
#include <string.h>

/* Keeps a watch connected: one request that watches at a time, and after its end another one, some time
 * later. It lives in the worker thread. */

/* How long to wait after the first failure; twice as long after each further one, up to the second. A
 * connection that has lasted longer than that makes the next failure the first one again. */
#define FIRST_DELAY (G_TIME_SPAN_SECOND / 10)
#define MAX_DELAY (10 * G_TIME_SPAN_SECOND)

/**
 * MetricsWatchLink:
 * @refs: the references: the watch's, that of the request, and those of sources
 * @feed: (owned): takes what comes
 * @patterns: (owned): what is watched
 * @timeout: after how long without a sign of the server it is taken for gone, in microseconds; 0 is never
 * @reconnect: whether a lost connection is made anew
 *
 * @channel: (owned) (nullable): a connection of its own; %NULL when nothing more will come
 * @began: since when the server has been listened to, in microseconds of the monotonic clock; 0 while it is
 *   not
 * @n_failures: how many attempts have failed in a row
 * @retry: (owned) (nullable): waits for the next attempt
 *
 * But for what never changes everything is the worker thread's alone.
 */
struct _MetricsWatchLink
{
  gatomicrefcount refs;
  MetricsFeed *feed;
  GStrv patterns;
  gint64 timeout;
  gboolean reconnect;

  MetricsChannel *channel;
  gint64 began;
  guint n_failures;
  GSource *retry;
};

static MetricsWatchLink *
link_ref (MetricsWatchLink *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * metrics_watch_link_unref:
 * @self: (transfer full): a link
 */
void
metrics_watch_link_unref (MetricsWatchLink *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_assert (self->channel == NULL && self->retry == NULL);
  metrics_feed_unref (self->feed);
  g_strfreev (self->patterns);
  g_free (self);
}

/* Has a function run in the worker thread, after a while. */
static GSource *
run_later (MetricsWatchLink *self, gint64 delay, GSourceFunc func)
{
  GSource *source = g_timeout_source_new ((guint) (delay / 1000));

  g_source_set_callback (source, func, link_ref (self), (GDestroyNotify) metrics_watch_link_unref);
  g_source_attach (source, metrics_worker_get_context ());
  return source;
}

static void
stop (MetricsWatchLink *self)
{
  if (self->retry != NULL)
    {
      g_source_destroy (self->retry);
      g_clear_pointer (&self->retry, g_source_unref);
    }
  g_clear_pointer (&self->channel, metrics_channel_shut_down);
}

static void
fail (MetricsWatchLink *self, const GError *error)
{
  metrics_feed_fail (self->feed, error);
  stop (self);
}

static gboolean
on_attempt (gpointer user_data)
{
  MetricsWatchLink *self = user_data;
  g_autoptr (MetricsRequest) request = NULL;

  g_clear_pointer (&self->retry, g_source_unref);
  if (self->channel == NULL)
    return G_SOURCE_REMOVE;
  request = metrics_request_new_watch ((const char *const *) self->patterns);
  if (request->is_done)
    {
      fail (self, request->error);
      return G_SOURCE_REMOVE;
    }
  request->link = link_ref (self);
  request->timeout = self->timeout;
  request->issued = g_get_monotonic_time ();
  metrics_channel_submit (self->channel, request);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_watch_link_new:
 * @feed: what takes what comes
 * @server: (type filename): where the server is
 * @patterns: what is watched
 * @timeout: after how long without a sign of the server it is taken for gone, in milliseconds; 0 is never
 * @reconnect: whether a lost connection is made anew
 *
 * Returns: (transfer full): a link, which connects at once; metrics_watch_link_shut_down() ends it
 */
MetricsWatchLink *
metrics_watch_link_new (MetricsFeed *feed,
                        const char *server,
                        const char *const *patterns,
                        guint timeout,
                        gboolean reconnect)
{
  MetricsWatchLink *self = g_new0 (MetricsWatchLink, 1);

  g_atomic_ref_count_init (&self->refs);
  self->feed = metrics_feed_ref (feed);
  self->patterns = g_strdupv ((GStrv) patterns);
  self->timeout = timeout * (G_TIME_SPAN_SECOND / 1000);
  self->reconnect = reconnect;
  self->channel = metrics_channel_new (server);
  g_source_unref (run_later (self, 0, on_attempt));
  return self;
}

static gboolean
on_shut_down (gpointer user_data)
{
  stop (user_data);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_watch_link_shut_down:
 * @self: (transfer full): a link
 *
 * Closes the connection, some time later in the worker thread. May be called from any thread.
 */
void
metrics_watch_link_shut_down (MetricsWatchLink *self)
{
  g_source_unref (run_later (self, 0, on_shut_down));
  metrics_watch_link_unref (self);
}

/**
 * metrics_watch_link_begin:
 * @self: a link
 *
 * The server has taken all patterns.
 */
void
metrics_watch_link_begin (MetricsWatchLink *self)
{
  self->began = g_get_monotonic_time ();
  metrics_feed_connect (self->feed);
}

/**
 * metrics_watch_link_push:
 * @self: a link
 * @block: (transfer full): points that came
 */
void
metrics_watch_link_push (MetricsWatchLink *self, MetricsBlock *block)
{
  metrics_feed_push (self->feed, block);
}

/**
 * metrics_watch_link_drop:
 * @self: a link
 * @n_points: how many points the server says that it has dropped
 */
void
metrics_watch_link_drop (MetricsWatchLink *self, guint64 n_points)
{
  metrics_feed_drop (self->feed, n_points);
}

/* Whether it is of use to try again. What the server refuses it will refuse again, but that it has too many
 * clients for now. */
static gboolean
is_passing (const GError *error)
{
  switch ((MetricsError) error->code)
    {
    case METRICS_ERROR_CONNECT:
    case METRICS_ERROR_TIMED_OUT:
    case METRICS_ERROR_CLOSED:
      return TRUE;
    case METRICS_ERROR_REFUSED:
      return strcmp (error->message, "too many connections") == 0;
    case METRICS_ERROR_PROTOCOL:
    case METRICS_ERROR_INVALID_ARGUMENT:
    default:
      return FALSE;
    }
}

static gint64
get_delay (guint n_failures)
{
  gint64 delay = MIN (FIRST_DELAY << MIN (n_failures, 16), MAX_DELAY);

  /* Many that have lost the same server must not all come back at once. */
  return delay * 3 / 4 + g_random_int_range (0, (gint32) (delay / 2));
}

/**
 * metrics_watch_link_end:
 * @self: a link
 * @error: (transfer full): why
 *
 * The request has come to its end.
 */
void
metrics_watch_link_end (MetricsWatchLink *self, GError *error)
{
  g_autoptr (GError) owned = error;
  gboolean is_known = self->began == 0 && self->n_failures > 0;

  if (self->channel == NULL)
    return;
  if (!self->reconnect || !is_passing (error))
    {
      fail (self, error);
      return;
    }
  if (self->began != 0 && g_get_monotonic_time () - self->began > MAX_DELAY)
    self->n_failures = 0;
  self->began = 0;
  /* That it is still away, each time for another reason maybe, is no news. */
  if (!is_known)
    metrics_feed_disconnect (self->feed, error);
  self->retry = run_later (self, get_delay (self->n_failures++), on_attempt);
}
