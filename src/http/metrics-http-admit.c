/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-private.h"

#include "common/metrics-peer.h"

#include <string.h>

/* Who is let through to a handler.
 *
 * There is no password, so what keeps a web page out that somebody has open beside is what browsers say of
 * themselves. A page of another site can send requests here (the browser adds its `Origin`, or says in
 * `Sec-Fetch-Site` whose it is), and by a name of its own that it lets point to 127.0.0.1 it could even read
 * the answers (DNS rebinding: the browser says that name in `Host`). Programs send none of these. */

/* A request to a unix socket was sent by a program that had a right to open it. */
static gboolean
admit_host (MetricsHttpRequest *self)
{
  if (self->host == NULL
      || g_socket_get_family (metrics_http_client_get_socket (self->client)) == G_SOCKET_FAMILY_UNIX
      || metrics_http_is_name (metrics_http_client_get_http (self->client), self->host))
    return TRUE;
  metrics_http_request_fail (self, 421, "wrong-host", "Host",
                             "this server is not called '%s'; the setting http-host says what else it is "
                             "called",
                             self->host);
  return FALSE;
}

/* Whether it is a page of this server: what stands behind the scheme is what the browser has as host. It may
 * be https, by a proxy; but programs that show pages of their own call these app://localhost and the like. */
static gboolean
is_own_origin (MetricsHttpRequest *self, const char *origin)
{
  const char *authority = strstr (origin, "://");
  gsize scheme_len = authority != NULL ? authority - origin : 0;

  if (self->host == NULL || (scheme_len != strlen ("http") && scheme_len != strlen ("https"))
      || g_ascii_strncasecmp (origin, "https", scheme_len) != 0)
    return FALSE;
  return g_ascii_strcasecmp (authority + strlen ("://"), self->host) == 0;
}

static gboolean
admit_origin (MetricsHttpRequest *self)
{
  const char *origin = metrics_http_request_get_header (self, "Origin");
  const char *site = metrics_http_request_get_header (self, "Sec-Fetch-Site");

  if (self->route->is_open)
    return TRUE;
  if (origin != NULL && !is_own_origin (self, origin))
    {
      metrics_http_request_fail (self, 403, "cross-origin", "Origin",
                                 "pages of other origins are not served");
      return FALSE;
    }
  if (site != NULL && strcmp (site, "same-origin") != 0 && strcmp (site, "none") != 0)
    {
      metrics_http_request_fail (self, 403, "cross-origin", "Sec-Fetch-Site",
                                 "pages of other sites are not served");
      return FALSE;
    }
  return TRUE;
}

static gboolean
admit_rights (MetricsHttpRequest *self)
{
  MetricsRights missing = self->route->right & ~metrics_http_request_get_rights (self);

  if (missing == 0)
    return TRUE;
  metrics_peer_log_denied (metrics_http_client_get_socket (self->client), missing);
  metrics_http_request_fail (self, 403, "forbidden", NULL, "this address does not give the right '%s'",
                             metrics_rights_get_name (missing));
  return FALSE;
}

static void
say_methods (MetricsHttpRequest *self)
{
  g_autofree char *methods
      = metrics_http_routes_list_methods (metrics_http_request_get_http (self), self->path);

  metrics_http_request_set_header (self, "Allow", methods);
}

static gboolean
admit_route (MetricsHttpRequest *self)
{
  MetricsHttpFound found = metrics_http_routes_find (metrics_http_request_get_http (self), self->path,
                                                     self->method, &self->route);

  if (found == METRICS_HTTP_FOUND)
    return TRUE;
  if (found == METRICS_HTTP_NO_PATH)
    {
      metrics_http_request_fail (self, 404, "not-found", NULL, "there is nothing at this path");
      return FALSE;
    }
  say_methods (self);
  if (strcmp (self->method, "OPTIONS") == 0)
    metrics_http_request_answer (self, 204, NULL, NULL);
  else
    metrics_http_request_fail (self, 405, "method-not-allowed", NULL, "the path is there, but not for %s",
                               self->method);
  return FALSE;
}

static gboolean
admit_length (MetricsHttpRequest *self, const MetricsHttpHead *head)
{
  if (head->content_length <= METRICS_HTTP_MAX_BODY)
    return TRUE;
  metrics_http_request_fail (self, 413, "body-too-large", NULL, "a body has at most %d bytes",
                             METRICS_HTTP_MAX_BODY);
  return FALSE;
}

gboolean
metrics_http_request_admit (MetricsHttpRequest *self, const MetricsHttpHead *head, const char *data)
{
  return !self->is_complete && admit_host (self) && admit_route (self) && admit_origin (self)
         && admit_rights (self) && admit_length (self, head);
}
