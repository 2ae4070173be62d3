/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsUsage:
 * @n_points: how many points are stored
 * @memory: how many bytes they take, with all that it needs to keep them; what was deleted counts until the
 *   last reader has let go of it
 *
 * What a store holds. Whoever adds or drops something counts it here.
 */
typedef struct
{
  guint64 n_points;
  guint64 memory;
} MetricsUsage;

/* What the C library takes for an allocation of @size bytes: a word in front of it, sixteen bytes the step.
 */
static inline gsize
metrics_memory_of (gsize size)
{
  return (MAX (size, 24) + 8 + 15) & ~(gsize) 15;
}

G_END_DECLS
