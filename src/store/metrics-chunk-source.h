/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-chunk.h"

#include <glib-object.h>

G_BEGIN_DECLS

/* What is on disk, as of one instant; defined by the source. */
typedef struct _MetricsHold MetricsHold;

/**
 * MetricsChunkRequest:
 * @id: the number of the series
 * @first: the first time of the gap: rows beyond it are not looked at
 * @last: its last time
 * @from: the first time of what is wanted of it: chunks that overlap that span
 * @to: the last time of that
 * @before: whether to begin with the chunk that holds the newest point before @from, if the gap has one
 * @max_chunks: how many chunks at most, at least 1
 * @count: whether @n_left and @last_left of the answer are wanted
 *
 * What is asked of a source.
 */
typedef struct
{
  guint64 id;
  gint64 first;
  gint64 last;
  gint64 from;
  gint64 to;
  gboolean before;
  guint max_chunks;
  gboolean count;
} MetricsChunkRequest;

/**
 * MetricsChunkAnswer:
 * @chunks: (owned) (nullable) (element-type MetricsChunk): whole ones, sealed, coded, ascending; none where
 *   there are none
 * @n_damaged: the points of rows that were left out since they are damaged; the source has named them in the
 *   log
 * @has_next: whether the gap has rows behind these; those left out count as passed
 * @next_first: the first time of the next one
 * @n_left: the points of the gap's rows before the first of these; where there are none of these, before the
 *   first time that was asked for
 * @last_left: the last time of those; only where @n_left > 0
 *
 * What a source says.
 */
typedef struct
{
  GPtrArray *chunks;
  guint64 n_damaged;
  gboolean has_next;
  gint64 next_first;
  guint64 n_left;
  gint64 last_left;
} MetricsChunkAnswer;

void metrics_chunk_answer_clear (MetricsChunkAnswer *self);

/**
 * MetricsChunkSourceFunc:
 * @answer: (nullable): what there is, for as long as the function runs; who wants to keep a chunk takes a
 *   reference. %NULL where it cannot be read (any more)
 * @user_data: what was given to metrics_chunk_source_request()
 *
 * Takes an answer. It is called from the main loop, never from within metrics_chunk_source_request().
 */
typedef void (*MetricsChunkSourceFunc) (const MetricsChunkAnswer *answer, gpointer user_data);

#define METRICS_TYPE_CHUNK_SOURCE (metrics_chunk_source_get_type ())
G_DECLARE_INTERFACE (MetricsChunkSource, metrics_chunk_source, METRICS, CHUNK_SOURCE, GObject)

/**
 * MetricsChunkSourceInterface:
 * @hold: see metrics_chunk_source_hold()
 * @hold_ref: see metrics_chunk_source_hold_ref()
 * @hold_unref: see metrics_chunk_source_hold_unref()
 * @request: see metrics_chunk_source_request()
 * @cancel: see metrics_chunk_source_cancel()
 *
 * Brings chunks that are on disk alone. A store without a source has all of them in memory.
 */
struct _MetricsChunkSourceInterface
{
  GTypeInterface parent_iface;

  MetricsHold *(*hold) (MetricsChunkSource *self);
  MetricsHold *(*hold_ref) (MetricsChunkSource *self, MetricsHold *hold);
  void (*hold_unref) (MetricsChunkSource *self, MetricsHold *hold);
  gpointer (*request) (MetricsChunkSource *self,
                       MetricsHold *hold,
                       const MetricsChunkRequest *request,
                       MetricsChunkSourceFunc func,
                       gpointer user_data);
  void (*cancel) (MetricsChunkSource *self, gpointer ticket);
};

MetricsHold *metrics_chunk_source_hold (MetricsChunkSource *self);
MetricsHold *metrics_chunk_source_hold_ref (MetricsChunkSource *self, MetricsHold *hold);
void metrics_chunk_source_hold_unref (MetricsChunkSource *self, MetricsHold *hold);
gpointer metrics_chunk_source_request (MetricsChunkSource *self,
                                       MetricsHold *hold,
                                       const MetricsChunkRequest *request,
                                       MetricsChunkSourceFunc func,
                                       gpointer user_data);
void metrics_chunk_source_cancel (MetricsChunkSource *self, gpointer ticket);

/**
 * MetricsHeld:
 * @source: (owned) (nullable): whose hold it is; %NULL where there is none
 * @hold: (owned) (nullable): it
 *
 * A hold, and whose it is. A plain struct, all zero when empty, that lives inside its owner.
 */
typedef struct
{
  MetricsChunkSource *source;
  MetricsHold *hold;
} MetricsHeld;

gboolean metrics_held_take (MetricsHeld *self, MetricsChunkSource *source);
void metrics_held_copy (MetricsHeld *self, const MetricsHeld *other);
void metrics_held_clear (MetricsHeld *self);

G_END_DECLS
