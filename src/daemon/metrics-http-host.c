/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-http-host.h"

/* Joins HTTP and the service that accepts its clients, which do not know each other. */

/**
 * metrics_http_front_describe:
 * @listener: a listener of HTTP that is open
 *
 * Returns: (transfer full) (element-type utf8): where it listens, as browsers write it, or `http+unix:PATH`
 */
GPtrArray *
metrics_http_front_describe (MetricsListener *listener)
{
  GPtrArray *texts = metrics_listener_describe (listener);

  for (guint i = 0; i < texts->len; i++)
    {
      g_autofree char *text = texts->pdata[i];

      texts->pdata[i] = g_str_has_prefix (text, "unix:") ? g_strconcat ("http+", text, NULL)
                                                         : g_strconcat ("http://", text, "/", NULL);
    }
  return texts;
}

#if HAVE_HTTP

#if HAVE_DASHBOARD
#include "dashboard/metrics-dashboard.h"
#endif
#include "http/metrics-http.h"

struct _MetricsHttpFront
{
  MetricsHttp *http;       /* (owned) */
  MetricsService *service; /* (unowned) */
  MetricsStorage *storage; /* (unowned) (nullable) */
};

static gboolean
accept_cb (GSocketConnection *stream,
           MetricsRights rights,
           gboolean is_over_limit,
           void (*released) (gpointer released_data),
           gpointer released_data,
           GError **error,
           gpointer user_data)
{
  MetricsHttpFront *self = user_data;

  return metrics_http_accept (self->http, stream, rights, is_over_limit, released, released_data, error);
}

static void
finish_cb (gpointer user_data)
{
  MetricsHttpFront *self = user_data;

  metrics_http_finish (self->http);
}

static void
abort_cb (gpointer user_data)
{
  MetricsHttpFront *self = user_data;

  metrics_http_abort (self->http);
}

/* In the names of `stats`. */
static void
foreach_own_figure (void (*func) (const char *name, guint64 value, gpointer func_data),
                    gpointer func_data,
                    gpointer user_data)
{
  MetricsHttpFront *self = user_data;
  const MetricsHttpFigures *figures = metrics_http_get_figures (self->http);

  func ("http_clients", figures->clients, func_data);
  func ("http_requests", figures->requests, func_data);
  func ("http_client_errors", figures->client_errors, func_data);
  func ("http_server_errors", figures->server_errors, func_data);
  func ("http_bytes_received", figures->bytes_received, func_data);
  func ("http_bytes_sent", figures->bytes_sent, func_data);
}

static void
foreach_figure (MetricsHttpFigureFunc func, gpointer func_data, gpointer user_data)
{
  MetricsHttpFront *self = user_data;

  metrics_service_foreach_figure (self->service, func, func_data);
}

static const char *
get_trouble (gpointer user_data)
{
  MetricsHttpFront *self = user_data;

  return self->storage != NULL ? metrics_storage_get_trouble (self->storage) : NULL;
}

static MetricsHttpLimits
get_limits (const MetricsConfig *config)
{
  return (MetricsHttpLimits){
    .unsent = config->limits.unsent,
    .slice = config->limits.slice,
    .line_timeout = config->limits.line_timeout,
    .answer_timeout = config->limits.answer_timeout,
    .idle_timeout = config->limits.idle_timeout,
  };
}

/**
 * metrics_http_front_new:
 * @store: what clients put into and read from
 * @service: what accepts them; it has to go before this
 * @storage: (nullable): where points last
 * @config: how they are served
 *
 * Returns: (transfer full) (nullable): what serves HTTP; %NULL where that is switched off
 */
MetricsHttpFront *
metrics_http_front_new (MetricsStore *store,
                        MetricsService *service,
                        MetricsStorage *storage,
                        const MetricsConfig *config)
{
  MetricsHttpFront *self;
  MetricsHttpLimits limits = get_limits (config);
  MetricsHttpHost host = { .foreach_figure = foreach_figure, .get_trouble = get_trouble };
  MetricsFrontFuncs funcs
      = { .accept = accept_cb, .finish = finish_cb, .abort = abort_cb, .foreach_figure = foreach_own_figure };

  if (!config->has_http)
    return NULL;
  self = g_new0 (MetricsHttpFront, 1);
  self->service = service;
  self->storage = storage;
  host.user_data = self;
  self->http = metrics_http_new (store, metrics_service_get_poller (service), &limits, &host);
#if HAVE_DASHBOARD
  metrics_http_set_page (self->http, metrics_dashboard_get_resource (), METRICS_DASHBOARD_PREFIX);
#endif
  metrics_http_front_configure (self, config);
  funcs.user_data = self;
  metrics_service_set_front (service, &funcs);
  return self;
}

/**
 * metrics_http_front_free:
 * @self: (transfer full) (nullable): what serves HTTP, to nobody any more
 */
void
metrics_http_front_free (MetricsHttpFront *self)
{
  if (self == NULL)
    return;
  g_object_unref (self->http);
  g_free (self);
}

/**
 * metrics_http_front_configure:
 * @self: (nullable): what serves HTTP
 * @config: how it does from now on
 */
void
metrics_http_front_configure (MetricsHttpFront *self, const MetricsConfig *config)
{
  MetricsHttpLimits limits = get_limits (config);

  if (self == NULL)
    return;
  metrics_http_set_limits (self->http, &limits);
  metrics_http_set_names (self->http,
                          metrics_settings_get_texts (config->settings, METRICS_SETTING_HTTP_HOST));
}

#else

MetricsHttpFront *
metrics_http_front_new (MetricsStore *store,
                        MetricsService *service,
                        MetricsStorage *storage,
                        const MetricsConfig *config)
{
  return NULL;
}

void
metrics_http_front_free (MetricsHttpFront *self)
{
}

void
metrics_http_front_configure (MetricsHttpFront *self, const MetricsConfig *config)
{
}

#endif
