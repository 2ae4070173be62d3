/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MetricsChunks MetricsChunks;

/**
 * MetricsUsage:
 * @n_points: how many points are stored
 * @memory: how many bytes they take, with all that it needs to keep them; what was deleted counts until the
 *   last reader has let go of it
 * @work: how much was done for puts besides the usual, in units of work (see metrics_query_next()), since
 * that was asked for last
 * @is_tight: whether the limit is so near that memory goes before speed
 * @newest_warm: (unowned) (nullable): the chunks that were warmed last, see MetricsChunks
 * @oldest_warm: (unowned) (nullable): those that have been warm for longest
 * @n_warm: how many are warm
 *
 * What a store holds. Whoever adds or drops something counts it here.
 */
typedef struct
{
  guint64 n_points;
  guint64 memory;
  guint work;
  gboolean is_tight;
  MetricsChunks *newest_warm;
  MetricsChunks *oldest_warm;
  guint n_warm;
} MetricsUsage;

/* What it costs to code a chunk of points, or to open a coded one for more: measured, 2 to 6 us, where a unit
 * is a tenth of one. */
#define METRICS_CODING_UNITS 32

/* What the C library takes for an allocation of @size bytes: a word in front of it, sixteen bytes the step.
 */
static inline gsize
metrics_memory_of (gsize size)
{
  return (MAX (size, 24) + 8 + 15) & ~(gsize) 15;
}

G_END_DECLS
