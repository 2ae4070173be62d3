/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsCollectPoint:
 * @key: (owned): an interned #GRefString: many points share few keys
 * @value: what was measured
 * @time: when
 *
 * A point that waits to be sent.
 */
typedef struct
{
  char *key;
  double value;
  gint64 time;
} MetricsCollectPoint;

/* Points that wait to be sent, as many as there is room for: of more the oldest are dropped. */
typedef struct _MetricsCollectQueue MetricsCollectQueue;

MetricsCollectQueue *metrics_collect_queue_new (guint capacity);
void metrics_collect_queue_free (MetricsCollectQueue *self);

void metrics_collect_queue_push (MetricsCollectQueue *self, const char *key, double value, gint64 time);
const MetricsCollectPoint *metrics_collect_queue_get (MetricsCollectQueue *self, guint nth);
guint metrics_collect_queue_get_length (MetricsCollectQueue *self);

void metrics_collect_queue_begin (MetricsCollectQueue *self);
void metrics_collect_queue_settle (MetricsCollectQueue *self, guint n_done);
guint64 metrics_collect_queue_get_n_dropped (MetricsCollectQueue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCollectQueue, metrics_collect_queue_free)

G_END_DECLS
