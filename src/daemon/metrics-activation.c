/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-activation.h"

#include "daemon/metrics-systemd.h"
#include "server/metrics-listener.h"

#include <glib/gi18n.h>
#include <string.h>

/* What sockets are called that are for HTTP. */
#define HTTP_NAME "http"

static MetricsListener *
find_listener (GPtrArray *listeners, const char *name)
{
  for (guint i = 0; i < listeners->len; i++)
    if (g_strcmp0 (metrics_listener_get_passed_name (listeners->pdata[i]), name) == 0)
      return listeners->pdata[i];
  return NULL;
}

/**
 * metrics_activation_join:
 * @listeners: (element-type MetricsListener): where to listen, none of them open
 * @has_http: whether those of the name `http` are for HTTP
 * @error: return location for a #GError
 *
 * Gives each listener that wants them the sockets of its name that the service manager passed, see
 * sd_listen_fds(3), and makes listeners for those that nobody wants. Where any were passed, they take the
 * place of the default ones. To be called once, before there are threads: it changes the environment.
 *
 * Returns: (transfer full) (element-type MetricsListener): where to listen, or %NULL where something was
 *   passed that is nothing to listen on
 */
GPtrArray *
metrics_activation_join (GPtrArray *listeners, gboolean has_http, GError **error)
{
  g_autoptr (GPtrArray) result = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) cause = NULL;
  g_auto (GStrv) names = NULL;

  if (!metrics_systemd_take_sockets (&names, &cause))
    {
      g_set_error (error, cause->domain, cause->code,
                   _ ("cannot take the sockets that the service manager passed: %s"), cause->message);
      return NULL;
    }
  for (guint i = 0; i < listeners->len; i++)
    if (names == NULL || !metrics_listener_is_default (listeners->pdata[i]))
      g_ptr_array_add (result, g_object_ref (listeners->pdata[i]));

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      int fd = METRICS_SYSTEMD_FIRST_FD + (int) i;
      MetricsListener *listener = find_listener (result, names[i]);

      if (listener == NULL)
        {
          listener = metrics_listener_new_passed (names[i]);
          if (strcmp (names[i], HTTP_NAME) == 0)
            metrics_listener_set_http (listener);
          g_ptr_array_add (result, listener);
        }
      if (metrics_listener_is_http (listener) && !has_http)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       _ ("the socket '%s' was passed for HTTP, which is switched off"), names[i]);
          return NULL;
        }
      if (!metrics_listener_adopt (listener, fd, error))
        {
          g_prefix_error (error, _ ("the socket '%s' (descriptor %d) that was passed: "), names[i], fd);
          return NULL;
        }
    }
  return g_steal_pointer (&result);
}
