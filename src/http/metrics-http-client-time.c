/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-client-private.h"

/* How long a client may take. The times are absolute, as those of the line protocol are: they begin with a
 * state and do not begin again with each byte. */

/* Seconds: a client that was told that this is the end gets so many to hang up; one that has got an answer
 * may think for so long before it asks again. */
#define LINGER_TIMEOUT 2
#define KEEP_TIMEOUT 75

/* What is waited for from the client, in monotonic microseconds; 0 where nothing is. */
static gint64
get_deadline (MetricsHttpClient *self)
{
  const MetricsHttpLimits *limits = metrics_http_get_limits (self->http);
  gint64 seconds = 0;

  /* What has come waits for this side, until the client has taken what it was answered before. */
  if (metrics_http_client_has_input (self))
    return 0;
  if (self->phase == PHASE_LINGERING)
    seconds = LINGER_TIMEOUT;
  else if (self->phase == PHASE_BODY || (self->phase == PHASE_HEAD && metrics_buffer_length (&self->in) > 0))
    seconds = limits->line_timeout;
  else if (self->phase == PHASE_HEAD && metrics_http_client_get_unsent (self) == 0)
    {
      seconds = self->has_asked ? KEEP_TIMEOUT : limits->line_timeout;
      if (limits->idle_timeout > 0)
        seconds = MIN (seconds, limits->idle_timeout);
    }
  return seconds > 0 ? self->since + seconds * G_USEC_PER_SEC : 0;
}

/* What waits at one moment has to leave within the time; then the time begins again for what waits then. */
static gint64
get_answer_deadline (MetricsHttpClient *self)
{
  gsize n_waiting = metrics_http_client_get_unsent (self);

  if (n_waiting == 0)
    self->answer_since = 0;
  else if (self->answer_since == 0 || self->n_sent >= self->answer_mark)
    {
      self->answer_since = metrics_poller_get_time (self->watch.poller);
      self->answer_mark = self->n_sent + n_waiting;
    }
  if (self->answer_since == 0)
    return 0;
  return self->answer_since + (gint64) metrics_http_get_limits (self->http)->answer_timeout * G_USEC_PER_SEC;
}

static gboolean
has_passed (gint64 deadline, gint64 now)
{
  return deadline != 0 && deadline <= now;
}

void
metrics_http_client_handle_deadline (MetricsHttpClient *self)
{
  gint64 now = metrics_poller_get_time (self->watch.poller);

  if (has_passed (get_answer_deadline (self), now))
    /* Behind an answer that is stuck there is no way to say anything. */
    metrics_http_client_close (self);
  else if (!has_passed (get_deadline (self), now))
    return;
  else if (self->phase == PHASE_BODY || (self->phase == PHASE_HEAD && metrics_buffer_length (&self->in) > 0))
    metrics_http_client_refuse_request (self, 408, "timeout", NULL, "the request did not come in time");
  else
    metrics_http_client_close (self);
}

static gint64
get_earlier (gint64 a, gint64 b)
{
  return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Has it woken when the first of its times is over. */
void
metrics_http_client_update_deadline (MetricsHttpClient *self)
{
  metrics_poller_watch_set_deadline (&self->watch,
                                     get_earlier (get_deadline (self), get_answer_deadline (self)));
}
