/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-private.h"

#include <string.h>

/* What answers, and for whom. */

/* All that can be asked for, but for the files of the page. */
static const MetricsHttpRoute routes[] = {
  { "/healthz", "GET", METRICS_RIGHTS_NONE, TRUE, metrics_http_handle_health },
  { "/api/v1/keys", "GET", METRICS_RIGHTS_READ, FALSE, metrics_http_handle_keys },
  { "/api/v1/last", "GET", METRICS_RIGHTS_READ, FALSE, metrics_http_handle_last },
  { "/api/v1/points", "GET", METRICS_RIGHTS_READ, FALSE, metrics_http_handle_points },
  { "/api/v1/points", "POST", METRICS_RIGHTS_PUT, FALSE, metrics_http_handle_put },
  { "/api/v1/points", "DELETE", METRICS_RIGHTS_DELETE, FALSE, metrics_http_handle_delete },
  { "/metrics", "GET", METRICS_RIGHTS_READ, FALSE, metrics_http_handle_figures },
  { "/api/v1/stream", "GET", METRICS_RIGHTS_READ, FALSE, metrics_http_handle_stream },
  { "/api/v1/openapi.json", "GET", METRICS_RIGHTS_NONE, FALSE, metrics_http_handle_openapi },
};

static void
handle_page (MetricsHttpRequest *request)
{
  metrics_http_assets_answer (metrics_http_get_page (metrics_http_request_get_http (request)), request);
}

static const MetricsHttpRoute page_route = { NULL, "GET", METRICS_RIGHTS_NONE, TRUE, handle_page };

static gboolean
takes_method (const MetricsHttpRoute *route, const char *method)
{
  return strcmp (route->method, method) == 0
         || (strcmp (method, "HEAD") == 0 && strcmp (route->method, "GET") == 0);
}

/* The next route for a path, behind one or from the beginning; `*` stands for every path. */
static const MetricsHttpRoute *
get_next (MetricsHttp *http, const char *path, const MetricsHttpRoute *last)
{
  const MetricsHttpRoute *route = last != NULL ? last + 1 : routes;

  if (last == &page_route)
    return NULL;
  for (; route < routes + G_N_ELEMENTS (routes); route++)
    if (strcmp (path, "*") == 0 || strcmp (route->path, path) == 0)
      return route;
  return metrics_http_assets_have (metrics_http_get_page (http), path) ? &page_route : NULL;
}

/**
 * metrics_http_routes_find:
 * @http: what is asked
 * @path: a path, decoded
 * @method: a method
 * @route: (out): where to go, where that is found
 *
 * Returns: whether there is a route
 */
MetricsHttpFound
metrics_http_routes_find (MetricsHttp *http,
                          const char *path,
                          const char *method,
                          const MetricsHttpRoute **route)
{
  MetricsHttpFound found = METRICS_HTTP_NO_PATH;

  for (const MetricsHttpRoute *r = get_next (http, path, NULL); r != NULL; r = get_next (http, path, r))
    {
      if (takes_method (r, method) && strcmp (path, "*") != 0)
        {
          *route = r;
          return METRICS_HTTP_FOUND;
        }
      found = METRICS_HTTP_NO_METHOD;
    }
  return found;
}

/**
 * metrics_http_routes_list_methods:
 * @http: what is asked
 * @path: a path that there is, or `*` for all of them
 *
 * Returns: (transfer full): the methods that it takes, as in `Allow`
 */
char *
metrics_http_routes_list_methods (MetricsHttp *http, const char *path)
{
  static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    for (const MetricsHttpRoute *r = get_next (http, path, NULL); r != NULL; r = get_next (http, path, r))
      if (takes_method (r, methods[i]))
        {
          g_string_append_printf (list, "%s, ", methods[i]);
          break;
        }
  g_string_append (list, "OPTIONS");
  return g_string_free (list, FALSE);
}

/**
 * metrics_http_routes_get:
 * @i: which one, from 0 on
 *
 * Returns: (transfer none) (nullable): that route; %NULL behind the last one
 */
const MetricsHttpRoute *
metrics_http_routes_get (guint i)
{
  return i < G_N_ELEMENTS (routes) ? &routes[i] : NULL;
}
