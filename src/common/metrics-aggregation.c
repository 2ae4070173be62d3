/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-aggregation.h"

#include <string.h>

static const char *const names[] = {
  [METRICS_AGGREGATION_AVG] = "avg",     [METRICS_AGGREGATION_MIN] = "min",
  [METRICS_AGGREGATION_MAX] = "max",     [METRICS_AGGREGATION_SUM] = "sum",
  [METRICS_AGGREGATION_COUNT] = "count", [METRICS_AGGREGATION_FIRST] = "first",
  [METRICS_AGGREGATION_LAST] = "last",   [METRICS_AGGREGATION_MEDIAN] = "median",
  [METRICS_AGGREGATION_P95] = "p95",     [METRICS_AGGREGATION_P99] = "p99",
  [METRICS_AGGREGATION_RATE] = "rate",
};

/**
 * metrics_aggregation_from_name:
 * @name: (array length=len): the protocol's name of a function of buckets
 * @len: its length in bytes
 *
 * Returns: the function, or %METRICS_AGGREGATION_NONE where there is none of that name
 */
MetricsAggregation
metrics_aggregation_from_name (const char *name, gsize len)
{
  for (guint i = METRICS_AGGREGATION_AVG; i < G_N_ELEMENTS (names); i++)
    {
      if (strlen (names[i]) == len && memcmp (names[i], name, len) == 0)
        return i;
    }
  return METRICS_AGGREGATION_NONE;
}

/**
 * metrics_aggregation_get_name:
 * @aggregation: a function of buckets, not %METRICS_AGGREGATION_NONE
 *
 * Returns: (transfer none): the protocol's name of it
 */
const char *
metrics_aggregation_get_name (MetricsAggregation aggregation)
{
  g_assert (aggregation > METRICS_AGGREGATION_NONE && aggregation < G_N_ELEMENTS (names));

  return names[aggregation];
}
