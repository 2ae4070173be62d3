/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-connect.h"

#include <errno.h>

/* What ends a wait without a main context when it takes too long. GIO has no limit for that: a bus that
 * accepts and says nothing would keep the server from starting, and from saying why, for ever. */
typedef struct
{
  GCancellable *cancellable; /* (owned) */
  gint64 end;                /* monotonic time */
  GMutex mutex;
  GCond cond;
  gboolean is_over; /* by the mutex: whether nothing is waited for any more */
} Patience;

static gpointer
wait_in_thread (gpointer user_data)
{
  Patience *self = user_data;
  gboolean is_late = FALSE;

  g_mutex_lock (&self->mutex);
  while (!self->is_over && !is_late)
    is_late = !g_cond_wait_until (&self->cond, &self->mutex, self->end);
  is_late = !self->is_over;
  g_mutex_unlock (&self->mutex);
  if (is_late)
    g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
end_wait (Patience *self, GThread *thread)
{
  g_mutex_lock (&self->mutex);
  self->is_over = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (thread);
}

/**
 * metrics_bus_connect_sync:
 * @type: which bus
 * @patience: for how long it is waited for, in milliseconds
 * @error: return location for a #GError
 *
 * Connects to a bus, with a connection of the caller's own.
 *
 * Returns: (transfer full): it, or %NULL where there is no bus, or it does not answer
 */
GDBusConnection *
metrics_bus_connect_sync (GBusType type, guint patience, GError **error)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (type, NULL, error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Patience wait = { .cancellable = cancellable };
  GDBusConnection *connection;
  GThread *thread;

  if (address == NULL)
    return NULL;
  wait.end = g_get_monotonic_time () + patience * G_TIME_SPAN_MILLISECOND;
  g_mutex_init (&wait.mutex);
  g_cond_init (&wait.cond);
  thread = g_thread_new ("patience", wait_in_thread, &wait);
  connection = g_dbus_connection_new_for_address_sync (address, METRICS_BUS_CONNECTION_FLAGS, NULL,
                                                       cancellable, error);
  end_wait (&wait, thread);
  g_mutex_clear (&wait.mutex);
  g_cond_clear (&wait.cond);
  if (connection == NULL && g_cancellable_is_cancelled (cancellable))
    {
      g_clear_error (error);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, g_strerror (ETIMEDOUT));
    }
  return connection;
}
