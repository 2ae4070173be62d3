/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-plot.h"

G_BEGIN_DECLS

/**
 * MetricsCtlPlotPart:
 * @key: (owned): whose points
 * @from: from when on they are read
 * @points: (owned) (nullable) (element-type MetricsPoint): what there is
 *
 * What is read of one series.
 */
typedef struct
{
  char *key;
  gint64 from;
  GArray *points;
} MetricsCtlPlotPart;

/**
 * MetricsCtlPlotRead:
 * @generation: for whoever asks, to know an answer that is too late
 * @find: whether the keys that match are looked for, and all that are to be drawn are read
 * @from: the earliest time of all parts
 * @to: the latest
 * @step: the step
 * @parts: (owned) (element-type MetricsCtlPlotPart): the series
 * @others: (owned) (element-type utf8): the keys that match and were not read, where @find
 *
 * A request for points, and the answer. Between start and end it belongs to a thread of its own.
 */
typedef struct
{
  guint generation;
  gboolean find;
  gint64 from;
  gint64 to;
  gint64 step;
  GArray *parts;
  GHashTable *others;
  /*< private >*/
  MetricsClient *client;
  GStrv patterns;
  guint limit;
  MetricsFunction function;
} MetricsCtlPlotRead;

MetricsCtlPlotRead *metrics_ctl_plot_read_new (const MetricsCtlPlot *plot, gboolean find);
void metrics_ctl_plot_read_add (MetricsCtlPlotRead *self, const char *key, gint64 from);
void metrics_ctl_plot_read_start (MetricsCtlPlotRead *self, GAsyncReadyCallback callback, gpointer user_data);

G_END_DECLS
