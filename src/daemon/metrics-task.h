/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-options.h"

G_BEGIN_DECLS

int metrics_task_run (const char *folder, const MetricsOptions *options);

G_END_DECLS
