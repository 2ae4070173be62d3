/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsPressure MetricsPressure;

MetricsPressure *metrics_pressure_new (MetricsStore *store);
void metrics_pressure_free (MetricsPressure *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsPressure, metrics_pressure_free)

G_END_DECLS
