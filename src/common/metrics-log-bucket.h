/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A token comes back after so long, in microseconds. */
#define METRICS_LOG_BUCKET_INTERVAL G_TIME_SPAN_MINUTE

/**
 * MetricsLogBucket:
 * @n_used: tokens that were taken and have not come back
 * @since: when the last one came back, or the first was taken; in microseconds of a clock that is never set
 * @n_suppressed: how many messages were not said since the last one that was
 *
 * Bounds how often one thing is said: a burst at once, then one a minute. All zero it is full.
 */
typedef struct
{
  guint n_used;
  gint64 since;
  guint n_suppressed;
} MetricsLogBucket;

gboolean metrics_log_bucket_check (MetricsLogBucket *self, guint burst, gint64 now);
gboolean metrics_log_bucket_take (MetricsLogBucket *self, guint burst, gint64 now);
guint metrics_log_bucket_take_suppressed (MetricsLogBucket *self);

G_END_DECLS
