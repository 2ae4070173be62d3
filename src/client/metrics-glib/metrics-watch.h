/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <metrics-glib/metrics-client.h>

G_BEGIN_DECLS

#define METRICS_TYPE_WATCH (metrics_watch_get_type ())
G_DECLARE_FINAL_TYPE (MetricsWatch, metrics_watch, METRICS, WATCH, GObject)

MetricsWatch *metrics_watch_new (MetricsClient *client, const char *const *patterns);

MetricsClient *metrics_watch_get_client (MetricsWatch *self);
const char *const *metrics_watch_get_patterns (MetricsWatch *self);
gboolean metrics_watch_get_reconnect (MetricsWatch *self);
guint metrics_watch_get_queue_limit (MetricsWatch *self);
gboolean metrics_watch_get_online (MetricsWatch *self);

GPtrArray *metrics_watch_next (MetricsWatch *self,
                               guint64 *n_dropped,
                               gboolean *gap,
                               GCancellable *cancellable,
                               GError **error);
void metrics_watch_next_async (MetricsWatch *self,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
GPtrArray *metrics_watch_next_finish (MetricsWatch *self,
                                      GAsyncResult *result,
                                      guint64 *n_dropped,
                                      gboolean *gap,
                                      GError **error);

void metrics_watch_close (MetricsWatch *self);

G_END_DECLS
