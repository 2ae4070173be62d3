/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-routes.h"

/* All that can be asked for by HTTP, a path and a method in each line. */
int
main (void)
{
  const MetricsHttpRoute *route;

  for (guint i = 0; (route = metrics_http_routes_get (i)) != NULL; i++)
    g_print ("%s %s\n", route->path, route->method);
  return 0;
}
