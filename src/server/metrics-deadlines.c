/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-deadlines.h"

/* A client that was told that this is the end gets this many seconds to hang up. */
#define LINGER_TIMEOUT 2

/**
 * metrics_deadlines_init:
 * @self: (out caller-allocates): deadlines
 * @limits: how long a client may take
 *
 * Nothing has begun yet.
 */
void
metrics_deadlines_init (MetricsDeadlines *self, const MetricsLimits *limits)
{
  *self = (MetricsDeadlines){ 0 };
  metrics_deadlines_set_limits (self, limits);
}

/**
 * metrics_deadlines_set_limits:
 * @self: deadlines
 * @limits: how long a client may take from now on
 *
 * What has begun began when it did: its time may be over by now.
 */
void
metrics_deadlines_set_limits (MetricsDeadlines *self, const MetricsLimits *limits)
{
  self->timeouts[METRICS_DEADLINE_LINE] = limits->line_timeout;
  self->timeouts[METRICS_DEADLINE_ANSWER] = limits->answer_timeout;
  self->timeouts[METRICS_DEADLINE_IDLE] = limits->idle_timeout;
  self->timeouts[METRICS_DEADLINE_LINGER] = LINGER_TIMEOUT;
}

/**
 * metrics_deadlines_note:
 * @self: deadlines
 * @which: one of them
 * @is_so: whether its time runs
 * @is_new: whether it begins again, if it ran before
 * @now: monotonic time in microseconds
 */
void
metrics_deadlines_note (MetricsDeadlines *self,
                        MetricsDeadline which,
                        gboolean is_so,
                        gboolean is_new,
                        gint64 now)
{
  if (!is_so)
    self->since[which] = 0;
  else if (self->since[which] == 0 || is_new)
    self->since[which] = now;
}

/**
 * metrics_deadlines_note_answer:
 * @self: deadlines
 * @n_sent: how many bytes have left since the connection began
 * @n_waiting: how many are ready to leave
 * @now: monotonic time in microseconds
 *
 * What waits at one moment has to leave within the time; when it has, the time begins again for what waits
 * then. So a long answer may take long, but a client that takes a byte a second of it is not waited for.
 */
void
metrics_deadlines_note_answer (MetricsDeadlines *self, guint64 n_sent, gsize n_waiting, gint64 now)
{
  gboolean is_new = self->since[METRICS_DEADLINE_ANSWER] == 0 || n_sent >= self->answer_mark;

  metrics_deadlines_note (self, METRICS_DEADLINE_ANSWER, n_waiting > 0, is_new, now);
  if (is_new)
    self->answer_mark = n_sent + n_waiting;
}

static gint64
get_deadline (const MetricsDeadlines *self, MetricsDeadline which)
{
  if (self->since[which] == 0 || self->timeouts[which] == 0)
    return 0;
  return self->since[which] + (gint64) self->timeouts[which] * G_USEC_PER_SEC;
}

/**
 * metrics_deadlines_get_next:
 * @self: deadlines
 *
 * Returns: the earliest of them, in monotonic microseconds; 0 where there is none
 */
gint64
metrics_deadlines_get_next (const MetricsDeadlines *self)
{
  gint64 next = 0;

  for (guint i = 0; i < METRICS_N_DEADLINES; i++)
    {
      gint64 deadline = get_deadline (self, i);

      if (deadline != 0 && (next == 0 || deadline < next))
        next = deadline;
    }
  return next;
}

/**
 * metrics_deadlines_get_passed:
 * @self: deadlines
 * @now: monotonic time in microseconds
 *
 * Returns: the first one that has passed, %METRICS_N_DEADLINES where none has
 */
MetricsDeadline
metrics_deadlines_get_passed (const MetricsDeadlines *self, gint64 now)
{
  for (guint i = 0; i < METRICS_N_DEADLINES; i++)
    {
      gint64 deadline = get_deadline (self, i);

      if (deadline != 0 && deadline <= now)
        return i;
    }
  return METRICS_N_DEADLINES;
}
