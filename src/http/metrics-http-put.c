/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-peer.h"
#include "http/metrics-http-accept.h"
#include "http/metrics-http-body.h"
#include "http/metrics-http-points.h"
#include "http/metrics-http-private.h"
#include "http/metrics-http-routes.h"
#include "store/metrics-putter.h"
#include "store/metrics-store-log.h"

#include <string.h>

/* POST /api/v1/points: puts the points of a body. It is read twice, in slices: once to see whether all of it
 * is right, and once to put it. Who leaves meanwhile has put a part of it. */

typedef struct
{
  MetricsHttpBody *body; /* (owned) */
  MetricsPutter putter;
  MetricsHttpKept kept;
  gboolean is_checked;  /* whether the whole body is right */
  gboolean is_at_point; /* whether a point was read that is not put yet */
  gboolean is_done;
  guint64 n_put;
  GError *error; /* (owned) (nullable): why a point was not put */
} Put;

static void
put_free (gpointer data)
{
  Put *put = data;

  metrics_http_body_free (put->body);
  metrics_putter_clear (&put->putter);
  metrics_http_kept_clear (&put->kept);
  g_clear_error (&put->error);
  g_free (put);
}

/* Says why the store did not take a point. */
static MetricsHttpStep
fail_from_store (MetricsHttpRequest *request, const Put *put, const GError *error)
{
  gboolean is_too_old = g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_TOO_OLD);
  gboolean is_full = g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_SERIES_LIMIT)
                     || g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_MEMORY_LIMIT);
  g_autofree char *where = metrics_http_body_name_place (put->body, is_too_old ? METRICS_HTTP_FIELD_TIMESTAMP
                                                                               : METRICS_HTTP_FIELD_NONE);

  if (metrics_store_log_is_due (error))
    {
      g_autofree char *client = metrics_peer_dup_name (metrics_http_client_get_socket (request->client));

      metrics_store_log_refused_put (metrics_http_get_store (metrics_http_request_get_http (request)), error,
                                     client);
    }
  metrics_http_request_fail (request,
                             is_too_old ? 400
                             : is_full  ? 507
                                        : 503,
                             is_too_old ? "too-old"
                             : is_full  ? "limit-reached"
                                        : "storage",
                             where, "%s; points stored before it: %" G_GUINT64_FORMAT, error->message,
                             put->n_put);
  return METRICS_HTTP_STEP_OVER;
}

/* Returns: %METRICS_HTTP_STEP_OVER where the request was ended */
static MetricsHttpStep
check (MetricsHttpRequest *request, Put *put, gint *budget)
{
  g_autoptr (GError) error = NULL;

  while (*budget > 0)
    switch (metrics_http_body_next (put->body, budget))
      {
      case METRICS_HTTP_BODY_POINT:
        if (!metrics_store_check_time (put->putter.store, put->body->key, put->body->key_len,
                                       put->body->point.time, &error))
          return fail_from_store (request, put, error);
        break;
      case METRICS_HTTP_BODY_PAUSED:
        break;
      case METRICS_HTTP_BODY_END:
        metrics_http_body_rewind (put->body);
        put->is_checked = TRUE;
        return METRICS_HTTP_STEP_AGAIN;
      case METRICS_HTTP_BODY_WRONG:
      default:
        metrics_http_request_fail (request, 400, "bad-body", metrics_http_body_get_where (put->body), "%s",
                                   metrics_http_body_get_message (put->body));
        return METRICS_HTTP_STEP_OVER;
      }
  return METRICS_HTTP_STEP_AGAIN;
}

static MetricsHttpStep
put_point (Put *put, gint *budget)
{
  MetricsHttpBody *body = put->body;

  switch (metrics_putter_put (&put->putter, body->key, body->key_len, body->point, budget, &put->error))
    {
    case METRICS_QUERY_DONE:
      put->is_at_point = FALSE;
      put->n_put++;
      return METRICS_HTTP_STEP_AGAIN;
    case METRICS_QUERY_NOT_YET:
      return METRICS_HTTP_STEP_WAIT;
    case METRICS_QUERY_REFUSED:
      put->is_done = TRUE;
      return METRICS_HTTP_STEP_AGAIN;
    case METRICS_QUERY_ROW:
    case METRICS_QUERY_PAUSED:
    case METRICS_QUERY_LOST:
    default:
      return METRICS_HTTP_STEP_AGAIN;
    }
}

/* What was right once is right again. */
static MetricsHttpStep
put_some (Put *put, gint *budget)
{
  while (!put->is_done && *budget > 0)
    {
      MetricsHttpBodyState state;

      if (!put->is_at_point)
        {
          state = metrics_http_body_next (put->body, budget);
          put->is_at_point = state == METRICS_HTTP_BODY_POINT;
          put->is_done = state == METRICS_HTTP_BODY_END;
        }
      if (put->is_at_point && put_point (put, budget) == METRICS_HTTP_STEP_WAIT)
        return METRICS_HTTP_STEP_WAIT;
    }
  return METRICS_HTTP_STEP_AGAIN;
}

static MetricsHttpStep
step (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  Put *put = user_data;

  if (!put->is_checked)
    {
      if (check (request, put, budget) == METRICS_HTTP_STEP_OVER)
        return METRICS_HTTP_STEP_OVER;
      if (!put->is_checked)
        return METRICS_HTTP_STEP_AGAIN;
      metrics_http_kept_begin (&put->kept, request);
    }
  if (!put->is_done)
    {
      if (put_some (put, budget) == METRICS_HTTP_STEP_WAIT)
        return METRICS_HTTP_STEP_WAIT;
      if (!put->is_done)
        return METRICS_HTTP_STEP_AGAIN;
    }
  /* Of a part that was stored the same is said as of the whole: that it is kept. */
  if (!metrics_http_kept_is_over (&put->kept))
    return METRICS_HTTP_STEP_WAIT;
  if (put->error != NULL && put->kept.reason == NULL)
    return fail_from_store (request, put, put->error);
  metrics_http_kept_answer (&put->kept, "stored", put->n_put);
  return METRICS_HTTP_STEP_OVER;
}

/* Returns: FALSE where the request was ended */
static gboolean
take_type (MetricsHttpRequest *request, MetricsHttpFormat *format, gboolean *has_header)
{
  const char *encoding = metrics_http_request_get_header (request, "Content-Encoding");

  *format
      = metrics_http_accept_read_type (metrics_http_request_get_header (request, "Content-Type"), has_header);
  if (*format == METRICS_HTTP_FORMAT_NONE)
    metrics_http_request_fail (request, 415, "unsupported-media-type", "Content-Type",
                               "points are taken as application/json or text/csv, in UTF-8");
  else if (encoding != NULL && g_ascii_strcasecmp (encoding, "identity") != 0)
    metrics_http_request_fail (request, 415, "unsupported-media-type", "Content-Encoding",
                               "a body is taken as it is alone");
  else
    return TRUE;
  return FALSE;
}

void
metrics_http_handle_put (MetricsHttpRequest *request)
{
  const MetricsHttpParameters *parameters = metrics_http_request_get_parameters (request);
  MetricsHttpFormat format;
  gboolean has_header;
  Put *put;

  if (parameters->n_items > 0)
    {
      metrics_http_request_fail (request, 400, METRICS_HTTP_BAD_PARAMETER, parameters->items[0].name,
                                 "there is no such parameter here");
      return;
    }
  if (!take_type (request, &format, &has_header))
    return;
  put = g_new0 (Put, 1);
  put->body = metrics_http_body_new (metrics_http_request_get_body (request), format, has_header,
                                     metrics_http_points_get_now ());
  metrics_putter_init (&put->putter, metrics_http_get_store (metrics_http_request_get_http (request)),
                       metrics_http_points_wake_cb, request);
  metrics_http_request_produce (request, METRICS_HTTP_JSON, step, put, put_free);
}
