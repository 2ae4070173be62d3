/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-watch.h"

/* Nothing is told of yet. What a caller watches hangs on MetricsBusCaller.watches, which is freed when it
 * leaves the bus, or when the bus is gone. */

static gboolean
refuse (GDBusMethodInvocation *invocation)
{
  g_dbus_method_invocation_return_error_literal (invocation, G_DBUS_ERROR, G_DBUS_ERROR_NOT_SUPPORTED,
                                                 "watching is not supported");
  return TRUE;
}

/**
 * metrics_bus_watch_handle_watch:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @pattern: a string
 * @interval_ms: milliseconds between signals
 * @options: options
 *
 * Handles Watch().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_watch_handle_watch (MetricsBusService *service,
                                GDBusMethodInvocation *invocation,
                                const char *pattern,
                                guint interval_ms,
                                GVariant *options)
{
  return refuse (invocation);
}

/**
 * metrics_bus_watch_handle_unwatch:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @id: the number of a watch
 * @options: options
 *
 * Handles Unwatch().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_watch_handle_unwatch (MetricsBusService *service,
                                  GDBusMethodInvocation *invocation,
                                  guint64 id,
                                  GVariant *options)
{
  return refuse (invocation);
}

/**
 * metrics_bus_watches_free:
 * @watches: (transfer full): what a caller watched
 *
 * Its caller has left: nothing more is told.
 */
void
metrics_bus_watches_free (MetricsBusWatches *watches)
{
}
