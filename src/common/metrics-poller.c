/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-poller.h"

#include "common/metrics-epoll.h"

#include <errno.h>

/* All connections behind one GSource.
 *
 * GMainContext hands every file descriptor to poll() at each wake-up, so that each request would cost in
 * proportion to the connections that do nothing. Here they are in an epoll set of which the context sees one
 * descriptor.
 *
 * The source has three things to look after: descriptors that are ready, watches that asked for another turn
 * because they stopped at the end of their slice of work, and deadlines. A watch gets at most one call for
 * each of them in a dispatch, so each of the others gets its turn before the first has a second one; and the
 * context gets control back after every round, so that other sources are served as well. */

struct _MetricsPoller
{
  GSource *source;     /* (owned) */
  MetricsEpoll *epoll; /* (owned) */

  GQueue turns;         /* (unowned links): MetricsPollerWatch.turn of those that asked for a turn */
  GSequence *deadlines; /* (owned) (element-type MetricsPollerWatch) (unowned elements): by queued_deadline */

  /* Events of the round that is going on and have not been handed out: a watch that goes takes its own with
   * it. */
  struct epoll_event events[METRICS_EPOLL_MAX_EVENTS];
  int next_event;
  int n_events;
  gboolean is_dispatching;

  /* Of the round that is going on; 0 while nobody has asked. */
  gint64 time;
  gint64 real_time;
};

typedef struct
{
  GSource parent;
  MetricsPoller *poller; /* (unowned): it owns the source */
} PollerSource;

static gint
compare_deadlines (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 first = ((const MetricsPollerWatch *) a)->queued_deadline;
  gint64 second = ((const MetricsPollerWatch *) b)->queued_deadline;

  return (first > second) - (first < second);
}

static void
arm_timer (MetricsPoller *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);
  gint64 time = -1;

  if (!g_sequence_iter_is_end (first))
    time = ((MetricsPollerWatch *) g_sequence_get (first))->queued_deadline;
  if (g_source_get_ready_time (self->source) != time)
    g_source_set_ready_time (self->source, time);
}

static void
remove_deadline (MetricsPollerWatch *watch)
{
  g_clear_pointer (&watch->deadline_iter, g_sequence_remove);
}

static void
queue_deadline (MetricsPollerWatch *watch)
{
  watch->queued_deadline = watch->deadline;
  watch->deadline_iter = g_sequence_insert_sorted (watch->poller->deadlines, watch, compare_deadlines, NULL);
}

/* Calls those whose time has come. A deadline that was moved to later since it was queued is only queued
 * again. */
static void
dispatch_deadlines (MetricsPoller *self, gint64 now)
{
  while (TRUE)
    {
      GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);
      MetricsPollerWatch *watch;

      if (g_sequence_iter_is_end (first))
        break;
      watch = g_sequence_get (first);
      if (watch->queued_deadline > now)
        break;

      remove_deadline (watch);
      if (watch->deadline == 0)
        continue;
      if (watch->deadline > now)
        {
          queue_deadline (watch);
          continue;
        }
      watch->deadline = 0;
      watch->func (METRICS_POLLER_DEADLINE, watch->user_data);
    }
  arm_timer (self);
}

static MetricsPollerEvents
from_epoll (guint32 events)
{
  MetricsPollerEvents result = 0;

  if (events & EPOLLIN)
    result |= METRICS_POLLER_IN;
  if (events & EPOLLOUT)
    result |= METRICS_POLLER_OUT;
  if (events & (EPOLLHUP | EPOLLERR))
    result |= METRICS_POLLER_GONE;
  return result;
}

static void
dispatch_events (MetricsPoller *self)
{
  self->n_events = metrics_epoll_take (self->epoll, self->events);
  for (self->next_event = 0; self->next_event < self->n_events;)
    {
      struct epoll_event *event = &self->events[self->next_event++];
      MetricsPollerWatch *watch = event->data.ptr;

      if (watch != NULL)
        watch->func (from_epoll (event->events), watch->user_data);
    }
  self->n_events = self->next_event = 0;
}

static void
dispatch_turns (MetricsPoller *self)
{
  /* Those that ask for another turn while these are called have to wait for the next round. */
  for (guint n = self->turns.length; n > 0 && self->turns.head != NULL; n--)
    {
      MetricsPollerWatch *watch = self->turns.head->data;

      g_queue_unlink (&self->turns, &watch->turn);
      watch->has_turn = FALSE;
      watch->func (METRICS_POLLER_TURN, watch->user_data);
    }
}

static gboolean
poller_source_prepare (GSource *source, int *timeout)
{
  PollerSource *self = (PollerSource *) source;

  *timeout = -1;
  return self->poller->turns.length > 0;
}

static gboolean
poller_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  MetricsPoller *poller = ((PollerSource *) source)->poller;
  gint64 ready_time = g_source_get_ready_time (source);

  g_assert (!poller->is_dispatching);

  poller->is_dispatching = TRUE;
  poller->time = poller->real_time = 0;
  if (ready_time >= 0 && ready_time <= metrics_poller_get_time (poller))
    dispatch_deadlines (poller, metrics_poller_get_time (poller));
  dispatch_events (poller);
  dispatch_turns (poller);
  poller->is_dispatching = FALSE;
  return G_SOURCE_CONTINUE;
}

/* Without a check of its own the source is ready when its descriptor or its time is, which GLib knows without
 * giving up its lock. */
static GSourceFuncs poller_source_funcs = {
  .prepare = poller_source_prepare,
  .dispatch = poller_source_dispatch,
};

/**
 * metrics_poller_new:
 * @context: (nullable): the main context from which the watches are called; %NULL for the default one
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a poller, or %NULL with a %G_IO_ERROR
 */
MetricsPoller *
metrics_poller_new (GMainContext *context, GError **error)
{
  MetricsPoller *self;
  MetricsEpoll *epoll = metrics_epoll_new (context, error);

  if (epoll == NULL)
    return NULL;
  self = g_new0 (MetricsPoller, 1);
  self->epoll = epoll;
  g_queue_init (&self->turns);
  self->deadlines = g_sequence_new (NULL);
  self->source = g_source_new (&poller_source_funcs, sizeof (PollerSource));
  g_source_set_static_name (self->source, "MetricsPoller");
  /* A source that cannot recurse is taken out of the context's poll set for each dispatch and put back after
   * it, for which the context wakes itself both times: three system calls a round. Nothing that is called
   * from here runs the context, which poller_source_dispatch() asserts. */
  g_source_set_can_recurse (self->source, TRUE);
  ((PollerSource *) self->source)->poller = self;
  g_source_add_unix_fd (self->source, metrics_epoll_get_fd (epoll), G_IO_IN);
  g_source_attach (self->source, context);
  return self;
}

/**
 * metrics_poller_free:
 * @self: (transfer full) (nullable): a poller without watches
 */
void
metrics_poller_free (MetricsPoller *self)
{
  if (self == NULL)
    return;
  g_assert (self->turns.length == 0);
  g_assert (g_sequence_is_empty (self->deadlines));

  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_sequence_free (self->deadlines);
  metrics_epoll_free (self->epoll);
  g_free (self);
}

/**
 * metrics_poller_adopt:
 * @self: a poller
 * @fd: a descriptor that other sources of the context poll all the time; it has to be open until it is
 *   disowned
 *
 * Lets the context wait for it and for the watches at once, which saves a system call at each wake-up.
 */
void
metrics_poller_adopt (MetricsPoller *self, int fd)
{
  metrics_epoll_adopt (self->epoll, fd);
}

/**
 * metrics_poller_disown:
 * @self: a poller
 * @fd: a descriptor that was adopted; still open
 */
void
metrics_poller_disown (MetricsPoller *self, int fd)
{
  metrics_epoll_disown (self->epoll, fd);
}

/**
 * metrics_poller_get_time:
 * @self: a poller
 *
 * Returns: the monotonic time in microseconds, as of the round that is going on
 */
gint64
metrics_poller_get_time (MetricsPoller *self)
{
  if (!self->is_dispatching)
    return g_source_get_time (self->source);
  if (self->time == 0)
    self->time = g_source_get_time (self->source);
  return self->time;
}

/**
 * metrics_poller_get_real_time:
 * @self: a poller that calls a watch
 *
 * Returns: the time in microseconds since the Unix epoch, asked for once in a round
 */
gint64
metrics_poller_get_real_time (MetricsPoller *self)
{
  g_assert (self->is_dispatching);

  if (self->real_time == 0)
    self->real_time = g_get_real_time ();
  return self->real_time;
}

/**
 * metrics_poller_is_alone:
 * @self: a poller that calls a watch
 *
 * Returns: whether nobody but this watch is served in this round, as far as is known by now
 */
gboolean
metrics_poller_is_alone (MetricsPoller *self)
{
  return self->n_events <= 1 && self->turns.length == 0;
}

static guint32
to_epoll (MetricsPollerEvents interest)
{
  return ((interest & METRICS_POLLER_IN) ? EPOLLIN : 0) | ((interest & METRICS_POLLER_OUT) ? EPOLLOUT : 0);
}

static int
control (MetricsPollerWatch *watch, int operation, MetricsPollerEvents interest)
{
  return metrics_epoll_control (watch->poller->epoll, operation, watch->fd, to_epoll (interest), watch);
}

/**
 * metrics_poller_add:
 * @self: a poller
 * @watch: a watch that is not added anywhere; it has to stay where it is until it is removed
 * @fd: the descriptor to watch; it has to be open as long as the watch is there
 * @interest: %METRICS_POLLER_IN, %METRICS_POLLER_OUT, or both
 * @func: what to call
 * @user_data: what to call it with
 * @error: return location for a #GError
 *
 * Returns: %FALSE where the kernel refused
 */
gboolean
metrics_poller_add (MetricsPoller *self,
                    MetricsPollerWatch *watch,
                    int fd,
                    MetricsPollerEvents interest,
                    MetricsPollerFunc func,
                    gpointer user_data,
                    GError **error)
{
  g_assert (watch->poller == NULL);
  g_assert (interest != 0);

  *watch = (MetricsPollerWatch){
    .poller = self,
    .fd = fd,
    .interest = interest,
    .func = func,
    .user_data = user_data,
    .turn = { .data = watch },
  };
  if (control (watch, EPOLL_CTL_ADD, interest) < 0)
    {
      int saved_errno = errno;

      watch->poller = NULL;
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "epoll_ctl: %s",
                   g_strerror (saved_errno));
      return FALSE;
    }
  return TRUE;
}

/**
 * metrics_poller_watch_remove:
 * @watch: a watch, added or not
 *
 * Forgets it: its function is not called any more.
 */
void
metrics_poller_watch_remove (MetricsPollerWatch *watch)
{
  MetricsPoller *poller = watch->poller;

  if (poller == NULL)
    return;

  if (watch->interest != 0)
    control (watch, EPOLL_CTL_DEL, 0);
  if (watch->has_turn)
    g_queue_unlink (&poller->turns, &watch->turn);
  if (watch->deadline_iter != NULL)
    remove_deadline (watch);
  for (int i = poller->next_event; i < poller->n_events; i++)
    if (poller->events[i].data.ptr == watch)
      poller->events[i].data.ptr = NULL;
  metrics_epoll_forget (poller->epoll, watch);
  watch->poller = NULL;
}

/**
 * metrics_poller_watch_set_interest:
 * @watch: a watch that is added
 * @interest: %METRICS_POLLER_IN, %METRICS_POLLER_OUT, both, or 0
 *
 * Says what to wake it for. With 0 it is not woken for a descriptor that is gone either, which could not be
 * slept through otherwise.
 *
 * Returns: %FALSE where the kernel refused: it would not be woken any more
 */
gboolean
metrics_poller_watch_set_interest (MetricsPollerWatch *watch, MetricsPollerEvents interest)
{
  int operation = EPOLL_CTL_MOD;

  if (interest == watch->interest)
    return TRUE;
  if (interest == 0)
    operation = EPOLL_CTL_DEL;
  else if (watch->interest == 0)
    operation = EPOLL_CTL_ADD;
  if (control (watch, operation, interest) < 0)
    return FALSE;
  watch->interest = interest;
  return TRUE;
}

/**
 * metrics_poller_watch_schedule:
 * @watch: a watch that is added
 *
 * Asks for a turn: its function is called in the next round, once, whether its descriptor is ready or not.
 */
void
metrics_poller_watch_schedule (MetricsPollerWatch *watch)
{
  if (watch->has_turn)
    return;
  watch->has_turn = TRUE;
  g_queue_push_tail_link (&watch->poller->turns, &watch->turn);
}

/**
 * metrics_poller_watch_set_deadline:
 * @watch: a watch that is added
 * @deadline: monotonic time in microseconds, or 0 for none
 *
 * Says when to wake it whatever happens; a new time takes the place of the one before.
 */
void
metrics_poller_watch_set_deadline (MetricsPollerWatch *watch, gint64 deadline)
{
  watch->deadline = deadline;
  /* One that moves to later, as most do all the time, is left where it is in the queue until that time comes.
   */
  if (deadline == 0 || (watch->deadline_iter != NULL && watch->queued_deadline <= deadline))
    return;

  if (watch->deadline_iter != NULL)
    remove_deadline (watch);
  queue_deadline (watch);
  arm_timer (watch->poller);
}
