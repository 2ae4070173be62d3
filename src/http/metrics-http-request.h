/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-parameters.h"
#include "http/metrics-http.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpRequest MetricsHttpRequest;

/* What JSON is called. */
#define METRICS_HTTP_JSON "application/json"

/**
 * MetricsHttpStep:
 * @METRICS_HTTP_STEP_AGAIN: there is more to do
 * @METRICS_HTTP_STEP_WAIT: there is nothing to do until metrics_http_request_wake()
 * @METRICS_HTTP_STEP_OVER: the answer is complete, or metrics_http_request_fail() or
 *   metrics_http_request_answer() has given another one
 * @METRICS_HTTP_STEP_LOST: it cannot be completed: the connection ends without its end
 *
 * What a #MetricsHttpProduceFunc says.
 */
typedef enum
{
  METRICS_HTTP_STEP_AGAIN,
  METRICS_HTTP_STEP_WAIT,
  METRICS_HTTP_STEP_OVER,
  METRICS_HTTP_STEP_LOST,
} MetricsHttpStep;

/**
 * MetricsHttpProduceFunc:
 * @request: the request
 * @out: where the next part of the answer is appended to; what is in it has not been taken yet
 * @budget: (inout): units of work that may be done now, about a point each; it may go below zero
 * @user_data: what was given to metrics_http_request_produce()
 *
 * Makes the next part of an answer, as far as the budget reaches. As long as it has said nothing but
 * %METRICS_HTTP_STEP_AGAIN or %METRICS_HTTP_STEP_WAIT with an empty @out, it may end the request by
 * metrics_http_request_fail() or metrics_http_request_answer(), and then says %METRICS_HTTP_STEP_OVER.
 *
 * Returns: what comes next
 */
typedef MetricsHttpStep (*MetricsHttpProduceFunc) (MetricsHttpRequest *request,
                                                   GString *out,
                                                   gint *budget,
                                                   gpointer user_data);

MetricsHttp *metrics_http_request_get_http (MetricsHttpRequest *self);
const char *metrics_http_request_get_method (MetricsHttpRequest *self);
const char *metrics_http_request_get_path (MetricsHttpRequest *self);
const MetricsHttpParameters *metrics_http_request_get_parameters (MetricsHttpRequest *self);
const char *metrics_http_request_get_header (MetricsHttpRequest *self, const char *name);
MetricsRights metrics_http_request_get_rights (MetricsHttpRequest *self);
GBytes *metrics_http_request_get_body (MetricsHttpRequest *self);
const char *metrics_http_request_choose_type (MetricsHttpRequest *self, const char *const *types);

void metrics_http_request_set_header (MetricsHttpRequest *self, const char *name, const char *value);
void metrics_http_request_set_endless (MetricsHttpRequest *self);
void metrics_http_request_set_etag (MetricsHttpRequest *self, const char *etag);

void metrics_http_request_fail (MetricsHttpRequest *self,
                                guint status,
                                const char *code,
                                const char *where,
                                const char *format,
                                ...) G_GNUC_PRINTF (5, 6);
gboolean metrics_http_request_check_no_parameters (MetricsHttpRequest *self);
void metrics_http_request_answer (MetricsHttpRequest *self,
                                  guint status,
                                  const char *content_type,
                                  GBytes *bytes);
void metrics_http_request_produce (MetricsHttpRequest *self,
                                   const char *content_type,
                                   MetricsHttpProduceFunc func,
                                   gpointer user_data,
                                   GDestroyNotify free_func);
void metrics_http_request_wake (MetricsHttpRequest *self);

G_END_DECLS
