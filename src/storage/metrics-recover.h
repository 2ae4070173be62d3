/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-watch.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsRecoverFigures:
 * @n_series: series that were saved, but for those of rollups
 * @n_rollup_series: and those of rollups
 * @n_chunks: chunks that were saved
 * @n_points: the points in them
 * @n_logs: rows of the log that were saved
 * @n_lost: what was reported as lost or uncertain
 *
 * What became of a damaged database.
 */
typedef struct
{
  guint64 n_series;
  guint64 n_rollup_series;
  guint64 n_chunks;
  guint64 n_points;
  guint64 n_logs;
  guint64 n_lost;
} MetricsRecoverFigures;

gboolean metrics_recover_write (const char *folder,
                                const char *path,
                                const MetricsWatch *watch,
                                MetricsRecoverFigures *figures,
                                GError **error);

G_END_DECLS
