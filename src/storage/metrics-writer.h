/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-database.h"
#include "storage/metrics-log.h"
#include "storage/metrics-storage.h"

G_BEGIN_DECLS

/**
 * MetricsWriterStart:
 * @folder: where the files are
 * @database: (owned): where to write
 * @durability: when
 * @touched: (owned): what the rows of the log that are there have changed
 * @last_log: the number of the last row
 * @n_damaged: how many rows were named as damaged
 * @log_bytes: how many bytes they have
 *
 * What a writer begins with.
 */
typedef struct
{
  const char *folder;
  MetricsDatabase *database;
  MetricsDurability durability;
  GHashTable *touched;
  guint64 last_log;
  guint64 n_damaged;
  guint64 log_bytes;
} MetricsWriterStart;

/**
 * MetricsWriterNews:
 * @kept: the position up to which all is kept
 * @failed: the position of the newest change of an attempt that failed since the last time, or 0
 * @removals: (owned) (nullable) (element-type MetricsPositions): removals that are kept, though not all
 * changes before them are
 * @reason: (owned) (nullable): why it failed
 * @failing: whether the last attempt failed
 * @damaged: whether nothing will be written any more
 * @pending: how many bytes of changes wait to be written
 * @wal_size: how many bytes the write-ahead log has
 *
 * What became of changes.
 */
typedef struct
{
  guint64 kept;
  guint64 failed;
  GArray *removals;
  char *reason;
  gboolean failing;
  gboolean damaged;
  guint64 pending;
  guint64 wal_size;
} MetricsWriterNews;

typedef struct _MetricsWriter MetricsWriter;

MetricsWriter *metrics_writer_new (const MetricsWriterStart *start, GSource *notice);
void metrics_writer_free (MetricsWriter *self);

MetricsLogBatch *metrics_writer_begin_change (MetricsWriter *self);
guint64 metrics_writer_end_change (MetricsWriter *self, guint64 position);

void metrics_writer_take_news (MetricsWriter *self, MetricsWriterNews *news);
void metrics_writer_get_figures (MetricsWriter *self, MetricsStorageFigures *figures);

void metrics_writer_set_durability (MetricsWriter *self, MetricsDurability durability);
void metrics_writer_press (MetricsWriter *self);
void metrics_writer_flush (MetricsWriter *self);
void metrics_writer_refuse (MetricsWriter *self);
void metrics_writer_touch (MetricsWriter *self, guint64 id, gint64 from, gint64 to);

gboolean metrics_writer_pass_on (MetricsWriter *self, MetricsStore *store, gboolean *has_settled);
gboolean metrics_writer_answer (MetricsWriter *self, MetricsStore *store, gint64 deadline);
gboolean metrics_writer_stop (MetricsWriter *self, MetricsStore *store, GError **error);

G_END_DECLS
