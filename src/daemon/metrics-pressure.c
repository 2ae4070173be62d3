/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-pressure.h"

#include "store/metrics-journal.h"

#include <gio/gio.h>
#include <malloc.h>

/* How much is done at a time, in units of work (see metrics_query_next()). */
#define SLICE 4096

/* What has to be written before it can leave takes a moment: how often that is looked at, in seconds, and how
 * many times. */
#define RETRY_INTERVAL 1
#define MAX_RETRIES 30

/**
 * MetricsPressure:
 *
 * Has points leave memory when the system says that it is short of it: those that are on disk. They come back
 * when somebody asks for them.
 */
struct _MetricsPressure
{
  MetricsStore *store;     /* (owned) */
  GMemoryMonitor *monitor; /* (owned) (nullable): none where GLib knows no way to hear of it */
  gulong warning_id;
  GDBusConnection *connection; /* (owned) (nullable): that of the monitor */
  GCancellable *cancellable;   /* (owned): of asking for it */
  guint source_id;             /* of the next slice, or of the next look; 0 where there is nothing to do */
  guint64 target;              /* bytes that the points may take */
  guint n_retries;             /* that are left */
};

static gboolean slice_cb (gpointer user_data);

static gboolean
retry_cb (gpointer user_data)
{
  MetricsPressure *self = user_data;

  self->source_id = g_idle_add (slice_cb, self);
  return G_SOURCE_REMOVE;
}

/* What can leave has left. */
static void
end_round (MetricsPressure *self, gboolean is_reached)
{
  MetricsJournal *journal = metrics_store_get_journal (self->store);

  /* The C library would keep what was freed for later. That takes some milliseconds for each hundred MB, in
   * which nobody is served: it is done here alone, where the system is in need. */
  malloc_trim (0);
  self->source_id = 0;
  if (is_reached || journal == NULL || self->n_retries == 0)
    return;
  self->n_retries--;
  metrics_journal_press (journal);
  self->source_id = g_timeout_add_seconds (RETRY_INTERVAL, retry_cb, self);
}

static gboolean
slice_cb (gpointer user_data)
{
  MetricsPressure *self = user_data;
  gint budget = SLICE;
  gboolean is_reached = metrics_store_evict (self->store, self->target, &budget);

  if (!is_reached && budget <= 0)
    return G_SOURCE_CONTINUE;
  end_round (self, is_reached);
  return G_SOURCE_REMOVE;
}

/* How much of what there is may stay, in quarters. */
static guint
get_quarters (GMemoryMonitorWarningLevel level)
{
  if (level >= G_MEMORY_MONITOR_WARNING_LEVEL_CRITICAL)
    return 0;
  return level >= G_MEMORY_MONITOR_WARNING_LEVEL_MEDIUM ? 2 : 3;
}

static void
warning_cb (GMemoryMonitor *monitor, GMemoryMonitorWarningLevel level, gpointer user_data)
{
  MetricsPressure *self = user_data;

  g_debug ("the system is short of memory, level %d", level);
  self->target = metrics_store_get_memory (self->store) / 4 * get_quarters (level);
  self->n_retries = MAX_RETRIES;
  g_clear_handle_id (&self->source_id, g_source_remove);
  self->source_id = g_idle_add (slice_cb, self);
}

/* The connection is one that all of GLib shares, and by default its end is that of the process: no server of
 * metrics has to stop because the bus does. */
static void
got_connection_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_finish (result, NULL);
  MetricsPressure *self = user_data;

  if (connection == NULL)
    return;
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  self->connection = g_steal_pointer (&connection);
}

/**
 * metrics_pressure_new:
 * @store: a store that has a journal
 *
 * Begins to listen for what the system says of its memory: by org.freedesktop.LowMemoryMonitor on the system
 * bus, where there is one.
 *
 * Returns: (transfer full): it
 */
MetricsPressure *
metrics_pressure_new (MetricsStore *store)
{
  MetricsPressure *self = g_new0 (MetricsPressure, 1);

  self->store = g_object_ref (store);
  self->cancellable = g_cancellable_new ();
  self->monitor = g_memory_monitor_dup_default ();
  if (self->monitor != NULL)
    {
      self->warning_id
          = g_signal_connect (self->monitor, "low-memory-warning", G_CALLBACK (warning_cb), self);
      g_bus_get (G_BUS_TYPE_SYSTEM, self->cancellable, got_connection_cb, self);
    }
  return self;
}

/**
 * metrics_pressure_free:
 * @self: (transfer full) (nullable): what metrics_pressure_new() gave
 *
 * Listens no more.
 */
void
metrics_pressure_free (MetricsPressure *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->source_id, g_source_remove);
  if (self->monitor != NULL)
    g_clear_signal_handler (&self->warning_id, self->monitor);
  g_clear_object (&self->monitor);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);
  g_object_unref (self->store);
  g_free (self);
}
