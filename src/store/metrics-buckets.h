/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-bucket.h"
#include "store/metrics-reader.h"

G_BEGIN_DECLS

typedef struct _MetricsBuckets MetricsBuckets;

MetricsBuckets *metrics_buckets_new (MetricsAggregation aggregation, gint64 step);
void metrics_buckets_free (MetricsBuckets *self);

gboolean metrics_buckets_needs_before (const MetricsBuckets *self);
void metrics_buckets_begin (MetricsBuckets *self, MetricsReader *reader);
MetricsReaderMark metrics_buckets_get_begin (const MetricsBuckets *self);
gboolean metrics_buckets_wants_chunk (const MetricsBuckets *self);
gboolean metrics_buckets_advance (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points);

G_END_DECLS
