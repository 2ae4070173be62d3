/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-poller.h"
#include "common/metrics-rights.h"
#include "store/metrics-disk.h"
#include "store/metrics-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_HTTP (metrics_http_get_type ())
G_DECLARE_FINAL_TYPE (MetricsHttp, metrics_http, METRICS, HTTP, GObject)

/**
 * MetricsHttpLimits:
 * @unsent: bytes of answers that a client may leave untaken before no more is made
 * @slice: units of work that a client gets at once: about a point each
 * @line_timeout: seconds in which a head has to be complete, and in which a part of a body has to come
 * @answer_timeout: seconds in which an answer has to be taken
 * @idle_timeout: seconds without a request after which a client is sent away; 0 for what is usual
 *
 * What a client can make the server hold or do at most.
 */
typedef struct
{
  guint unsent;
  guint slice;
  guint line_timeout;
  guint answer_timeout;
  guint idle_timeout;
} MetricsHttpLimits;

/**
 * MetricsHttpFigures:
 * @clients: how many there are, now
 * @requests: how many were answered since the start
 * @client_errors: how many of them by 4xx
 * @server_errors: how many of them by 5xx
 * @bytes_received: how much came
 * @bytes_sent: how much left
 *
 * What is counted.
 */
typedef struct
{
  guint64 clients;
  guint64 requests;
  guint64 client_errors;
  guint64 server_errors;
  guint64 bytes_received;
  guint64 bytes_sent;
} MetricsHttpFigures;

/**
 * MetricsHttpFigureFunc:
 * @name: the name of a figure of the server, a word
 * @value: the figure
 * @user_data: what was given with the function
 */
typedef void (*MetricsHttpFigureFunc) (const char *name, guint64 value, gpointer user_data);

/**
 * MetricsHttpHost:
 * @foreach_figure: (nullable): tells all figures of the server
 * @get_trouble: (nullable): why nothing can be written to the disk now, a line of English; %NULL where it can
 * @user_data: what both are called with; it has to live as long as the #MetricsHttp
 *
 * What HTTP has to know of the rest of the server.
 */
typedef struct
{
  void (*foreach_figure) (MetricsHttpFigureFunc func, gpointer func_data, gpointer user_data);
  const char *(*get_trouble) (gpointer user_data);
  gpointer user_data;
} MetricsHttpHost;

/**
 * MetricsHttpReleasedFunc:
 * @user_data: what was given to metrics_http_accept()
 *
 * The client has gone, and its socket is closed.
 */
typedef void (*MetricsHttpReleasedFunc) (gpointer user_data);

MetricsHttp *metrics_http_new (MetricsStore *store,
                               MetricsPoller *poller,
                               const MetricsHttpLimits *limits,
                               const MetricsHttpHost *host);
void metrics_http_set_limits (MetricsHttp *self, const MetricsHttpLimits *limits);
void metrics_http_set_page (MetricsHttp *self, GResource *resource, const char *prefix);
void metrics_http_set_names (MetricsHttp *self, const char *const *names);

gboolean metrics_http_accept (MetricsHttp *self,
                              GSocketConnection *stream,
                              MetricsRights rights,
                              gboolean is_over_limit,
                              MetricsHttpReleasedFunc released,
                              gpointer user_data,
                              GError **error);
void metrics_http_finish (MetricsHttp *self);
void metrics_http_abort (MetricsHttp *self);

MetricsStore *metrics_http_get_store (MetricsHttp *self);
MetricsDisk *metrics_http_get_disk (MetricsHttp *self);
const MetricsHttpLimits *metrics_http_get_limits (MetricsHttp *self);
const MetricsHttpFigures *metrics_http_get_figures (MetricsHttp *self);
gboolean metrics_http_is_finishing (MetricsHttp *self);
const char *metrics_http_get_trouble (MetricsHttp *self);
void metrics_http_foreach_figure (MetricsHttp *self, MetricsHttpFigureFunc func, gpointer user_data);

G_END_DECLS
