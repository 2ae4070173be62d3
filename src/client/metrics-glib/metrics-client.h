/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <metrics-glib/metrics-batch.h>
#include <metrics-glib/metrics-error.h>
#include <metrics-glib/metrics-key-info.h>
#include <metrics-glib/metrics-sample.h>

G_BEGIN_DECLS

/**
 * MetricsFunction:
 * @METRICS_FUNCTION_AVG: the mean
 * @METRICS_FUNCTION_MIN: the smallest value
 * @METRICS_FUNCTION_MAX: the largest value
 * @METRICS_FUNCTION_SUM: the sum
 * @METRICS_FUNCTION_COUNT: how many points there are
 * @METRICS_FUNCTION_FIRST: the value of the oldest point
 * @METRICS_FUNCTION_LAST: the value of the newest point
 * @METRICS_FUNCTION_MEDIAN: the 50th percentile, by nearest rank
 * @METRICS_FUNCTION_P95: the 95th percentile, by nearest rank
 * @METRICS_FUNCTION_P99: the 99th percentile, by nearest rank
 * @METRICS_FUNCTION_RATE: how much a counter rose for each unit of time (by convention a second); where it
 * fell it is taken to have started anew from zero. Buckets without a rise to measure give no sample
 *
 * What [method@Client.range_buckets] reduces the points of a bucket to.
 *
 * The nicks of the values are their names in the line protocol and on command lines: `avg`, `p95`.
 *
 * Since: 0.1
 */
typedef enum
{
  METRICS_FUNCTION_AVG,
  METRICS_FUNCTION_MIN,
  METRICS_FUNCTION_MAX,
  METRICS_FUNCTION_SUM,
  METRICS_FUNCTION_COUNT,
  METRICS_FUNCTION_FIRST,
  METRICS_FUNCTION_LAST,
  METRICS_FUNCTION_MEDIAN,
  METRICS_FUNCTION_P95,
  METRICS_FUNCTION_P99,
  METRICS_FUNCTION_RATE,
} MetricsFunction;

/**
 * METRICS_TIME_MIN:
 *
 * As the start of a span: from the beginning.
 *
 * Since: 0.1
 */
#define METRICS_TIME_MIN (-G_GINT64_CONSTANT (9223372036854775807) - 1)

/**
 * METRICS_TIME_MAX:
 *
 * As the end of a span: to the end.
 *
 * Since: 0.1
 */
#define METRICS_TIME_MAX G_GINT64_CONSTANT (9223372036854775807)

/**
 * MetricsSampleFunc:
 * @sample: the sample; it and its key are valid until the function returns
 * @user_data: what was given to [method@Client.foreach]
 *
 * Is called for each sample of a long answer, as it arrives.
 *
 * Returns: %TRUE to go on, %FALSE to end early
 *
 * Since: 0.1
 */
typedef gboolean (*MetricsSampleFunc) (const MetricsSample *sample, gpointer user_data);

#define METRICS_TYPE_CLIENT (metrics_client_get_type ())
G_DECLARE_FINAL_TYPE (MetricsClient, metrics_client, METRICS, CLIENT, GObject)

MetricsClient *metrics_client_new (const char *address);
MetricsClient *metrics_client_new_for_bus (GBusType bus_type);

const char *metrics_client_get_address (MetricsClient *self);
guint metrics_client_get_timeout (MetricsClient *self);
void metrics_client_set_timeout (MetricsClient *self, guint milliseconds);
gboolean metrics_client_get_interactive (MetricsClient *self);
void metrics_client_set_interactive (MetricsClient *self, gboolean interactive);
void metrics_client_close (MetricsClient *self);

gboolean metrics_client_ping (MetricsClient *self, GCancellable *cancellable, GError **error);
void metrics_client_ping_async (MetricsClient *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean metrics_client_ping_finish (MetricsClient *self, GAsyncResult *result, GError **error);

gboolean metrics_client_put (MetricsClient *self,
                             const char *key,
                             double value,
                             gint64 timestamp,
                             GCancellable *cancellable,
                             GError **error);
void metrics_client_put_async (MetricsClient *self,
                               const char *key,
                               double value,
                               gint64 timestamp,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean metrics_client_put_finish (MetricsClient *self, GAsyncResult *result, GError **error);

gboolean metrics_client_put_now (MetricsClient *self,
                                 const char *key,
                                 double value,
                                 GCancellable *cancellable,
                                 GError **error);
void metrics_client_put_now_async (MetricsClient *self,
                                   const char *key,
                                   double value,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean metrics_client_put_now_finish (MetricsClient *self, GAsyncResult *result, GError **error);

gboolean metrics_client_put_batch (MetricsClient *self,
                                   MetricsBatch *batch,
                                   GCancellable *cancellable,
                                   GError **error);
void metrics_client_put_batch_async (MetricsClient *self,
                                     MetricsBatch *batch,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean metrics_client_put_batch_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_get (MetricsClient *self,
                               const char *key,
                               GCancellable *cancellable,
                               GError **error);
void metrics_client_get_async (MetricsClient *self,
                               const char *key,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
GPtrArray *metrics_client_get_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_get_all (MetricsClient *self, GCancellable *cancellable, GError **error);
void metrics_client_get_all_async (MetricsClient *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
GPtrArray *metrics_client_get_all_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_last (MetricsClient *self,
                                const char *pattern,
                                GCancellable *cancellable,
                                GError **error);
void metrics_client_last_async (MetricsClient *self,
                                const char *pattern,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
GPtrArray *metrics_client_last_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_range (MetricsClient *self,
                                 const char *pattern,
                                 gint64 from,
                                 gint64 to,
                                 GCancellable *cancellable,
                                 GError **error);
void metrics_client_range_async (MetricsClient *self,
                                 const char *pattern,
                                 gint64 from,
                                 gint64 to,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
GPtrArray *metrics_client_range_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_range_buckets (MetricsClient *self,
                                         const char *pattern,
                                         gint64 from,
                                         gint64 to,
                                         gint64 step,
                                         MetricsFunction function,
                                         GCancellable *cancellable,
                                         GError **error);
void metrics_client_range_buckets_async (MetricsClient *self,
                                         const char *pattern,
                                         gint64 from,
                                         gint64 to,
                                         gint64 step,
                                         MetricsFunction function,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
GPtrArray *metrics_client_range_buckets_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GPtrArray *metrics_client_keys (MetricsClient *self,
                                const char *pattern,
                                GCancellable *cancellable,
                                GError **error);
void metrics_client_keys_async (MetricsClient *self,
                                const char *pattern,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
GPtrArray *metrics_client_keys_finish (MetricsClient *self, GAsyncResult *result, GError **error);

gboolean metrics_client_delete (MetricsClient *self,
                                const char *pattern,
                                guint64 *n_points,
                                GCancellable *cancellable,
                                GError **error);
void metrics_client_delete_async (MetricsClient *self,
                                  const char *pattern,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean metrics_client_delete_finish (MetricsClient *self,
                                       GAsyncResult *result,
                                       guint64 *n_points,
                                       GError **error);

gboolean metrics_client_delete_range (MetricsClient *self,
                                      const char *pattern,
                                      gint64 from,
                                      gint64 to,
                                      guint64 *n_points,
                                      GCancellable *cancellable,
                                      GError **error);
void metrics_client_delete_range_async (MetricsClient *self,
                                        const char *pattern,
                                        gint64 from,
                                        gint64 to,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
gboolean metrics_client_delete_range_finish (MetricsClient *self,
                                             GAsyncResult *result,
                                             guint64 *n_points,
                                             GError **error);

gboolean metrics_client_flush (MetricsClient *self, GCancellable *cancellable, GError **error);
void metrics_client_flush_async (MetricsClient *self,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean metrics_client_flush_finish (MetricsClient *self, GAsyncResult *result, GError **error);

GHashTable *metrics_client_stats (MetricsClient *self, GCancellable *cancellable, GError **error);
void metrics_client_stats_async (MetricsClient *self,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
GHashTable *metrics_client_stats_finish (MetricsClient *self, GAsyncResult *result, GError **error);

gboolean metrics_client_foreach (MetricsClient *self,
                                 const char *pattern,
                                 gint64 from,
                                 gint64 to,
                                 MetricsSampleFunc func,
                                 gpointer user_data,
                                 GCancellable *cancellable,
                                 GError **error);

G_END_DECLS
