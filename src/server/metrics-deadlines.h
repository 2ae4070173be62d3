/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-limits.h"

G_BEGIN_DECLS

typedef enum
{
  METRICS_DEADLINE_ANSWER, /* an answer is there and has not left */
  METRICS_DEADLINE_LINE,   /* a line has begun and has not ended */
  METRICS_DEADLINE_IDLE,   /* nothing is asked for */
  METRICS_DEADLINE_LINGER, /* the client has been told that this is the end, and is still there */
  METRICS_N_DEADLINES,
} MetricsDeadline;

/**
 * MetricsDeadlines:
 * @timeouts: seconds for each; 0 for ever
 *
 * What a client has only so much time for. The times are absolute: they begin with a state and do not begin
 * again while it lasts, or a client that sends or takes a byte a second would stay for ever.
 */
typedef struct
{
  guint timeouts[METRICS_N_DEADLINES];
  gint64 since[METRICS_N_DEADLINES]; /* monotonic microseconds; 0 while it is not so */
  guint64 answer_mark;               /* what has to have left in time, in bytes from the first one sent */
} MetricsDeadlines;

void metrics_deadlines_init (MetricsDeadlines *self, const MetricsLimits *limits);
void metrics_deadlines_set_limits (MetricsDeadlines *self, const MetricsLimits *limits);

void metrics_deadlines_note (MetricsDeadlines *self,
                             MetricsDeadline which,
                             gboolean is_so,
                             gboolean is_new,
                             gint64 now);
void metrics_deadlines_note_answer (MetricsDeadlines *self, guint64 n_sent, gsize n_waiting, gint64 now);

gint64 metrics_deadlines_get_next (const MetricsDeadlines *self);
MetricsDeadline metrics_deadlines_get_passed (const MetricsDeadlines *self, gint64 now);

G_END_DECLS
