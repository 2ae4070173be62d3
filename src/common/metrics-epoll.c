/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-epoll.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* An epoll set in which the main context itself waits.
 *
 * A main context that polls an epoll set among its descriptors makes two system calls where one would do:
 * poll() says that something in the set is ready, epoll_wait() says what; and each event climbs through two
 * queues of the kernel on its way. Of a small request that is more than a tenth. So the context is given a
 * poll function that calls epoll_wait() alone, which is possible where all else that the context polls is in
 * the set as well.
 *
 * What that is has to be known: the kernel takes a descriptor out of a set when it is closed, and nobody is
 * told; if another one of the same number were polled for next, it would be waited for in vain. So only the
 * descriptors that were adopted, by those who know how long they are open, and the context's own wake-up are
 * put into the set. When the context polls for any other one, as for a connection of GIO's, poll() does it as
 * usual. */

#define MAX_ADOPTED 32

/* A descriptor of another source of the context. */
typedef struct
{
  int fd;         /* (unowned) */
  gushort events; /* what the epoll set has it for, as for poll(); 0 where it does not have it */
} Adopted;

struct _MetricsEpoll
{
  int fd;                /* (owned) */
  GMainContext *context; /* (owned) (nullable): NULL where it waits by poll() */

  struct epoll_event events[METRICS_EPOLL_MAX_EVENTS]; /* what the last wait brought and nobody has taken */
  int n_events;

  Adopted adopted[MAX_ADOPTED];
  guint n_adopted;
  GPollFD polled[MAX_ADOPTED + 1]; /* what the context polled for last, if the set was fit for it */
  guint n_polled;
};

/* A poll function is given no data. A context is iterated by one thread. */
static _Thread_local MetricsEpoll *waiting; /* (unowned) (nullable) */

static Adopted *
find_adopted (MetricsEpoll *self, int fd)
{
  for (guint i = 0; i < self->n_adopted; i++)
    if (self->adopted[i].fd == fd)
      return &self->adopted[i];
  return NULL;
}

static gboolean
is_adopted (MetricsEpoll *self, gconstpointer data)
{
  return (const char *) data >= (const char *) self->adopted
         && (const char *) data < (const char *) (self->adopted + MAX_ADOPTED);
}

/* Has the set wait for @events of a descriptor that was adopted. The bits are those of poll(), on Linux. */
static gboolean
fit_one (MetricsEpoll *self, Adopted *adopted, gushort events)
{
  int operation = EPOLL_CTL_MOD;

  if (adopted->events == events)
    return TRUE;
  if (events == 0)
    operation = EPOLL_CTL_DEL;
  else if (adopted->events == 0)
    operation = EPOLL_CTL_ADD;
  if (metrics_epoll_control (self, operation, adopted->fd, events, adopted) < 0)
    return FALSE;
  adopted->events = events;
  return TRUE;
}

/* Leaves in the set what is its own. */
static void
unfit (MetricsEpoll *self)
{
  for (guint i = 0; i < self->n_adopted; i++)
    fit_one (self, &self->adopted[i], 0);
  self->n_polled = 0;
}

/* Has the set wait for just what the context polls for; returns FALSE where that cannot be. */
static gboolean
fit (MetricsEpoll *self, const GPollFD *fds, guint n_fds)
{
  gushort wanted[MAX_ADOPTED] = { 0 };
  gboolean has_set = FALSE;

  self->n_polled = 0;
  if (n_fds > self->n_adopted + 1)
    return FALSE;
  for (guint i = 0; i < n_fds; i++)
    {
      Adopted *adopted = find_adopted (self, fds[i].fd);

      if (fds[i].fd == self->fd && (fds[i].events & G_IO_IN) != 0)
        has_set = TRUE;
      else if (adopted != NULL)
        wanted[adopted - self->adopted] = fds[i].events;
      else
        return FALSE;
    }
  for (guint i = 0; has_set && i < self->n_adopted; i++)
    if (!fit_one (self, &self->adopted[i], wanted[i]))
      return FALSE;
  if (!has_set)
    return FALSE;

  memcpy (self->polled, fds, n_fds * sizeof fds[0]);
  self->n_polled = n_fds;
  return TRUE;
}

static gboolean
is_fit (MetricsEpoll *self, const GPollFD *fds, guint n_fds)
{
  if (n_fds != self->n_polled)
    return FALSE;
  for (guint i = 0; i < n_fds; i++)
    if (fds[i].fd != self->polled[i].fd || fds[i].events != self->polled[i].events)
      return FALSE;
  return TRUE;
}

/* Tells the context what happened, and keeps what is the set's own; returns the number of descriptors. */
static int
hand_out (MetricsEpoll *self, GPollFD *fds, guint n_fds)
{
  int n = self->n_events, n_ready = 0;

  self->n_events = 0;
  for (int i = 0; i < n; i++)
    {
      struct epoll_event event = self->events[i];

      if (!is_adopted (self, event.data.ptr))
        {
          self->events[self->n_events++] = event;
          continue;
        }
      for (guint k = 0; k < n_fds; k++)
        if (fds[k].fd == ((Adopted *) event.data.ptr)->fd)
          fds[k].revents = event.events & (fds[k].events | G_IO_ERR | G_IO_HUP);
      n_ready++;
    }
  for (guint k = 0; self->n_events > 0 && k < n_fds; k++)
    if (fds[k].fd == self->fd)
      {
        fds[k].revents = G_IO_IN;
        n_ready++;
      }
  return n_ready;
}

static int
wait_in_set (GPollFD *fds, guint n_fds, int timeout)
{
  MetricsEpoll *self = waiting;
  int n;

  if (self == NULL)
    return g_poll (fds, n_fds, timeout);
  if (!is_fit (self, fds, n_fds) && !fit (self, fds, n_fds))
    {
      unfit (self);
      return g_poll (fds, n_fds, timeout);
    }

  for (guint i = 0; i < n_fds; i++)
    fds[i].revents = 0;
  n = epoll_wait (self->fd, self->events, METRICS_EPOLL_MAX_EVENTS, timeout);
  self->n_events = MAX (n, 0);
  return n < 0 ? n : hand_out (self, fds, n_fds);
}

/* The descriptor by which a context is woken up is the only one that it polls for before it has sources. */
static void
wait_for_context (MetricsEpoll *self, GMainContext *context)
{
  GPollFD fds[2];
  int timeout;

  if (waiting != NULL || g_main_context_get_poll_func (context) != g_poll
      || !g_main_context_acquire (context))
    return;
  if (g_main_context_query (context, G_MAXINT, &timeout, fds, G_N_ELEMENTS (fds)) == 1)
    {
      self->context = g_main_context_ref (context);
      metrics_epoll_adopt (self, fds[0].fd);
      waiting = self;
      g_main_context_set_poll_func (context, wait_in_set);
    }
  g_main_context_release (context);
}

/**
 * metrics_epoll_new:
 * @context: (nullable): the main context that is to wait in the set; %NULL for the default one. It has to
 *   be the caller's, and has to have a source that polls the set's descriptor
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a set, or %NULL with a %G_IO_ERROR
 */
MetricsEpoll *
metrics_epoll_new (GMainContext *context, GError **error)
{
  int fd = epoll_create1 (EPOLL_CLOEXEC);
  MetricsEpoll *self;

  if (fd < 0)
    {
      int saved_errno = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "epoll_create1: %s",
                   g_strerror (saved_errno));
      return NULL;
    }
  self = g_new0 (MetricsEpoll, 1);
  self->fd = fd;
  wait_for_context (self, context != NULL ? context : g_main_context_default ());
  return self;
}

/**
 * metrics_epoll_free:
 * @self: (transfer full) (nullable): a set, to be freed in the thread that made it
 */
void
metrics_epoll_free (MetricsEpoll *self)
{
  if (self == NULL)
    return;
  if (self->context != NULL)
    {
      g_main_context_set_poll_func (self->context, NULL);
      g_main_context_unref (self->context);
      waiting = NULL;
    }
  close (self->fd);
  g_free (self);
}

/**
 * metrics_epoll_get_fd:
 * @self: a set
 *
 * Returns: the descriptor that is ready to be read when one in the set is ready
 */
int
metrics_epoll_get_fd (MetricsEpoll *self)
{
  return self->fd;
}

/**
 * metrics_epoll_control:
 * @self: a set
 * @operation: as for epoll_ctl()
 * @fd: a descriptor
 * @events: what to wait for, as for epoll_ctl()
 * @data: what metrics_epoll_take() is to say of it
 *
 * Returns: -1 with errno set, as epoll_ctl()
 */
int
metrics_epoll_control (MetricsEpoll *self, int operation, int fd, guint32 events, gpointer data)
{
  struct epoll_event event = { .events = events, .data.ptr = data };

  return epoll_ctl (self->fd, operation, fd, &event);
}

/**
 * metrics_epoll_take:
 * @self: a set
 * @events: (out caller-allocates): room for %METRICS_EPOLL_MAX_EVENTS events
 *
 * Takes what the context's wait has brought; where it was not in the set, asks the kernel, without waiting.
 *
 * Returns: how many events there are; 0 for none
 */
int
metrics_epoll_take (MetricsEpoll *self, struct epoll_event *events)
{
  int n = self->n_events;

  if (n > 0)
    memcpy (events, self->events, n * sizeof events[0]);
  else if (self->n_polled == 0)
    n = epoll_wait (self->fd, events, METRICS_EPOLL_MAX_EVENTS, 0);
  self->n_events = 0;
  return MAX (n, 0);
}

/**
 * metrics_epoll_forget:
 * @self: a set
 * @data: what was given with a descriptor that has left the set
 *
 * Forgets its events that nobody has taken.
 */
void
metrics_epoll_forget (MetricsEpoll *self, gconstpointer data)
{
  int n = 0;

  for (int i = 0; i < self->n_events; i++)
    if (self->events[i].data.ptr != data)
      self->events[n++] = self->events[i];
  self->n_events = n;
}

/**
 * metrics_epoll_adopt:
 * @self: a set
 * @fd: a descriptor that other sources of the context may poll; it has to be open until it is disowned
 *
 * Lets the context wait in the set while it polls this one as well. What there is no room for is waited for
 * in the usual way.
 */
void
metrics_epoll_adopt (MetricsEpoll *self, int fd)
{
  if (self->context == NULL || self->n_adopted == MAX_ADOPTED)
    return;
  self->adopted[self->n_adopted++] = (Adopted){ .fd = fd };
}

/**
 * metrics_epoll_disown:
 * @self: a set
 * @fd: a descriptor that was adopted, or not for want of room; still open
 */
void
metrics_epoll_disown (MetricsEpoll *self, int fd)
{
  Adopted *adopted = find_adopted (self, fd);

  if (adopted == NULL)
    return;
  /* All leave the set, for they are known by their places, and return to it with the next wait. */
  unfit (self);
  *adopted = self->adopted[--self->n_adopted];
}
