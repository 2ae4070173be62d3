/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-aggregation.h"
#include "common/metrics-buffer.h"
#include "common/metrics-point.h"
#include "common/metrics-tokens.h"

G_BEGIN_DECLS

typedef enum
{
  METRICS_VERB_WRONG, /* no command at all */
  METRICS_VERB_PUT,
  METRICS_VERB_GET,
  METRICS_VERB_GET_ALL,
  METRICS_VERB_LAST,
  METRICS_VERB_RANGE,
  METRICS_VERB_KEYS,
  METRICS_VERB_DEL,
  METRICS_VERB_WATCH,
  METRICS_VERB_UNWATCH,
  METRICS_VERB_PING,
  METRICS_VERB_STATS,
  METRICS_VERB_HELP,
  METRICS_VERB_QUIT,
} MetricsVerb;

/**
 * MetricsCommand:
 * @verb: what is to be done
 * @key: of put and get: the key; of last, range, keys, del and watch: the
 *   pattern
 * @point: of put
 * @from: of range and del: the first timestamp, %G_MININT64 where it is open
 * @to: of range and del: the last timestamp, %G_MAXINT64 where it is open
 * @step: of range: seconds a bucket, at least 1; 0 where points are asked for
 * @aggregation: of range with a step
 *
 * A request, read. Its key points into the line from which it was read.
 */
typedef struct
{
  MetricsVerb verb;
  MetricsToken key; /* (unowned) */
  MetricsPoint point;
  gint64 from;
  gint64 to;
  gint64 step;
  MetricsAggregation aggregation;
} MetricsCommand;

void metrics_command_parse (const char *line, gsize len, gint64 now, MetricsCommand *command);
gboolean metrics_command_is_http (const char *line, gsize len);

void metrics_command_append_help (MetricsBuffer *out);

G_END_DECLS
