/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-bus-host.h"

/* Joins the bus and the service of the line protocol, which do not know each other. */

static gboolean
adopt (GSocketConnection *stream, const char *name, MetricsRights rights, GError **error, gpointer user_data)
{
  return metrics_service_adopt (user_data, stream, name, rights, error);
}

static void
foreach_figure (MetricsBusFigureFunc func, gpointer func_data, gpointer user_data)
{
  metrics_service_foreach_figure (user_data, func, func_data);
}

/**
 * metrics_bus_host_new:
 * @kind: which bus
 * @store: what callers put into and read from
 * @service: what serves those who ask for a connection; it has to live as long as the bus
 * @slice: how much work is done at once for a caller, as for a client
 *
 * Returns: (transfer full): what is on no bus yet
 */
MetricsBus *
metrics_bus_host_new (MetricsBusKind kind, MetricsStore *store, MetricsService *service, guint slice)
{
  const MetricsBusHost host = {
    .adopt = adopt,
    .foreach_figure = foreach_figure,
    .slice = slice,
    .user_data = service,
  };

  return metrics_bus_new (kind, store, &host);
}

/**
 * metrics_bus_host_set_listeners:
 * @bus: a bus
 * @listeners: (element-type MetricsListener): all that are open
 *
 * Tells there where else clients are taken.
 */
void
metrics_bus_host_set_listeners (MetricsBus *bus, GPtrArray *listeners)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) addresses = NULL;

  for (guint i = 0; i < listeners->len; i++)
    {
      g_autoptr (GPtrArray) described = NULL;

      if (metrics_listener_is_http (listeners->pdata[i]))
        continue;
      described = metrics_listener_describe (listeners->pdata[i]);

      for (guint k = 0; k < described->len; k++)
        g_strv_builder_add (builder, described->pdata[k]);
    }
  addresses = g_strv_builder_end (builder);
  metrics_bus_set_addresses (bus, (const char *const *) addresses);
}
