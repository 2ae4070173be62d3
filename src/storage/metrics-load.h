/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-fetcher.h"
#include "storage/metrics-writer.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

gboolean metrics_load (const char *path,
                       MetricsWriterStart *start,
                       MetricsFetcher *fetcher,
                       MetricsStore *store,
                       GError **error);

G_END_DECLS
