/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-config.h"
#include "server/metrics-service.h"
#include "storage/metrics-storage.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpFront MetricsHttpFront;

MetricsHttpFront *metrics_http_front_new (MetricsStore *store,
                                          MetricsService *service,
                                          MetricsStorage *storage,
                                          const MetricsConfig *config);
void metrics_http_front_free (MetricsHttpFront *self);
GPtrArray *metrics_http_front_describe (MetricsListener *listener);
void metrics_http_front_configure (MetricsHttpFront *self, const MetricsConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpFront, metrics_http_front_free)

G_END_DECLS
