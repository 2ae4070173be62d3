/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MetricsPoller MetricsPoller;
typedef struct _MetricsPollerWatch MetricsPollerWatch;

/**
 * MetricsPollerEvents:
 * @METRICS_POLLER_IN: there is something to read, or the end
 * @METRICS_POLLER_OUT: there is room to write
 * @METRICS_POLLER_GONE: the other side is gone, or the socket has an error
 * @METRICS_POLLER_TURN: it asked for a turn, see metrics_poller_watch_schedule()
 * @METRICS_POLLER_DEADLINE: its deadline has passed
 */
typedef enum
{
  METRICS_POLLER_IN = 1 << 0,
  METRICS_POLLER_OUT = 1 << 1,
  METRICS_POLLER_GONE = 1 << 2,
  METRICS_POLLER_TURN = 1 << 3,
  METRICS_POLLER_DEADLINE = 1 << 4,
} MetricsPollerEvents;

/* Called with what happened; may do anything to its own watch, removing it included. */
typedef void (*MetricsPollerFunc) (MetricsPollerEvents events, gpointer user_data);

/**
 * MetricsPollerWatch:
 *
 * What the poller knows of one file descriptor. It lives inside the object that it wakes; all fields are
 * the poller's own.
 */
struct _MetricsPollerWatch
{
  MetricsPoller *poller; /* (unowned): NULL while not added */
  int fd;                /* (unowned) */
  MetricsPollerEvents interest;
  MetricsPollerFunc func;
  gpointer user_data; /* (unowned) */

  GList turn; /* its link in the queue of those that asked for a turn */
  gboolean has_turn;

  gint64 deadline;              /* when it is to be woken, in monotonic microseconds; 0 for never */
  gint64 queued_deadline;       /* where it stands in the queue: not later than deadline */
  GSequenceIter *deadline_iter; /* (unowned) (nullable) */
};

MetricsPoller *metrics_poller_new (GMainContext *context, GError **error);
void metrics_poller_free (MetricsPoller *self);

void metrics_poller_adopt (MetricsPoller *self, int fd);
void metrics_poller_disown (MetricsPoller *self, int fd);

gint64 metrics_poller_get_time (MetricsPoller *self);
gint64 metrics_poller_get_real_time (MetricsPoller *self);
gboolean metrics_poller_is_alone (MetricsPoller *self);

gboolean metrics_poller_add (MetricsPoller *self,
                             MetricsPollerWatch *watch,
                             int fd,
                             MetricsPollerEvents interest,
                             MetricsPollerFunc func,
                             gpointer user_data,
                             GError **error);
void metrics_poller_watch_remove (MetricsPollerWatch *watch);
gboolean metrics_poller_watch_set_interest (MetricsPollerWatch *watch, MetricsPollerEvents interest);
void metrics_poller_watch_schedule (MetricsPollerWatch *watch);
void metrics_poller_watch_set_deadline (MetricsPollerWatch *watch, gint64 deadline);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsPoller, metrics_poller_free)

G_END_DECLS
