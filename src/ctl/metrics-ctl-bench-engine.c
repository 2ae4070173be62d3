/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-engine.h"

#include "ctl/metrics-ctl-bench-hello.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <metrics-glib/metrics-glib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* Readiness comes from an epoll set, edge by edge: nothing is asked again that was not used up, and idle
 * connections, which are not in it, cost nothing. One connection alone needs no set while it waits for an
 * answer: its recv() waits. */
#define EVENTS_MAX 64

/* How long a wait takes before it is asked whether to go on. */
#define WAIT_MSEC 100

/* What is needed beside connections. */
#define SPARE_DESCRIPTORS 32

/* In which time a server has to take what it was sent before its connections are closed, at most. */
#define CLOSE_USEC (10 * G_USEC_PER_SEC)

struct _MetricsBenchEngine
{
  GSocketConnectable *address; /* (owned) */
  GSocketAddress *found;       /* (owned) (nullable): the one of its addresses at which there is a server */
  const MetricsBenchDialect *dialect; /* (unowned) */
  MetricsBenchCommon *common;         /* (owned) */
  guint timeout_msec;                 /* without any progress; 0 is for ever */
  GCancellable *cancellable;          /* (owned) */
  GPtrArray *links;                   /* (owned) (element-type MetricsBenchLink) */
  GPtrArray *idle;                    /* (owned) (element-type MetricsBenchLink) */
  int epoll;
  guint n_busy; /* links that have not carried out their script */
};

/**
 * metrics_bench_engine_new:
 * @address: where the server is
 * @dialect: how it is spoken to
 * @timeout_msec: how long to wait where nothing happens; 0 is for ever
 * @cancellable: ends all that takes long
 *
 * Returns: (transfer full): an engine without connections
 */
MetricsBenchEngine *
metrics_bench_engine_new (GSocketConnectable *address,
                          const MetricsBenchDialect *dialect,
                          guint timeout_msec,
                          GCancellable *cancellable)
{
  MetricsBenchEngine *self = g_new0 (MetricsBenchEngine, 1);

  self->address = g_object_ref (address);
  self->dialect = dialect;
  self->common = metrics_bench_common_new (dialect);
  self->timeout_msec = timeout_msec;
  self->cancellable = g_object_ref (cancellable);
  self->links = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_bench_link_free);
  self->idle = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_bench_link_free);
  self->epoll = -1;
  return self;
}

/**
 * metrics_bench_engine_free:
 * @self: (transfer full): an engine
 */
void
metrics_bench_engine_free (MetricsBenchEngine *self)
{
  g_ptr_array_unref (self->links);
  g_ptr_array_unref (self->idle);
  if (self->epoll >= 0)
    close (self->epoll);
  metrics_bench_common_free (self->common);
  g_clear_object (&self->found);
  g_object_unref (self->address);
  g_object_unref (self->cancellable);
  g_free (self);
}

/* Raises the limit of open files as far as this process may. */
static gboolean
reserve_descriptors (guint n, GError **error)
{
  struct rlimit limit;
  rlim_t needed = (rlim_t) n + SPARE_DESCRIPTORS;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
    return TRUE;
  limit.rlim_cur = MIN (needed, limit.rlim_max);
  if (limit.rlim_cur == needed && setrlimit (RLIMIT_NOFILE, &limit) == 0)
    return TRUE;
  g_set_error (error, METRICS_ERROR, METRICS_ERROR_CONNECT,
               ngettext ("%u connection is more than this process may have ('ulimit -n')",
                         "%u connections are more than this process may have ('ulimit -n')", n),
               n);
  return FALSE;
}

static GSocket *
try_address (MetricsBenchEngine *self, GSocketAddress *address, GError **error)
{
  GSocketFamily family = g_socket_address_get_family (address);
  g_autoptr (GSocket) socket = g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);

  if (socket == NULL)
    return NULL;
  g_socket_set_timeout (socket, (self->timeout_msec + 999) / 1000);
  if (!g_socket_connect (socket, address, self->cancellable, error))
    return NULL;
  return g_steal_pointer (&socket);
}

/* Tries all that the name stands for, once; then it is known. */
static GSocket *
find_address (MetricsBenchEngine *self, GError **error)
{
  g_autoptr (GSocketAddressEnumerator) addresses = g_socket_connectable_enumerate (self->address);
  g_autoptr (GError) last_error = NULL;

  for (;;)
    {
      g_autoptr (GError) end = NULL;
      g_autoptr (GSocketAddress) address
          = g_socket_address_enumerator_next (addresses, self->cancellable, &end);
      GSocket *socket;

      if (address == NULL)
        {
          g_propagate_error (error, end != NULL ? g_steal_pointer (&end) : g_steal_pointer (&last_error));
          return NULL;
        }
      g_clear_error (&last_error);
      socket = try_address (self, address, &last_error);
      if (socket != NULL)
        {
          self->found = g_steal_pointer (&address);
          return socket;
        }
    }
}

static MetricsBenchLink *
connect_one (MetricsBenchEngine *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (MetricsBenchLink) link = NULL;

  socket = self->found != NULL ? try_address (self, self->found, &local_error)
                               : find_address (self, &local_error);
  if (socket == NULL && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (socket == NULL)
    {
      g_set_error (error, METRICS_ERROR, METRICS_ERROR_CONNECT, _ ("cannot connect: %s"),
                   local_error != NULL ? local_error->message : _ ("there is no such address"));
      return NULL;
    }
  link = metrics_bench_link_new (socket, self->common);
  if (!metrics_bench_hello (metrics_bench_link_get_fd (link), self->dialect, self->timeout_msec,
                            self->cancellable, error))
    return NULL;
  return g_steal_pointer (&link);
}

static gboolean
connect_many (MetricsBenchEngine *self, GPtrArray *links, guint n, GError **error)
{
  if (!reserve_descriptors (self->links->len + self->idle->len + n, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      MetricsBenchLink *link = connect_one (self, error);

      if (link == NULL)
        return FALSE;
      g_ptr_array_add (links, link);
    }
  return TRUE;
}

/**
 * metrics_bench_engine_get_cancellable:
 * @self: an engine
 *
 * Returns: (transfer none): what ends all that takes long
 */
GCancellable *
metrics_bench_engine_get_cancellable (const MetricsBenchEngine *self)
{
  return self->cancellable;
}

/**
 * metrics_bench_engine_connect:
 * @self: an engine
 * @n: how many
 * @error: return location for a #GError
 *
 * Adds connections that are to do something, and waits until the server has accepted them.
 *
 * Returns: %FALSE where they are not all there
 */
gboolean
metrics_bench_engine_connect (MetricsBenchEngine *self, guint n, GError **error)
{
  guint first = self->links->len;

  if (!connect_many (self, self->links, n, error))
    return FALSE;
  if (self->epoll < 0)
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  for (guint i = first; i < self->links->len; i++)
    {
      MetricsBenchLink *link = g_ptr_array_index (self->links, i);
      struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = link };

      if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, metrics_bench_link_get_fd (link), &event) != 0)
        g_error ("epoll_ctl: %s", g_strerror (errno));
    }
  return TRUE;
}

/**
 * metrics_bench_engine_connect_idle:
 * @self: an engine
 * @n: how many
 * @error: return location for a #GError
 *
 * Adds connections that do nothing but be there.
 *
 * Returns: %FALSE where they are not all there
 */
gboolean
metrics_bench_engine_connect_idle (MetricsBenchEngine *self, guint n, GError **error)
{
  return connect_many (self, self->idle, n, error);
}

/* After an edge: all that has come, and then what may be sent. */
static gboolean
serve (MetricsBenchEngine *self, MetricsBenchLink *link, gboolean may_wait, gsize *progress, GError **error)
{
  gsize n_bytes;

  if (metrics_bench_link_is_done (link))
    return TRUE;
  do
    {
      if (!metrics_bench_link_receive (link, may_wait, &n_bytes, error)
          || !metrics_bench_link_send (link, error))
        return FALSE;
      *progress += n_bytes;
      may_wait = FALSE;
      if (metrics_bench_link_is_done (link))
        {
          self->n_busy--;
          return TRUE;
        }
    }
  while (n_bytes == METRICS_BENCH_RECEIVE_MAX);
  return TRUE;
}

static gboolean
serve_ready (MetricsBenchEngine *self, gsize *progress, GError **error)
{
  struct epoll_event events[EVENTS_MAX];
  int n = epoll_wait (self->epoll, events, EVENTS_MAX, WAIT_MSEC);

  for (int i = 0; i < n; i++)
    {
      *progress += (events[i].events & EPOLLOUT) != 0;
      if (!serve (self, events[i].data.ptr, FALSE, progress, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_time (MetricsBenchEngine *self, gint64 *last_progress, gsize progress, GError **error)
{
  /* Not at each turn: only where nothing has happened the clock matters. */
  if (progress > 0)
    *last_progress = 0;
  else if (*last_progress == 0)
    *last_progress = g_get_monotonic_time ();
  else if (self->timeout_msec > 0
           && g_get_monotonic_time () - *last_progress > (gint64) self->timeout_msec * 1000)
    {
      g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT, _ ("no answer in time"));
      return FALSE;
    }
  return !g_cancellable_set_error_if_cancelled (self->cancellable, error);
}

static gboolean
run (MetricsBenchEngine *self, GError **error)
{
  MetricsBenchLink *only = self->links->len == 1 ? g_ptr_array_index (self->links, 0) : NULL;
  gint64 last_progress = 0;

  for (guint i = 0; i < self->links->len; i++)
    if (!metrics_bench_link_send (g_ptr_array_index (self->links, i), error))
      return FALSE;
  while (self->n_busy > 0)
    {
      gboolean waits = only != NULL && metrics_bench_link_is_waiting (only);
      gsize progress = 0;

      if (!(waits ? serve (self, only, TRUE, &progress, error) : serve_ready (self, &progress, error))
          || !check_time (self, &last_progress, progress, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * metrics_bench_engine_run:
 * @self: an engine whose connections have nothing to do
 * @scripts: (element-type MetricsBenchScript): for each connection what it is to do
 * @depth: how many requests of a connection may be without an answer; 0 is as many as can be sent
 * @tally: where to count
 * @seconds: (out): how long it took, also where it was ended early
 * @error: return location for a #GError
 *
 * Carries the scripts out, all at once.
 *
 * Returns: %FALSE where that did not come to its end; a refused request is none
 */
gboolean
metrics_bench_engine_run (MetricsBenchEngine *self,
                          GPtrArray *scripts,
                          guint depth,
                          MetricsBenchTally *tally,
                          double *seconds,
                          GError **error)
{
  gint64 start;
  gboolean done;

  g_return_val_if_fail (scripts->len == self->links->len, FALSE);

  self->n_busy = 0;
  for (guint i = 0; i < scripts->len; i++)
    {
      MetricsBenchLink *link = g_ptr_array_index (self->links, i);

      metrics_bench_link_begin (link, g_ptr_array_index (scripts, i), depth, tally);
      self->n_busy += !metrics_bench_link_is_done (link);
    }
  start = g_get_monotonic_time ();
  done = run (self, error);
  *seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  return done;
}

/**
 * metrics_bench_engine_close:
 * @self: an engine
 *
 * Ends all connections, also amidst what they do. Where the server is well, it has carried out by then all
 * that it was sent: what is deleted after that does not come back.
 */
void
metrics_bench_engine_close (MetricsBenchEngine *self)
{
  gint64 wait = self->timeout_msec > 0 ? MIN ((gint64) self->timeout_msec * 1000, CLOSE_USEC) : CLOSE_USEC;
  gint64 deadline = g_get_monotonic_time () + wait;

  g_ptr_array_set_size (self->idle, 0);
  for (guint i = 0; i < self->links->len; i++)
    metrics_bench_link_drain (g_ptr_array_index (self->links, i), deadline);
  g_ptr_array_set_size (self->links, 0);
}
