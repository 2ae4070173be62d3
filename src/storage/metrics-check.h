/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-watch.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsCheckFigures:
 * @n_series: rows of the table of series, but for those of rollups
 * @n_rollup_series: and those of rollups
 * @n_chunks: rows of the table of chunks
 * @n_points: the points in whole chunks
 * @n_logs: rows of the log
 * @n_changes: the changes in whole rows of the log
 * @n_findings: what is wrong
 *
 * What a check has seen.
 */
typedef struct
{
  guint64 n_series;
  guint64 n_rollup_series;
  guint64 n_chunks;
  guint64 n_points;
  guint64 n_logs;
  guint64 n_changes;
  guint64 n_findings;
} MetricsCheckFigures;

gboolean metrics_check_read (const char *folder,
                             const MetricsWatch *watch,
                             MetricsCheckFigures *figures,
                             GError **error);

G_END_DECLS
