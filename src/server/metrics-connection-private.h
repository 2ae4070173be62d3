/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-connection.h"

#include "server/metrics-deadlines.h"
#include "server/metrics-line-reader.h"
#include "server/metrics-outbox.h"
#include "server/metrics-second-look.h"
#include "server/metrics-session.h"

G_BEGIN_DECLS

typedef enum
{
  PHASE_NEW,
  PHASE_OPEN,      /* takes requests */
  PHASE_FLUSHING,  /* takes no more; what is owed still leaves */
  PHASE_LINGERING, /* all has left; waits for the client to hang up */
  PHASE_CLOSED,
} Phase;

/**
 * MetricsConnection:
 *
 * A client. Whenever its socket is ready, it reads once, executes the whole lines that are there, up to a
 * slice of work, and writes all their replies at once. While nobody else is ready, it may do that several
 * times in one slice, where it has shown that this pays (#MetricsSecondLook). Replies that the client does
 * not take are held up to a limit; above it nothing more is read or executed. So are those that wait until
 * what they say is on disk, see #MetricsGate.
 *
 * Everything happens in the thread of the poller's context.
 */
struct _MetricsConnection
{
  GObject parent;

  GSocketConnection *stream;   /* (owned) */
  MetricsStore *store;         /* (owned) */
  MetricsGate *gate;           /* (owned) */
  const MetricsLimits *limits; /* (unowned) */
  MetricsFigures *figures;     /* (unowned) */
  MetricsRights rights;

  MetricsPollerWatch watch;
  MetricsLineReader reader;
  MetricsSession session;
  MetricsSecondLook second_look;
  Phase phase;
  gint budget;           /* units of work that are left in this turn */
  gboolean is_called;    /* in a turn, at the end of which it may be let go */
  gboolean eof;          /* the client will send no more */
  gboolean took_line;    /* whether a line came to its end in this turn */
  gboolean has_work;     /* there are lines, or the rest of a reply, that can be gone on with */
  gboolean is_finishing; /* nothing more is read, and nothing more is waited for than that all has left */

  MetricsOutbox outbox;
  MetricsDeadlines deadlines;
};

void metrics_connection_init_watch (MetricsConnection *self);
gboolean metrics_connection_is_push_due (MetricsConnection *self);
void metrics_connection_push (MetricsConnection *self);
gboolean metrics_connection_push_again (MetricsConnection *self, guint64 n_sent_before);
gint64 metrics_connection_fit_deadline (MetricsConnection *self, gint64 deadline);

/* Whether the client watches. */
static inline gboolean
metrics_connection_is_watching (const MetricsConnection *self)
{
  return G_UNLIKELY (self->session.subscription != NULL);
}

G_END_DECLS
