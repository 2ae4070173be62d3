/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-collect-grid.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* How long the first slot is away at least, in microseconds: shares of a time that is too short are noise. */
#define FIRST_WAIT G_USEC_PER_SEC

struct _MetricsCollectGrid
{
  guint interval;              /* seconds */
  int timer;                   /* (owned): a timerfd of the clock on the wall */
  guint source;                /* of the timer */
  MetricsCollectGridFunc func; /* for each slot */
  gpointer user_data;          /* (unowned): for @func */
};

static gint64
floor_to_slot (gint64 now, guint interval)
{
  gint64 seconds = now / G_USEC_PER_SEC;

  return seconds - seconds % interval;
}

/**
 * metrics_collect_grid_next:
 * @now: a time after 1970, in microseconds since the Unix epoch
 * @interval: seconds between two slots, at least one
 *
 * Returns: the first slot after @now, in seconds since the Unix epoch
 */
gint64
metrics_collect_grid_next (gint64 now, guint interval)
{
  return floor_to_slot (now, interval) + interval;
}

/**
 * metrics_collect_grid_find_slot:
 * @now: a time after 1970, in microseconds since the Unix epoch
 * @interval: seconds between two slots, at least one
 * @slot: (out): the slot that was last, in seconds since the Unix epoch
 *
 * Whether what is read now may be called a reading of the slot: its first half is not over. A process that
 * was stopped, or a machine that slept, wakes up anywhere between two slots.
 *
 * Returns: %FALSE where it is too late for the slot
 */
gboolean
metrics_collect_grid_find_slot (gint64 now, guint interval, gint64 *slot)
{
  *slot = floor_to_slot (now, interval);
  return now - *slot * G_USEC_PER_SEC < (gint64) interval * G_USEC_PER_SEC / 2;
}

/* Every slot is computed from the clock anew, so that nothing adds up. */
static void
arm (MetricsCollectGrid *self, gint64 now)
{
  struct itimerspec when = { .it_value.tv_sec = metrics_collect_grid_next (now, self->interval) };

  if (timerfd_settime (self->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) != 0
      && errno != ECANCELED)
    g_error ("timerfd_settime: %s", g_strerror (errno));
}

/* The timer is also readable, with ECANCELED, when the clock was set: then the grid lies elsewhere. */
static gboolean
timer_cb (int fd, GIOCondition condition, gpointer user_data)
{
  MetricsCollectGrid *self = user_data;
  guint64 n_expired;
  gssize n = read (fd, &n_expired, sizeof n_expired);
  gint64 now = g_get_real_time ();
  gint64 slot;

  arm (self, now);
  if (n != sizeof n_expired)
    g_debug ("the clock was set");
  else if (!metrics_collect_grid_find_slot (now, self->interval, &slot))
    g_debug ("too late for the reading of %" G_GINT64_FORMAT, slot);
  else
    self->func (slot, self->user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * metrics_collect_grid_new:
 * @interval: seconds between two slots, at least one
 * @func: called at each, from the default main context
 * @user_data: for @func
 * @error: return location for a #GError
 *
 * Starts a grid. Slots are multiples of the interval since the Unix epoch. One that was missed is left out;
 * the clock may be set, forward or back. The first slot is at least a second away.
 *
 * Returns: (transfer full): the grid, or %NULL with a #GIOErrorEnum
 */
MetricsCollectGrid *
metrics_collect_grid_new (guint interval, MetricsCollectGridFunc func, gpointer user_data, GError **error)
{
  MetricsCollectGrid *self;
  int timer = timerfd_create (CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

  g_return_val_if_fail (interval >= 1, NULL);

  if (timer < 0)
    {
      int saved = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "timerfd_create: %s",
                   g_strerror (saved));
      return NULL;
    }
  self = g_new0 (MetricsCollectGrid, 1);
  self->interval = interval;
  self->timer = timer;
  self->func = func;
  self->user_data = user_data;
  self->source = g_unix_fd_add (timer, G_IO_IN, timer_cb, self);
  arm (self, g_get_real_time () + FIRST_WAIT);
  return self;
}

/**
 * metrics_collect_grid_free:
 * @self: (transfer full): a grid; there are no further calls
 */
void
metrics_collect_grid_free (MetricsCollectGrid *self)
{
  g_source_remove (self->source);
  close (self->timer);
  g_free (self);
}
