/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk-source.h"
#include "store/metrics-series.h"

G_BEGIN_DECLS

/* A place in what a reader reads. */
typedef struct
{
  guint chunk;       /* index in the chunks */
  guint64 at;        /* index of a point in it */
  gboolean is_begin; /* whether it is before the first point wanted, wherever that is */
} MetricsReaderMark;

/**
 * MetricsReader:
 * @usage: (unowned): where what it holds is counted
 * @chunks: (owned) (element-type MetricsChunk): the chunks that have points of the span; %NULL in the place
 * of those that were released
 * @n_released: how many were
 * @from: the first time of the span
 * @to: its last time
 * @before: whether the newest point before the span is read as well
 * @mark: where it stands
 * @window: where the points that were read last begin
 * @held: where there are gaps, as of when they are read
 * @n_folded: so many chunks at the begin are gaps again, where they had been loaded
 * @refilled_begin: the first of them that was loaded anew
 * @refilled_end: the one behind the last of those
 * @is_waiting: whether a request under @held was not answered yet
 *
 * Reads the points of a span of one series, as they were when it was opened. A gap among them has to be
 * filled with what the source brings before it can be read, bit by bit.
 */
typedef struct
{
  MetricsUsage *usage;
  GPtrArray *chunks;
  guint n_released;
  gint64 from;
  gint64 to;
  gboolean before;
  MetricsReaderMark mark;
  MetricsReaderMark window;
  MetricsHeld held;
  guint n_folded;
  guint refilled_begin;
  guint refilled_end;
  gboolean is_waiting;
} MetricsReader;

void metrics_reader_init (MetricsReader *self, MetricsUsage *usage);
void metrics_reader_clear (MetricsReader *self);

void metrics_reader_open (MetricsReader *self,
                          const MetricsSeries *series,
                          gint64 from,
                          gint64 to,
                          gboolean before);
gboolean metrics_reader_hold (MetricsReader *self, MetricsChunkSource *source, const MetricsHeld *past);
gboolean metrics_reader_close (MetricsReader *self, gint *budget);
GPtrArray *metrics_reader_steal_chunks (MetricsReader *self);
guint metrics_reader_get_n_chunks (const MetricsReader *self);

MetricsChunk *metrics_reader_get_chunk (const MetricsReader *self);
guint metrics_reader_read (MetricsReader *self, guint n, MetricsPoint *points);
void metrics_reader_read_window (MetricsReader *self, guint n, guint64 span, MetricsWindow *window);

gboolean metrics_reader_ask (const MetricsReader *self, guint64 id, MetricsChunkRequest *request);
gboolean metrics_reader_fill (MetricsReader *self, const MetricsChunkAnswer *answer);

MetricsReaderMark metrics_reader_get_window (const MetricsReader *self);
MetricsReaderMark metrics_reader_get_mark (const MetricsReader *self);
void metrics_reader_seek (MetricsReader *self, MetricsReaderMark mark);
void metrics_reader_release (MetricsReader *self, MetricsReaderMark mark, gint *budget);

G_END_DECLS
