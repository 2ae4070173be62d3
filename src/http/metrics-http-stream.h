/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-request.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpStreams MetricsHttpStreams;

MetricsHttpStreams *metrics_http_streams_get (MetricsHttp *http);
void metrics_http_streams_begin (MetricsHttpStreams *self, MetricsHttpRequest *request);
guint metrics_http_streams_get_n_open (const MetricsHttpStreams *self);

G_END_DECLS
