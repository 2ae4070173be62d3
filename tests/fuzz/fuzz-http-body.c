/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-key.h"
#include "http/metrics-http-body.h"

#include <math.h>

/* Points of a body are the same however small the steps are in which it is read, and when it is read again.
 */

typedef struct
{
  GString *points; /* (owned) */
  MetricsHttpBodyState state;
  char *where; /* (owned) (nullable) */
} Outcome;

static void
read_all (MetricsHttpBody *body, gint slice, Outcome *outcome)
{
  *outcome = (Outcome){ .points = g_string_new (NULL) };
  do
    {
      gint budget = slice;

      outcome->state = metrics_http_body_next (body, &budget);
      if (outcome->state == METRICS_HTTP_BODY_POINT)
        {
          g_autofree char *place = metrics_http_body_name_place (body, METRICS_HTTP_FIELD_VALUE);

          g_assert_true (metrics_key_is_valid (body->key, body->key_len));
          g_assert_true (isfinite (body->point.value));
          g_string_append_printf (outcome->points, "%s %s %a %" G_GINT64_FORMAT "\n", place, body->key,
                                  body->point.value, body->point.time);
        }
    }
  while (outcome->state == METRICS_HTTP_BODY_POINT || outcome->state == METRICS_HTTP_BODY_PAUSED);
  g_assert_cmpint (outcome->state == METRICS_HTTP_BODY_WRONG, ==,
                   metrics_http_body_get_message (body) != NULL);
  outcome->where = g_strdup (metrics_http_body_get_where (body));
}

static void
outcome_clear (Outcome *outcome)
{
  g_string_free (outcome->points, TRUE);
  g_free (outcome->where);
}

static void
check (GBytes *bytes, MetricsHttpFormat format, gboolean has_header)
{
  g_autoptr (MetricsHttpBody) body = metrics_http_body_new (bytes, format, has_header, 1700000000);
  Outcome whole, steps;

  read_all (body, 1000, &whole);
  metrics_http_body_rewind (body);
  read_all (body, 1, &steps);
  g_assert_cmpstr (whole.points->str, ==, steps.points->str);
  g_assert_cmpint (whole.state, ==, steps.state);
  g_assert_cmpstr (whole.where, ==, steps.where);
  outcome_clear (&whole);
  outcome_clear (&steps);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);

  check (bytes, METRICS_HTTP_FORMAT_JSON, TRUE);
  check (bytes, METRICS_HTTP_FORMAT_CSV, TRUE);
  check (bytes, METRICS_HTTP_FORMAT_CSV, FALSE);
  return 0;
}
