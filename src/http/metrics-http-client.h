/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-buffer.h"
#include "http/metrics-http.h"

G_BEGIN_DECLS

#define METRICS_TYPE_HTTP_CLIENT (metrics_http_client_get_type ())
G_DECLARE_FINAL_TYPE (MetricsHttpClient, metrics_http_client, METRICS, HTTP_CLIENT, GObject)

MetricsHttpClient *metrics_http_client_new (MetricsHttp *http,
                                            GSocketConnection *stream,
                                            MetricsRights rights);
gboolean metrics_http_client_start (MetricsHttpClient *self, MetricsPoller *poller, GError **error);
void metrics_http_client_refuse (MetricsHttpClient *self);
void metrics_http_client_take_limits (MetricsHttpClient *self);
void metrics_http_client_finish (MetricsHttpClient *self);
void metrics_http_client_abort (MetricsHttpClient *self);

/* For the request that it has. */
MetricsHttp *metrics_http_client_get_http (MetricsHttpClient *self);
MetricsRights metrics_http_client_get_rights (MetricsHttpClient *self);
GSocket *metrics_http_client_get_socket (MetricsHttpClient *self);
gboolean metrics_http_client_stays (MetricsHttpClient *self);
void metrics_http_client_let_go (MetricsHttpClient *self);
MetricsBuffer *metrics_http_client_get_out (MetricsHttpClient *self);
void metrics_http_client_send_bytes (MetricsHttpClient *self, GBytes *bytes);
void metrics_http_client_schedule (MetricsHttpClient *self);

G_END_DECLS
