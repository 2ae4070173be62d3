/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-request.h"
#include <metrics-glib/metrics-batch.h>

G_BEGIN_DECLS

MetricsRequest *metrics_batch_make_request (MetricsBatch *self);
void metrics_batch_take_outcome (MetricsBatch *self, MetricsRequest *request);

G_END_DECLS
