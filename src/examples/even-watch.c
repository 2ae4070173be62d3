/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "even.h"

/* A bus allows each of its clients so many matches, and one is needed for each caller. */
#define MAX_CALLERS 100

static const char time_key[] = "even-watch-time";

/**
 * EvenWatch:
 *
 * Counts what a service on a bus is asked and answers, and who asks.
 *
 * A bus has no connections between a service and its callers: one is taken to be there from its first call
 * until it leaves the bus, which the bus tells. And a service is not shown each call, for GDBus answers those
 * itself that are wrong or ask for the description: a filter sees all messages.
 */
struct EvenWatch
{
  GDBusConnection *connection; /* (owned) */
  ExampleReport *report;       /* (unowned) */
  GHashTable *callers; /* (owned) (element-type utf8 guint) their names, and what watches for their end */
  guint filter;
  gboolean filter_is_gone;
};

static gsize
get_size (GDBusConnection *connection, GDBusMessage *message)
{
  gsize size = 0;

  g_free (g_dbus_message_to_blob (message, &size, g_dbus_connection_get_capabilities (connection), NULL));
  return size;
}

/* Is called for each message, in GDBus's own thread: what it touches may be touched in any. */
static GDBusMessage *
filter_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  ExampleReport *report = ((EvenWatch *) user_data)->report;
  GDBusMessageType type = g_dbus_message_get_message_type (message);

  if (incoming && type == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    {
      gint64 now = g_get_monotonic_time ();

      g_object_set_data_full (G_OBJECT (message), time_key, g_memdup2 (&now, sizeof now), g_free);
      example_report_count (report, EXAMPLE_REQUESTS, 1);
      example_report_count (report, EXAMPLE_BYTES_RECEIVED, get_size (connection, message));
    }
  else if (!incoming && (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR))
    {
      example_report_count (report, EXAMPLE_BYTES_SENT, get_size (connection, message));
      if (type == G_DBUS_MESSAGE_TYPE_ERROR)
        example_report_count (report, EXAMPLE_ERRORS, 1);
    }
  return message;
}

static void
filter_is_gone_cb (gpointer user_data)
{
  ((EvenWatch *) user_data)->filter_is_gone = TRUE;
}

/* Returns: when a call came, by g_get_monotonic_time(): now, if GDBus had it already when the filter was
 * added */
gint64
even_watch_get_time (GDBusMessage *message)
{
  const gint64 *time = g_object_get_data (G_OBJECT (message), time_key);

  return time != NULL ? *time : g_get_monotonic_time ();
}

static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  EvenWatch *self = user_data;

  if (g_hash_table_remove (self->callers, name))
    example_report_count (self->report, EXAMPLE_CONNECTIONS, -1);
}

/* Counts a caller, if it is a new one, until it leaves the bus. One above the limit is served like all
 * others, but is not counted. */
void
even_watch_add_caller (EvenWatch *self, const char *name)
{
  guint watcher;

  if (g_hash_table_contains (self->callers, name) || g_hash_table_size (self->callers) == MAX_CALLERS)
    return;
  watcher = g_bus_watch_name_on_connection (self->connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                            vanished_cb, self, NULL);
  g_hash_table_insert (self->callers, g_strdup (name), GUINT_TO_POINTER (watcher));
  example_report_count (self->report, EXAMPLE_CONNECTIONS_ACCEPTED, 1);
  example_report_count (self->report, EXAMPLE_CONNECTIONS, 1);
}

static void
unwatch (gpointer watcher)
{
  g_bus_unwatch_name (GPOINTER_TO_UINT (watcher));
}

/* Begins to count what goes through CONNECTION from now on, in REPORT, which lives longer. */
EvenWatch *
even_watch_new (GDBusConnection *connection, ExampleReport *report)
{
  EvenWatch *self = g_new0 (EvenWatch, 1);

  self->connection = g_object_ref (connection);
  self->report = report;
  self->callers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unwatch);
  self->filter = g_dbus_connection_add_filter (connection, filter_cb, self, filter_is_gone_cb);
  return self;
}

/* Ends the counting. */
void
even_watch_free (EvenWatch *self)
{
  example_report_count (self->report, EXAMPLE_CONNECTIONS, -(gint64) g_hash_table_size (self->callers));
  g_hash_table_unref (self->callers);
  /* The filter may be at work at this moment: this is told when it no longer is. */
  g_dbus_connection_remove_filter (self->connection, self->filter);
  while (!self->filter_is_gone)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (self->connection);
  g_free (self);
}
