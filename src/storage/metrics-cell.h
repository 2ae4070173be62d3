/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-pages.h"
#include "storage/metrics-whole.h"

G_BEGIN_DECLS

/**
 * MetricsCellKind:
 * @METRICS_CELL_OTHER: of another table
 * @METRICS_CELL_SERIES: a row of the table of series
 * @METRICS_CELL_CHUNK: a row of the table of chunks
 * @METRICS_CELL_LOG: a row of the log
 * @METRICS_CELL_KEY: what the index of keys has of a series
 * @METRICS_CELL_SPAN: what the index of chunks has of a chunk
 * @METRICS_CELL_ROOT: what SQLite has of a table or an index: @series is its first page
 *
 * What a record is, as far as its columns tell.
 */
typedef enum
{
  METRICS_CELL_OTHER,
  METRICS_CELL_SERIES,
  METRICS_CELL_CHUNK,
  METRICS_CELL_LOG,
  METRICS_CELL_KEY,
  METRICS_CELL_SPAN,
  METRICS_CELL_ROOT,
} MetricsCellKind;

/* The most columns that one of these has, with room for those of later versions. */
#define METRICS_CELL_MAX_COLUMNS 16

/**
 * MetricsCell:
 * @kind: what it is
 * @id: the number of the row
 * @series: of a chunk: its series
 * @span: of a chunk: what the columns say that it holds; of the index: @first alone
 * @checksum: of a chunk and the log: what the column says
 * @data: (array length=size): a key, points or changes; in the buffer that was read into
 * @size: how many bytes that is
 * @start: where in its page it begins
 * @end: where in its page it ends
 *
 * A record in a page.
 */
typedef struct
{
  MetricsCellKind kind;
  gint64 id;
  gint64 series;
  MetricsSpan span;
  gint64 checksum;
  const guint8 *data;
  gsize size;
  guint start;
  guint end;
} MetricsCell;

typedef enum
{
  METRICS_CELL_OF_TABLE,
  METRICS_CELL_OF_INDEX,
  METRICS_CELL_OF_INDEX_INNER,
} MetricsCellPlace;

typedef void (*MetricsCellChainFunc) (guint page, gpointer user_data);

gboolean metrics_cell_read (MetricsCell *self,
                            MetricsPages *pages,
                            const guint8 *page,
                            guint offset,
                            MetricsCellPlace place,
                            GByteArray *buffer,
                            MetricsCellChainFunc func,
                            gpointer user_data);
gboolean metrics_cell_is_whole (const MetricsCell *self);

G_END_DECLS
