/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-server.h"
#include "ctl/metrics-ctl-bench-workload.h"

G_BEGIN_DECLS

char *metrics_bench_report (const MetricsBenchResult *result, const MetricsBenchServer *server);

G_END_DECLS
