/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-routes.h"

#include "common/metrics-json.h"

/* GET /healthz: for those who look whether the server serves. */
void
metrics_http_handle_health (MetricsHttpRequest *request)
{
  MetricsHttp *http = metrics_http_request_get_http (request);
  const char *trouble = metrics_http_get_trouble (http);
  g_autoptr (GBytes) bytes = NULL;
  GString *json;

  if (!metrics_http_request_check_no_parameters (request))
    return;
  if (metrics_http_is_finishing (http))
    {
      metrics_http_request_fail (request, 503, "stopping", NULL, "the server stops");
      return;
    }
  if (trouble != NULL)
    {
      metrics_http_request_fail (request, 503, "storage", NULL, "nothing can be written to the disk: %s",
                                 trouble);
      return;
    }
  json = g_string_new ("{\"status\":\"ok\",\"version\":");
  metrics_json_append_string (json, PACKAGE_VERSION);
  g_string_append (json, "}\n");
  bytes = g_string_free_to_bytes (json);
  metrics_http_request_answer (request, 200, METRICS_HTTP_JSON, bytes);
}
