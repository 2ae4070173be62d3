/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-routes.h"

#include <string.h>

/* All that can be asked for. */
static const MetricsHttpRoute routes[] = {
  { "/healthz", "GET", METRICS_RIGHTS_NONE, TRUE, metrics_http_handle_health },
};

static gboolean
takes_method (const MetricsHttpRoute *route, const char *method)
{
  return strcmp (route->method, method) == 0
         || (strcmp (method, "HEAD") == 0 && strcmp (route->method, "GET") == 0);
}

/**
 * metrics_http_routes_find:
 * @path: a path, decoded
 * @method: a method
 * @route: (out): where to go, where that is found
 *
 * Returns: whether there is a route
 */
MetricsHttpFound
metrics_http_routes_find (const char *path, const char *method, const MetricsHttpRoute **route)
{
  MetricsHttpFound found = METRICS_HTTP_NO_PATH;

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    {
      if (strcmp (routes[i].path, path) != 0)
        continue;
      if (takes_method (&routes[i], method))
        {
          *route = &routes[i];
          return METRICS_HTTP_FOUND;
        }
      found = METRICS_HTTP_NO_METHOD;
    }
  return found;
}

/**
 * metrics_http_routes_list_methods:
 * @path: a path that there is, or `*` for all of them
 *
 * Returns: (transfer full): the methods that it takes, as in `Allow`
 */
char *
metrics_http_routes_list_methods (const char *path)
{
  static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    for (guint k = 0; k < G_N_ELEMENTS (routes); k++)
      if ((strcmp (path, "*") == 0 || strcmp (routes[k].path, path) == 0)
          && takes_method (&routes[k], methods[i]))
        {
          g_string_append_printf (list, "%s, ", methods[i]);
          break;
        }
  g_string_append (list, "OPTIONS");
  return g_string_free (list, FALSE);
}
