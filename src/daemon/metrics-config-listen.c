/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config.h"

#include "common/metrics-names.h"
#include "server/metrics-listener.h"

/* Where a configuration says to listen. */

/* Whom polkit would not let delete on the bus is not to do it by the next best port. */
static void
add_listener (MetricsConfig *self, MetricsBusKind bus, MetricsListener *listener, gboolean is_default)
{
  if (bus == METRICS_BUS_SYSTEM)
    metrics_listener_set_default_rights (listener, METRICS_RIGHTS_READ | METRICS_RIGHTS_PUT);
  if (is_default)
    metrics_listener_set_default (listener);
  g_ptr_array_add (self->listeners, listener);
}

static gboolean
is_given (const MetricsConfig *self, MetricsSettingId id)
{
  return metrics_settings_get_origin (self->settings, id) != NULL;
}

static gboolean
make_line_listeners (MetricsConfig *self, MetricsBusKind bus, GError **error)
{
  const char *const *hosts = metrics_settings_get_texts (self->settings, METRICS_SETTING_HOST);
  const char *const *addresses = metrics_settings_get_texts (self->settings, METRICS_SETTING_LISTEN);
  gboolean has_port = is_given (self, METRICS_SETTING_PORT);
  guint16 port = metrics_settings_get_number (self->settings, METRICS_SETTING_PORT);

  for (guint i = 0; hosts[i] != NULL; i++)
    add_listener (self, bus, metrics_listener_new_tcp (hosts[i], port), FALSE);
  if (hosts[0] == NULL && ((addresses[0] == NULL && bus != METRICS_BUS_SESSION) || has_port))
    add_listener (self, bus, metrics_listener_new_loopback (port), !has_port);

  for (guint i = 0; addresses[i] != NULL; i++)
    {
      MetricsListener *listener = metrics_listener_new_parse (addresses[i], METRICS_DEFAULT_PORT, error);

      if (listener == NULL)
        return FALSE;
      add_listener (self, bus, listener, FALSE);
    }
  return TRUE;
}

#if HAVE_HTTP

static void
add_http_listener (MetricsConfig *self, MetricsBusKind bus, MetricsListener *listener, gboolean is_default)
{
  metrics_listener_set_http (listener);
  add_listener (self, bus, listener, is_default);
}

static gboolean
make_http_listeners (MetricsConfig *self, MetricsBusKind bus, GError **error)
{
  const char *const *addresses = metrics_settings_get_texts (self->settings, METRICS_SETTING_HTTP_LISTEN);
  gboolean has_port = is_given (self, METRICS_SETTING_HTTP_PORT);
  guint16 port = metrics_settings_get_number (self->settings, METRICS_SETTING_HTTP_PORT);

  self->has_http = metrics_settings_get_number (self->settings, METRICS_SETTING_NO_HTTP) == 0;
  if (!self->has_http)
    return TRUE;
  if ((addresses[0] == NULL && bus != METRICS_BUS_SESSION) || has_port)
    add_http_listener (self, bus, metrics_listener_new_loopback (port), !has_port);

  for (guint i = 0; addresses[i] != NULL; i++)
    {
      MetricsListener *listener = metrics_listener_new_parse (addresses[i], METRICS_DEFAULT_HTTP_PORT, error);

      if (listener == NULL)
        return FALSE;
      add_http_listener (self, bus, listener, FALSE);
    }
  return TRUE;
}

#else

static gboolean
make_http_listeners (MetricsConfig *self, MetricsBusKind bus, GError **error)
{
  return TRUE;
}

#endif

/**
 * metrics_config_make_listeners:
 * @self: a configuration that is right
 * @bus: on which bus the server is
 * @error: return location for a #GError
 *
 * Makes @listeners: once, at a start. They are not opened.
 *
 * Returns: %FALSE where an address is none any more
 */
gboolean
metrics_config_make_listeners (MetricsConfig *self, MetricsBusKind bus, GError **error)
{
  return make_line_listeners (self, bus, error) && make_http_listeners (self, bus, error);
}
