/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-top-rows.h"

G_BEGIN_DECLS

/**
 * MetricsCtlTopRead:
 * @now: the time at which the window ends
 * @window: how long it is, in seconds
 * @patterns: (owned) (nullable): whose newest points are read; and the windows of all of them where @all
 * @all: whether all windows are read
 * @coarse: whether these are read as a whole, without steps: so a row of many costs little
 * @keys: (owned): whose windows are read, where not @all
 * @samples: (owned) (nullable) (element-type MetricsSample): the newest points, where @patterns
 * @stats: (owned) (element-type utf8 MetricsCtlTopStats): what there is in the windows
 *
 * A request for a part of the table, and the answer. Between start and end it belongs to a thread of its own.
 */
typedef struct
{
  gint64 now;
  gint64 window;
  GStrv patterns;
  gboolean all;
  gboolean coarse;
  GPtrArray *keys;
  GPtrArray *samples;
  GHashTable *stats;
  /*< private >*/
  MetricsClient *client;
} MetricsCtlTopRead;

MetricsCtlTopRead *metrics_ctl_top_read_new (MetricsClient *client, gint64 now, gint64 window);
void metrics_ctl_top_read_free (MetricsCtlTopRead *self);

gint64 metrics_ctl_top_get_step (gint64 window);

gboolean metrics_ctl_top_read_run (MetricsCtlTopRead *self, GError **error);
void metrics_ctl_top_read_give (MetricsCtlTopRead *self, MetricsCtlTopRow *row);
void metrics_ctl_top_read_start (MetricsCtlTopRead *self, GAsyncReadyCallback callback, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlTopRead, metrics_ctl_top_read_free)

G_END_DECLS
