/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-assets.h"
#include "http/metrics-http-points.h"
#include "http/metrics-http-resources.h"
#include "http/metrics-http-routes.h"

/* GET /api/v1/openapi.json: what can be asked for, for programs. */
void
metrics_http_handle_openapi (MetricsHttpRequest *request)
{
  /* Compressed at the first time, and kept. */
  static MetricsHttpAsset *description;

  if (!metrics_http_request_check_no_parameters (request))
    return;
  if (description == NULL)
    {
      g_autoptr (GBytes) bytes
          = g_resource_lookup_data (metrics_http_resources_get_resource (), "/org/metricsd/http/openapi.json",
                                    G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

      description = metrics_http_asset_new (bytes, "openapi.json");
    }
  metrics_http_asset_answer (description, request);
}
