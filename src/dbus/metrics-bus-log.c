/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-log.h"

#include "common/metrics-log.h"
#include "common/metrics-names.h"
#include "store/metrics-store-log.h"

#include <glib/gi18n.h>

/**
 * metrics_bus_log_name_owned:
 *
 * Says that the server can be called on the system bus again.
 */
void
metrics_bus_log_name_owned (void)
{
  metrics_log (METRICS_EVENT_NAME_OWNED, METRICS_FIELDS (METRICS_TEXT (NAME, METRICS_BUS_NAME)),
               _ ("on the system bus again"));
}

/**
 * metrics_bus_log_name_lost:
 * @kind: on which bus it was
 *
 * Says that the bus has gone, and what comes of it.
 */
void
metrics_bus_log_name_lost (MetricsBusKind kind)
{
  metrics_log (METRICS_EVENT_NAME_LOST, METRICS_FIELDS (METRICS_TEXT (NAME, METRICS_BUS_NAME)), "%s",
               kind == METRICS_BUS_SESSION ? _ ("the session bus is gone: stopping")
                                           : _ ("the system bus is gone: waiting for it"));
}

static char *
name_caller (const MetricsBusCaller *caller)
{
  if (caller->has_uid)
    return g_strdup_printf ("%s,uid=%ld", caller->name, (long) caller->uid);
  return g_strdup (caller->name);
}

/**
 * metrics_bus_log_refused_put:
 * @call: a call that puts
 * @error: why the store has refused a point of it
 *
 * Says so, where that is for a limit.
 */
void
metrics_bus_log_refused_put (const MetricsBusCall *call, const GError *error)
{
  g_autofree char *client = NULL;

  if (!metrics_store_log_is_due (error))
    return;
  client = name_caller (call->caller);
  metrics_store_log_refused_put (call->object->store, error, client);
}

/**
 * metrics_bus_log_denied:
 * @call: a call that is refused, as its caller may not do that
 *
 * Says so.
 */
void
metrics_bus_log_denied (const MetricsBusCall *call)
{
  const char *right = call->action != NULL ? call->action : "?";
  g_autofree char *client = NULL;

  if (!metrics_log_is_due (METRICS_EVENT_CLIENT_DENIED))
    return;
  client = name_caller (call->caller);
  metrics_log (METRICS_EVENT_CLIENT_DENIED,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_TEXT (RIGHT, right)),
               /* Translators: the right is 'read', 'put' or 'delete', as in the configuration, or the name of
                * an action of polkit */
               _ ("client %s is refused: it does not have the right '%s'"), client, right);
}
