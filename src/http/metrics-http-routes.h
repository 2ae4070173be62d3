/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-request.h"

G_BEGIN_DECLS

/**
 * MetricsHttpHandler:
 * @request: a request that was let through, with its whole body
 *
 * Ends a request, now or later, by one of metrics_http_request_fail(), metrics_http_request_answer() and
 * metrics_http_request_produce().
 */
typedef void (*MetricsHttpHandler) (MetricsHttpRequest *request);

/**
 * MetricsHttpRoute:
 * @path: the path
 * @method: the method; HEAD goes where GET goes
 * @right: the right that is needed for it, or none
 * @is_open: whether pages of other sites may lead there: it shows nothing to them, and changes nothing
 * @handler: what answers
 */
typedef struct
{
  const char *path;
  const char *method;
  MetricsRights right;
  gboolean is_open;
  MetricsHttpHandler handler;
} MetricsHttpRoute;

/**
 * MetricsHttpFound:
 * @METRICS_HTTP_FOUND: there is a route
 * @METRICS_HTTP_NO_PATH: there is none for the path
 * @METRICS_HTTP_NO_METHOD: there is one, but not for the method
 */
typedef enum
{
  METRICS_HTTP_FOUND,
  METRICS_HTTP_NO_PATH,
  METRICS_HTTP_NO_METHOD,
} MetricsHttpFound;

MetricsHttpFound metrics_http_routes_find (MetricsHttp *http,
                                           const char *path,
                                           const char *method,
                                           const MetricsHttpRoute **route);
char *metrics_http_routes_list_methods (MetricsHttp *http, const char *path);
const MetricsHttpRoute *metrics_http_routes_get (guint i);

/* The handlers, each in a file of its own. */
void metrics_http_handle_delete (MetricsHttpRequest *request);
void metrics_http_handle_figures (MetricsHttpRequest *request);
void metrics_http_handle_health (MetricsHttpRequest *request);
void metrics_http_handle_keys (MetricsHttpRequest *request);
void metrics_http_handle_last (MetricsHttpRequest *request);
void metrics_http_handle_openapi (MetricsHttpRequest *request);
void metrics_http_handle_points (MetricsHttpRequest *request);
void metrics_http_handle_put (MetricsHttpRequest *request);
void metrics_http_handle_stream (MetricsHttpRequest *request);

G_END_DECLS
