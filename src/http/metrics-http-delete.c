/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-points.h"
#include "http/metrics-http-routes.h"

/* DELETE /api/v1/points: forgets points, in slices. Who leaves meanwhile has deleted a part of them. */

typedef struct
{
  MetricsHttpQuestion *question; /* (owned) */
  MetricsHttpKept kept;
  gboolean is_done;
} Deletion;

static void
deletion_free (gpointer data)
{
  Deletion *deletion = data;

  metrics_http_question_free (deletion->question);
  metrics_http_kept_clear (&deletion->kept);
  g_free (deletion);
}

static MetricsHttpStep
step (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  Deletion *deletion = user_data;
  MetricsQueryRow row;

  while (!deletion->is_done)
    switch (metrics_http_question_next (deletion->question, budget, &row))
      {
      case METRICS_QUERY_DONE:
        deletion->is_done = TRUE;
        break;
      case METRICS_QUERY_PAUSED:
      case METRICS_QUERY_ROW:
        if (*budget <= 0)
          return METRICS_HTTP_STEP_AGAIN;
        break;
      case METRICS_QUERY_NOT_YET:
        return METRICS_HTTP_STEP_WAIT;
      case METRICS_QUERY_LOST:
      case METRICS_QUERY_REFUSED:
      default:
        metrics_http_request_fail (request, 503, "storage", NULL,
                                   "what is to be deleted cannot be read from disk; points deleted before: "
                                   "%" G_GUINT64_FORMAT,
                                   metrics_http_question_get_n_deleted (deletion->question));
        return METRICS_HTTP_STEP_OVER;
      }
  if (!metrics_http_kept_is_over (&deletion->kept))
    return METRICS_HTTP_STEP_WAIT;
  metrics_http_kept_answer (&deletion->kept, "deleted",
                            metrics_http_question_get_n_deleted (deletion->question));
  return METRICS_HTTP_STEP_OVER;
}

void
metrics_http_handle_delete (MetricsHttpRequest *request)
{
  MetricsHttpQuestion *question = metrics_http_points_take_question (request, METRICS_QUERY_DELETE);
  Deletion *deletion;

  if (question == NULL)
    return;
  deletion = g_new0 (Deletion, 1);
  deletion->question = question;
  metrics_http_question_begin (question, metrics_http_get_store (metrics_http_request_get_http (request)),
                               metrics_http_points_wake_cb, request);
  metrics_http_kept_begin (&deletion->kept, request);
  metrics_http_request_produce (request, METRICS_HTTP_JSON, step, deletion, deletion_free);
}
