/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_LISTENER (metrics_listener_get_type ())
G_DECLARE_FINAL_TYPE (MetricsListener, metrics_listener, METRICS, LISTENER, GObject)

MetricsListener *metrics_listener_new_parse (const char *text, guint16 default_port, GError **error);
MetricsListener *metrics_listener_new_tcp (const char *host, guint16 port);
MetricsListener *metrics_listener_new_loopback (guint16 port);
MetricsListener *metrics_listener_new_passed (const char *name);

void metrics_listener_set_default_rights (MetricsListener *self, MetricsRights rights);
void metrics_listener_set_http (MetricsListener *self);
gboolean metrics_listener_is_http (MetricsListener *self);
void metrics_listener_set_default (MetricsListener *self);
gboolean metrics_listener_is_default (MetricsListener *self);
const char *metrics_listener_get_passed_name (MetricsListener *self);
gboolean metrics_listener_adopt (MetricsListener *self, int fd, GError **error);
gboolean metrics_listener_open (MetricsListener *self, GError **error);
void metrics_listener_close (MetricsListener *self);

GPtrArray *metrics_listener_get_sockets (MetricsListener *self);
GPtrArray *metrics_listener_describe (MetricsListener *self);
MetricsRights metrics_listener_get_rights (MetricsListener *self, GSocket *peer);

G_END_DECLS
