/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a bucket of points is reduced to. */
typedef enum
{
  METRICS_AGGREGATION_NONE,
  METRICS_AGGREGATION_AVG,
  METRICS_AGGREGATION_MIN,
  METRICS_AGGREGATION_MAX,
  METRICS_AGGREGATION_SUM,
  METRICS_AGGREGATION_COUNT,
  METRICS_AGGREGATION_FIRST,
  METRICS_AGGREGATION_LAST,
  METRICS_AGGREGATION_MEDIAN,
  METRICS_AGGREGATION_P95,
  METRICS_AGGREGATION_P99,
  METRICS_AGGREGATION_RATE,
} MetricsAggregation;

MetricsAggregation metrics_aggregation_from_name (const char *name, gsize len);

const char *metrics_aggregation_get_name (MetricsAggregation aggregation);

G_END_DECLS
