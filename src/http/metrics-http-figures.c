/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-exposition.h"
#include "http/metrics-http-points.h"
#include "http/metrics-http-routes.h"
#include "http/metrics-http-stream.h"

/* GET /metrics: what a Prometheus collects. The server's own figures, then all keys twice: all samples of a
 * family have to stand together. */

/* How much is written down at a time, about. */
#define SLICE_BYTES (64 << 10)

#define N_FAMILIES (METRICS_HTTP_FAMILY_TIME + 1)

typedef struct
{
  MetricsHttpExposition format;
  MetricsHttpQuestion *questions[N_FAMILIES]; /* (owned): the same one for each family */
  gboolean has_begun;
  guint family; /* which of them is told, see MetricsHttpFamily */
} Telling;

static void
telling_free (gpointer data)
{
  Telling *self = data;

  for (guint i = 0; i < N_FAMILIES; i++)
    metrics_http_question_free (self->questions[i]);
  g_free (self);
}

typedef struct
{
  MetricsHttpExposition format;
  GString *out;
} Figures;

static void
figure_cb (const char *name, guint64 value, gpointer user_data)
{
  Figures *figures = user_data;

  metrics_http_exposition_append_figure (figures->format, figures->out, name, value);
}

static void
begin (Telling *self, MetricsHttp *http, GString *out)
{
  Figures figures = { self->format, out };

  metrics_http_exposition_append_build (self->format, out, PACKAGE_VERSION);
  metrics_http_foreach_figure (http, figure_cb, &figures);
  figure_cb ("http_streams", metrics_http_streams_get_n_open (metrics_http_streams_get (http)), &figures);
  metrics_http_exposition_append_family (self->format, out, self->family);
  self->has_begun = TRUE;
}

/* Returns: whether there is nothing behind it */
static gboolean
end_family (Telling *self, GString *out)
{
  if (++self->family < N_FAMILIES)
    metrics_http_exposition_append_family (self->format, out, self->family);
  else
    metrics_http_exposition_append_end (self->format, out);
  return self->family == N_FAMILIES;
}

static MetricsHttpStep
produce (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  Telling *self = user_data;
  MetricsQueryRow row;

  if (!self->has_begun)
    begin (self, metrics_http_request_get_http (request), out);
  while (*budget > 0 && out->len < SLICE_BYTES)
    switch (metrics_http_question_next (self->questions[self->family], budget, &row))
      {
      case METRICS_QUERY_ROW:
        metrics_http_exposition_append_point (out, self->family, row.key, row.key_len, row.points[0]);
        break;
      case METRICS_QUERY_DONE:
        if (end_family (self, out))
          return METRICS_HTTP_STEP_OVER;
        break;
      case METRICS_QUERY_PAUSED:
        return METRICS_HTTP_STEP_AGAIN;
      case METRICS_QUERY_NOT_YET:
        return METRICS_HTTP_STEP_WAIT;
      case METRICS_QUERY_LOST:
      case METRICS_QUERY_REFUSED:
      default:
        return METRICS_HTTP_STEP_LOST;
      }
  return METRICS_HTTP_STEP_AGAIN;
}

/* Who names neither is served all the same: a browser, and curl. */
static MetricsHttpExposition
choose_format (MetricsHttpRequest *request)
{
  static const char *const types[] = { "text/plain", "application/openmetrics-text", NULL };

  return metrics_http_request_choose_type (request, types) == types[1] ? METRICS_HTTP_EXPOSITION_OPENMETRICS
                                                                       : METRICS_HTTP_EXPOSITION_TEXT;
}

/* GET /metrics */
void
metrics_http_handle_figures (MetricsHttpRequest *request)
{
  MetricsStore *store = metrics_http_get_store (metrics_http_request_get_http (request));
  Telling *self = g_new0 (Telling, 1);

  for (guint i = 0; i < N_FAMILIES; i++)
    {
      self->questions[i] = metrics_http_points_take_question (request, METRICS_QUERY_LAST);
      if (self->questions[i] == NULL)
        {
          telling_free (self);
          return;
        }
      metrics_http_question_begin (self->questions[i], store, metrics_http_points_wake_cb, request);
    }
  self->format = choose_format (request);
  metrics_http_request_set_header (request, "Vary", "Accept");
  metrics_http_request_produce (request, metrics_http_exposition_get_type (self->format), produce, self,
                                telling_free);
}
