/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-idle.h"

/* A server that is started again when somebody calls need not stay.
 *
 * It leaves so that no call is lost. Clients who come to a socket that was passed wait in the kernel's queue,
 * which is whose the socket is, and not the server's. On the bus, the name is given back first: who calls it
 * from then on has the bus start another server, which waits for the folder. Who called it before is
 * answered, and so is, for a while yet, who still calls this server by its unique name. The service manager
 * is told even before that: it would take a server that is about to go for one that runs, and start none.
 * There is no way back then; who has come in between and would stay gets a few seconds. */

/* How long who has not yet heard that the name was given back may call by the unique name, in milliseconds;
 * and how often it is waited for so long where there is something to do still: the next server waits for the
 * folder, and all of this has to fit into its patience. */
#define LINGER 100
#define MAX_LINGERS 30

/* How long to wait until what was put last is on disk, in milliseconds: the first time, and at most. */
#define MIN_SAVING 20
#define MAX_SAVING 1000

/* How long the service manager has to hear of it first, in milliseconds: it is told by another thread. */
#define TELLING 20

typedef enum
{
  STEP_WATCH,  /* looks whether there has been something to do */
  STEP_TOLD,   /* the service manager was told */
  STEP_LINGER, /* the name was given back */
} IdleStep;

/**
 * MetricsIdle:
 *
 * Notices that there has been nothing to do for so long that the server can leave.
 */
struct _MetricsIdle
{
  MetricsIdleParts parts;
  gint64 span; /* in microseconds */
  MetricsIdleFuncs funcs;

  IdleStep step;
  guint source_id; /* until it is looked at again */
  guint saving;    /* how long is waited for the disk, in milliseconds */
  guint n_lingers; /* how often it was waited since the name was given back */
};

static gboolean check_cb (gpointer user_data);

static void
check_in (MetricsIdle *self, gint64 usec)
{
  g_assert (self->source_id == 0);

  self->source_id = g_timeout_add (MAX (usec, 0) / G_TIME_SPAN_MILLISECOND + 1, check_cb, self);
}

/* Returns: since when there has been nothing to do, or G_MAXINT64 while there is something */
static gint64
get_quiet_since (MetricsIdle *self)
{
  gint64 since = metrics_service_get_quiet_since (self->parts.service);

  if (metrics_store_get_n_watchers (self->parts.store) > 0
      || (self->parts.bus != NULL && metrics_bus_is_busy (self->parts.bus)))
    return G_MAXINT64;
  return self->parts.bus != NULL ? MAX (since, metrics_bus_get_last_call (self->parts.bus)) : since;
}

/* Whether all is on disk; else it will soon be, if it can. */
static gboolean
is_saved (MetricsIdle *self)
{
  MetricsStorageFigures figures = { 0 };

  metrics_storage_get_figures (self->parts.storage, &figures);
  if (figures.pending == 0)
    {
      self->saving = MIN_SAVING;
      return TRUE;
    }
  metrics_journal_flush (METRICS_JOURNAL (self->parts.storage));
  check_in (self, self->saving * G_TIME_SPAN_MILLISECOND);
  self->saving = MIN (self->saving * 2, MAX_SAVING);
  return FALSE;
}

static void
leave (MetricsIdle *self)
{
  /* In the same moment in which nobody waited to be accepted. */
  metrics_service_stop_accepting (self->parts.service);
  g_debug ("nothing to do for %" G_GINT64_FORMAT " s: leaving", self->span / G_TIME_SPAN_SECOND);
  self->funcs.leave (self->funcs.user_data);
}

static void
released_cb (gpointer user_data)
{
  check_in (user_data, LINGER * G_TIME_SPAN_MILLISECOND);
}

static void
watch (MetricsIdle *self)
{
  gint64 since = get_quiet_since (self);
  gint64 now = g_get_monotonic_time ();

  if (since == G_MAXINT64)
    check_in (self, self->span);
  else if (since + self->span > now)
    check_in (self, since + self->span - now);
  else if (is_saved (self))
    {
      self->step = STEP_TOLD;
      if (self->funcs.leaving != NULL)
        self->funcs.leaving (self->funcs.user_data);
      check_in (self, TELLING * G_TIME_SPAN_MILLISECOND);
    }
}

static void
linger (MetricsIdle *self)
{
  if (get_quiet_since (self) == G_MAXINT64 && ++self->n_lingers < MAX_LINGERS)
    check_in (self, LINGER * G_TIME_SPAN_MILLISECOND);
  else
    leave (self);
}

static void
give_name_back (MetricsIdle *self)
{
  self->step = STEP_LINGER;
  if (self->parts.bus == NULL || !metrics_bus_release (self->parts.bus, released_cb, self))
    linger (self);
}

static gboolean
check_cb (gpointer user_data)
{
  MetricsIdle *self = user_data;

  self->source_id = 0;
  if (self->step == STEP_WATCH)
    watch (self);
  else if (self->step == STEP_TOLD)
    give_name_back (self);
  else
    linger (self);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_idle_new:
 * @parts: what has to have nothing to do; copied
 * @seconds: for how long, at least 1
 * @funcs: what to do then; copied
 *
 * Looks at it from the default main context.
 *
 * Returns: (transfer full): it
 */
MetricsIdle *
metrics_idle_new (const MetricsIdleParts *parts, guint seconds, const MetricsIdleFuncs *funcs)
{
  MetricsIdle *self = g_new0 (MetricsIdle, 1);

  g_assert (seconds > 0);

  self->parts = *parts;
  self->span = seconds * G_TIME_SPAN_SECOND;
  self->funcs = *funcs;
  self->saving = MIN_SAVING;
  check_in (self, self->span);
  return self;
}

/**
 * metrics_idle_free:
 * @self: (transfer full) (nullable): it
 *
 * Looks no more.
 */
void
metrics_idle_free (MetricsIdle *self)
{
  if (self == NULL)
    return;
  if (self->parts.bus != NULL)
    metrics_bus_release (self->parts.bus, NULL, NULL);
  g_clear_handle_id (&self->source_id, g_source_remove);
  g_free (self);
}
