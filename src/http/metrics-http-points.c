/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-points.h"

#include <string.h>

/**
 * metrics_http_points_get_now:
 *
 * Returns: the time now, in seconds since the Unix epoch
 */
gint64
metrics_http_points_get_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/**
 * metrics_http_points_take_question:
 * @request: a request
 * @kind: what it asks for
 *
 * Reads its parameters.
 *
 * Returns: (transfer full) (nullable): what it asks for; %NULL where that is wrong, and the request was ended
 */
MetricsHttpQuestion *
metrics_http_points_take_question (MetricsHttpRequest *request, MetricsQueryKind kind)
{
  const MetricsHttpParameters *parameters = metrics_http_request_get_parameters (request);
  g_autoptr (MetricsHttpQuestion) question = metrics_http_question_new (kind, metrics_http_points_get_now ());
  g_autofree char *message = NULL;
  const char *where = NULL;

  for (guint i = 0; i < parameters->n_items; i++)
    {
      const MetricsHttpParameter *item = &parameters->items[i];

      if (metrics_http_question_take (question, item->name, item->value, strlen (item->value), &message))
        continue;
      metrics_http_request_fail (request, 400, METRICS_HTTP_BAD_PARAMETER, item->name, "%s", message);
      return NULL;
    }
  if (metrics_http_question_complete (question, &where, &message))
    return g_steal_pointer (&question);
  metrics_http_request_fail (request, 400, METRICS_HTTP_BAD_PARAMETER, where, "%s", message);
  return NULL;
}

/* Changes that are kept */

/**
 * metrics_http_points_wake_cb:
 * @query: a query that waited
 * @request: the request that it is for
 *
 * A #MetricsQueryWakeFunc: has the request go on.
 */
void
metrics_http_points_wake_cb (MetricsQuery *query, gpointer request)
{
  metrics_http_request_wake (request);
}

/**
 * metrics_http_kept_begin:
 * @self: (out caller-allocates): the end of a change that has not begun
 * @request: the request that changes something, whose answer is being made when the change is over
 */
void
metrics_http_kept_begin (MetricsHttpKept *self, MetricsHttpRequest *request)
{
  MetricsDisk *disk = metrics_http_get_disk (metrics_http_request_get_http (request));

  *self = (MetricsHttpKept){
    .request = request,
    .disk = disk,
    .since = metrics_disk_get_position (disk),
    .is_awaited = metrics_disk_is_awaited (disk),
  };
}

/**
 * metrics_http_kept_clear:
 * @self: the end of a change, begun or all zero
 */
void
metrics_http_kept_clear (MetricsHttpKept *self)
{
  if (self->disk != NULL)
    metrics_disk_forget (self->disk, &self->wait);
  g_clear_pointer (&self->reason, g_free);
}

static void
kept_cb (const char *reason, gpointer user_data)
{
  MetricsHttpKept *self = user_data;

  self->is_told = TRUE;
  self->reason = g_strdup (reason);
  metrics_http_request_wake (self->request);
}

/**
 * metrics_http_kept_is_over:
 * @self: the end of a change that has come
 *
 * Returns: whether it can be told of now; else the request waits, and will be woken
 */
gboolean
metrics_http_kept_is_over (MetricsHttpKept *self)
{
  if (!self->is_asked)
    {
      self->is_asked = TRUE;
      if ((!self->is_awaited && !metrics_disk_is_awaited (self->disk))
          || !metrics_disk_wait (self->disk, &self->wait, self->since, kept_cb, self))
        self->is_told = TRUE;
    }
  return self->is_told;
}

/**
 * metrics_http_kept_answer:
 * @self: the end of a change that can be told of
 * @name: what was done, a word: `stored`
 * @count: to how many points
 *
 * Ends the request: the change was made, and is on disk or not.
 */
void
metrics_http_kept_answer (MetricsHttpKept *self, const char *name, guint64 count)
{
  g_autofree char *text = g_strdup_printf ("{\"%s\":%" G_GUINT64_FORMAT "}\n", name, count);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  if (self->reason == NULL)
    metrics_http_request_answer (self->request, 200, METRICS_HTTP_JSON, bytes);
  else
    metrics_http_request_fail (self->request, 503, "storage", NULL,
                               "storage: %s; points %s in memory, perhaps not on disk: %" G_GUINT64_FORMAT,
                               self->reason, name, count);
}
