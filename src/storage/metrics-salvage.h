/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-cell.h"
#include "storage/metrics-watch.h"

G_BEGIN_DECLS

/**
 * MetricsSalvaged:
 * @kind: a chunk, or a row of the log
 * @id: its number
 * @series: of a chunk: its series
 * @span: of a chunk: what it holds
 * @page: where it stands
 * @offset: where in that page
 * @doubtful: whether it may have been deleted: its page is a free one, or one of unknown place
 * @referenced: whether another page leads to its page
 *
 * A row, or what an index knows of a chunk.
 */
typedef struct
{
  MetricsCellKind kind;
  gint64 id;
  gint64 series;
  MetricsSpan span;
  guint page;
  guint offset;
  gboolean doubtful;
  gboolean referenced;
} MetricsSalvaged;

/**
 * MetricsSalvage:
 * @pages: (owned): where they were found
 * @chunks: (owned) (element-type MetricsSalvaged): whole chunks
 * @logs: (owned) (element-type MetricsSalvaged): whole rows of the log
 * @broken: (owned) (element-type MetricsSalvaged): chunks and rows of the log that are not
 * @spans: (owned) (element-type MetricsSalvaged): what the index knows of chunks
 * @keys: (owned) (element-type gint64 GBytes): the keys of series, by their table
 * @index_keys: (owned) (element-type gint64 GBytes): and by their index
 * @damaged: (owned) (element-type guint32): pages that are not as they were written
 * @contested: (owned) (element-type guint32): pages that are free and used
 * @interrupted: whether it was told not to go on
 *
 * All that is found in a database file, whatever it looks like.
 */
typedef struct
{
  MetricsPages *pages;
  GArray *chunks;
  GArray *logs;
  GArray *broken;
  GArray *spans;
  GHashTable *keys;
  GHashTable *index_keys;
  GArray *damaged;
  GArray *contested;
  gboolean interrupted;
} MetricsSalvage;

MetricsSalvage *metrics_salvage_new (const char *path,
                                     guint page_size,
                                     const MetricsWatch *watch,
                                     GError **error);
void metrics_salvage_free (MetricsSalvage *self);
gboolean metrics_salvage_read (MetricsSalvage *self,
                               const MetricsSalvaged *row,
                               GByteArray *buffer,
                               MetricsCell *cell);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSalvage, metrics_salvage_free)

G_END_DECLS
