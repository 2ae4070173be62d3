/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-limits.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

typedef struct _MetricsRecorder MetricsRecorder;

MetricsRecorder *metrics_recorder_new (MetricsStore *store, const MetricsFigures *figures, guint interval);
void metrics_recorder_free (MetricsRecorder *self);

G_END_DECLS
