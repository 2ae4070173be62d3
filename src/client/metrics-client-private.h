/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-channel.h"
#include <metrics-glib/metrics-client.h>

G_BEGIN_DECLS

void metrics_client_issue (MetricsClient *self, MetricsRequest *request, GCancellable *cancellable);
MetricsChannel *metrics_client_get_channel (MetricsClient *self);

gboolean metrics_client_run (MetricsClient *self,
                             MetricsRequest *request,
                             GCancellable *cancellable,
                             GError **error);
void metrics_client_start (MetricsClient *self,
                           MetricsRequest *request,
                           gpointer tag,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MetricsRequest *metrics_client_finish (MetricsClient *self,
                                       GAsyncResult *result,
                                       gpointer tag,
                                       GError **error);

GPtrArray *metrics_client_run_for_rows (MetricsClient *self,
                                        MetricsRequest *request,
                                        GCancellable *cancellable,
                                        GError **error);
GPtrArray *metrics_client_finish_rows (MetricsClient *self,
                                       GAsyncResult *result,
                                       gpointer tag,
                                       GError **error);

G_END_DECLS
