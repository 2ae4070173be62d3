/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-accept-guard.h"

#include "common/metrics-log.h"

#include <glib/gi18n.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* Keeps GSocketServices from accepting what there is no descriptor for.
 *
 * GSocketService accepts again after every error. When descriptors have run out, accept() fails at once and
 * the client stays in the queue, so that is a busy loop, with a warning each time round. It cannot be told of
 * the error, so it is looked after in two ways.
 *
 * After each client that was accepted (metrics_accept_guard_accepted()) its service is stopped where only the
 * reserve is left, or clients are not wanted for now; the others stop when they have accepted one more each.
 * A service is stopped at no other time, for g_socket_service_stop() cancels the accept that is pending, and
 * a client that waits would be accepted and dropped all the same.
 *
 * And whenever a client waits, the guard's check, which comes first for its priority, asks the kernel for a
 * descriptor. When there is none at all, all services are stopped: nobody can be accepted and dropped then.
 *
 * Clients then wait in the kernel's queue, and a timer looks again. The check itself is all that the guard
 * does while all is well: it is never ready then, and so never keeps a source of lower priority from its
 * turn. */

/* Descriptors that are kept for what the server opens besides clients. */
#define RESERVE 8

/* How often to look whether descriptors have come back. */
#define RETRY_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  GSource parent;

  GPtrArray *services; /* (owned) (element-type GSocketService) */
  GPtrArray *polls;    /* (owned) (element-type GPollFD): of their sockets */
  gboolean open;       /* whether clients are wanted at all */
  gboolean exhausted;  /* whether descriptors have run out */
} MetricsAcceptGuard;

/**
 * metrics_accept_guard_get_n_free:
 *
 * Returns: how many descriptors clients can still be given: those behind the first one that is free, as the
 * kernel takes the lowest, but for a reserve. The limit can be changed from outside at any time (prlimit), so
 * it is asked for each time.
 */
guint
metrics_accept_guard_get_n_free (void)
{
  struct rlimit limit;
  /* A new file, not a duplicate: those of the whole system can run out as well (ENFILE), or its memory. */
  int fd = eventfd (0, EFD_CLOEXEC);
  rlim_t n_free;

  if (fd < 0)
    return 0;
  close (fd);
  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return G_MAXINT;
  n_free = limit.rlim_cur > (rlim_t) fd + RESERVE ? limit.rlim_cur - fd - RESERVE : 0;
  return MIN (n_free, G_MAXINT);
}

static gboolean
has_descriptor (void)
{
  int fd = eventfd (0, EFD_CLOEXEC);

  if (fd < 0)
    return FALSE;
  close (fd);
  return TRUE;
}

/* While a service does not accept, its socket is not listened to either: a client that waits would wake the
 * loop for ever. */
static void
set_active (MetricsAcceptGuard *self, guint i, gboolean active)
{
  GSocketService *service = self->services->pdata[i];

  ((GPollFD *) self->polls->pdata[i])->events = active ? G_IO_IN : 0;
  if (active == g_socket_service_is_active (service))
    return;
  if (active)
    g_socket_service_start (service);
  else
    g_socket_service_stop (service);
}

static void
set_all_active (MetricsAcceptGuard *self, gboolean active)
{
  for (guint i = 0; i < self->services->len; i++)
    set_active (self, i, active);
}

static void
set_exhausted (MetricsAcceptGuard *self, gboolean exhausted)
{
  if (exhausted && !self->exhausted)
    metrics_log (METRICS_EVENT_DESCRIPTORS_GONE, METRICS_NO_FIELDS,
                 _ ("no file descriptors left: new clients have to wait"));
  else if (!exhausted && self->exhausted)
    metrics_log (METRICS_EVENT_DESCRIPTORS_BACK, METRICS_NO_FIELDS, _ ("there are file descriptors again"));
  self->exhausted = exhausted;
  g_source_set_ready_time ((GSource *) self, exhausted ? g_get_monotonic_time () + RETRY_INTERVAL : -1);
}

static gboolean
accept_guard_check (GSource *source)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) source;

  for (guint i = 0; i < self->polls->len; i++)
    if (((GPollFD *) self->polls->pdata[i])->revents != 0)
      return !has_descriptor ();
  return FALSE;
}

static gboolean
accept_guard_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) source;

  set_exhausted (self, metrics_accept_guard_get_n_free () == 0);
  if (!has_descriptor ())
    set_all_active (self, FALSE);
  else if (!self->exhausted && self->open)
    set_all_active (self, TRUE);
  return G_SOURCE_CONTINUE;
}

static void
accept_guard_finalize (GSource *source)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) source;

  g_ptr_array_unref (self->services);
  g_ptr_array_unref (self->polls);
}

static GSourceFuncs accept_guard_funcs = {
  .check = accept_guard_check,
  .dispatch = accept_guard_dispatch,
  .finalize = accept_guard_finalize,
};

/**
 * metrics_accept_guard_new:
 *
 * Returns: (transfer full): a guard, attached to the default main context
 */
GSource *
metrics_accept_guard_new (void)
{
  GSource *source = g_source_new (&accept_guard_funcs, sizeof (MetricsAcceptGuard));
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) source;

  self->services = g_ptr_array_new_with_free_func (g_object_unref);
  self->polls = g_ptr_array_new_with_free_func (g_free);
  self->open = TRUE;
  g_source_set_static_name (source, "MetricsAcceptGuard");
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_attach (source, NULL);
  return source;
}

/**
 * metrics_accept_guard_add:
 * @guard: a guard
 * @service: a service that is active
 * @socket: the socket that it listens on; it has to be open until the guard is destroyed
 *
 * Looks after a service.
 */
void
metrics_accept_guard_add (GSource *guard, GSocketService *service, GSocket *socket)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) guard;
  GPollFD *poll = g_new0 (GPollFD, 1);

  /* Not g_source_add_unix_fd(): a source is dispatched for those whatever its check says. */
  poll->fd = g_socket_get_fd (socket);
  g_ptr_array_add (self->polls, poll);
  g_ptr_array_add (self->services, g_object_ref (service));
  g_source_add_poll (guard, poll);
  set_active (self, self->services->len - 1, TRUE);
}

/**
 * metrics_accept_guard_set_open:
 * @guard: a guard
 * @open: whether clients are wanted
 *
 * Has the services accept clients, as long as there are descriptors for them, or leave them in the kernel's
 * queue; each can still accept one more.
 */
void
metrics_accept_guard_set_open (GSource *guard, gboolean open)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) guard;

  if (self->open == open)
    return;
  self->open = open;
  if (open && !self->exhausted)
    set_all_active (self, TRUE);
}

/**
 * metrics_accept_guard_accepted:
 * @guard: a guard
 * @service: the service that has just accepted a client, from its handler of #GSocketService::incoming
 *
 * Stops the service where no more clients are to be accepted for now.
 */
void
metrics_accept_guard_accepted (GSource *guard, GSocketService *service)
{
  MetricsAcceptGuard *self = (MetricsAcceptGuard *) guard;
  guint i;

  if (!self->exhausted && metrics_accept_guard_get_n_free () == 0)
    set_exhausted (self, TRUE);
  if ((self->exhausted || !self->open) && g_ptr_array_find (self->services, service, &i))
    set_active (self, i, FALSE);
}
