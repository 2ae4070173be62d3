/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-accept.h"
#include "http/metrics-http-points.h"
#include "http/metrics-http-routes.h"
#include "http/metrics-http-writer.h"

/* GET /api/v1/keys, /api/v1/last, /api/v1/points: what is stored, in JSON or CSV, made as fast as the client
 * takes it. There is no ETag: it would have to change with each change of what is asked for, and the store
 * has no number that does but the journal's, which changes with each point of any series. So it would help
 * only where nothing is put, and a number for each series would be work for each put. */

#define CSV "text/csv"
#define CSV_WITH_HEADER CSV "; charset=utf-8; header=present"

/* Keys can be long: a step makes so many bytes, and the rest of a row. */
#define MAX_STEP 65536

typedef struct
{
  MetricsHttpQuestion *question; /* (owned) */
  MetricsHttpWriter writer;
  gboolean has_begun;
} Answer;

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  metrics_http_question_free (answer->question);
  metrics_http_writer_clear (&answer->writer);
  g_free (answer);
}

static MetricsHttpStep
step (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  Answer *answer = user_data;
  gsize before = out->len;

  if (!answer->has_begun)
    metrics_http_writer_begin (&answer->writer, out);
  answer->has_begun = TRUE;
  while (out->len - before < MAX_STEP)
    {
      MetricsQueryRow row;

      switch (metrics_http_question_next (answer->question, budget, &row))
        {
        case METRICS_QUERY_ROW:
          metrics_http_writer_add (&answer->writer, &row, out);
          break;
        case METRICS_QUERY_PAUSED:
          return METRICS_HTTP_STEP_AGAIN;
        case METRICS_QUERY_NOT_YET:
          return METRICS_HTTP_STEP_WAIT;
        case METRICS_QUERY_DONE:
          metrics_http_writer_end (&answer->writer, out);
          return METRICS_HTTP_STEP_OVER;
        case METRICS_QUERY_LOST:
        case METRICS_QUERY_REFUSED:
        default:
          return METRICS_HTTP_STEP_LOST;
        }
      if (*budget <= 0)
        break;
    }
  return METRICS_HTTP_STEP_AGAIN;
}

static void
handle (MetricsHttpRequest *request, MetricsQueryKind kind)
{
  static const char *const types[] = { METRICS_HTTP_JSON, CSV, NULL };
  const char *type;
  g_autoptr (MetricsHttpQuestion) question = NULL;
  Answer *answer;

  metrics_http_request_set_header (request, "Vary", "Accept");
  question = metrics_http_points_take_question (request, kind);
  if (question == NULL)
    return;
  type = metrics_http_request_choose_type (request, types);
  if (type == NULL)
    {
      metrics_http_request_fail (request, 406, "not-acceptable", "Accept", "there is %s and %s", types[0],
                                 types[1]);
      return;
    }
  answer = g_new0 (Answer, 1);
  answer->question = g_steal_pointer (&question);
  metrics_http_question_begin (answer->question,
                               metrics_http_get_store (metrics_http_request_get_http (request)),
                               metrics_http_points_wake_cb, request);
  metrics_http_writer_init (&answer->writer,
                            type == types[0] ? METRICS_HTTP_FORMAT_JSON : METRICS_HTTP_FORMAT_CSV,
                            kind == METRICS_QUERY_KEYS);
  metrics_http_request_produce (request, type == types[0] ? METRICS_HTTP_JSON : CSV_WITH_HEADER, step, answer,
                                answer_free);
}

/* GET /api/v1/keys: what there is of each key. */
void
metrics_http_handle_keys (MetricsHttpRequest *request)
{
  handle (request, METRICS_QUERY_KEYS);
}

/* GET /api/v1/last: the newest point of each key. */
void
metrics_http_handle_last (MetricsHttpRequest *request)
{
  handle (request, METRICS_QUERY_LAST);
}

/* GET /api/v1/points: the points of a span, or of its buckets. */
void
metrics_http_handle_points (MetricsHttpRequest *request)
{
  handle (request, METRICS_QUERY_POINTS);
}
