/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"

G_BEGIN_DECLS

/**
 * MetricsDamagedRow:
 * @id: its number
 * @series: the series that it belongs to
 * @first: the first time that it has, as the table says
 * @last: the last one
 * @on_page: whether it is on a page that cannot be right
 *
 * A chunk that was left out since it is not what was written.
 */
typedef struct
{
  guint64 id;
  guint64 series;
  gint64 first;
  gint64 last;
  gboolean on_page;
} MetricsDamagedRow;

typedef struct _MetricsRows MetricsRows;

MetricsRows *metrics_rows_open (const char *path, GError **error);
void metrics_rows_close (MetricsRows *self);
gboolean metrics_rows_begin (MetricsRows *self, GError **error);
void metrics_rows_end (MetricsRows *self);
gboolean metrics_rows_read (MetricsRows *self,
                            const MetricsChunkRequest *request,
                            MetricsChunkAnswer *answer,
                            GArray *damaged,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRows, metrics_rows_close)

G_END_DECLS
