/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* How many bytes an answer may have, and all that are being made, as the interface's description counts. */
#define METRICS_BUS_MAX_ANSWER (16 << 20)
#define METRICS_BUS_MAX_ANSWERS (64 << 20)

/**
 * MetricsBusShape:
 * @METRICS_BUS_SHAPE_POINTS: `a(dx)`, of one series
 * @METRICS_BUS_SHAPE_SERIES: `a(sa(dx))`
 * @METRICS_BUS_SHAPE_LAST: `a(sdx)`
 * @METRICS_BUS_SHAPE_KEYS: `a(stxx)`
 *
 * The form of an answer on the bus.
 */
typedef enum
{
  METRICS_BUS_SHAPE_POINTS,
  METRICS_BUS_SHAPE_SERIES,
  METRICS_BUS_SHAPE_LAST,
  METRICS_BUS_SHAPE_KEYS,
} MetricsBusShape;

typedef struct _MetricsBusAnswer MetricsBusAnswer;

MetricsBusAnswer *metrics_bus_answer_new (MetricsBusShape shape);
void metrics_bus_answer_free (MetricsBusAnswer *self);

void metrics_bus_answer_add (MetricsBusAnswer *self, const MetricsQueryRow *row);
gsize metrics_bus_answer_get_size (const MetricsBusAnswer *self);
GVariant *metrics_bus_answer_build (const MetricsBusAnswer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBusAnswer, metrics_bus_answer_free)

G_END_DECLS
