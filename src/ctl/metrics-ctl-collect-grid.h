/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* For each point of the grid: its time, in seconds since the Unix epoch. */
typedef void (*MetricsCollectGridFunc) (gint64 slot, gpointer user_data);

/* Calls back at the multiples of an interval, by the clock on the wall. */
typedef struct _MetricsCollectGrid MetricsCollectGrid;

MetricsCollectGrid *metrics_collect_grid_new (guint interval,
                                              MetricsCollectGridFunc func,
                                              gpointer user_data,
                                              GError **error);
void metrics_collect_grid_free (MetricsCollectGrid *self);

gint64 metrics_collect_grid_next (gint64 now, guint interval);
gboolean metrics_collect_grid_find_slot (gint64 now, guint interval, gint64 *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCollectGrid, metrics_collect_grid_free)

G_END_DECLS
