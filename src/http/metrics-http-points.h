/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-question.h"
#include "http/metrics-http-request.h"

G_BEGIN_DECLS

/* What the handlers of points share. */

#define METRICS_HTTP_BAD_PARAMETER "bad-parameter"

MetricsHttpQuestion *metrics_http_points_take_question (MetricsHttpRequest *request, MetricsQueryKind kind);
gint64 metrics_http_points_get_now (void);
void metrics_http_points_wake_cb (MetricsQuery *query, gpointer request);

/**
 * MetricsHttpKept:
 *
 * The end of a change: it is told of when it is on disk, where that is awaited. It lives inside of what
 * changes; its fields are its own.
 */
typedef struct
{
  MetricsHttpRequest *request; /* (unowned) */
  MetricsDisk *disk;           /* (unowned) */
  guint64 since;               /* the disk's position before the change */
  gboolean is_awaited;         /* whether changes were awaited then */
  gboolean is_asked;           /* whether the change is over, and it waits */
  gboolean is_told;
  MetricsDiskWait wait;
  char *reason; /* (owned) (nullable): why it is not kept */
} MetricsHttpKept;

void metrics_http_kept_begin (MetricsHttpKept *self, MetricsHttpRequest *request);
void metrics_http_kept_clear (MetricsHttpKept *self);
gboolean metrics_http_kept_is_over (MetricsHttpKept *self);
void metrics_http_kept_answer (MetricsHttpKept *self, const char *name, guint64 count);

G_END_DECLS
