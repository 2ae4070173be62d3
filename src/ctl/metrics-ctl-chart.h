/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-paint.h"
#include "ctl/metrics-ctl-series.h"

G_BEGIN_DECLS

/* The most series that a chart holds: each has a letter of its own. */
#define METRICS_CTL_CHART_MAX_SERIES 52

/* What a chart needs at least. */
#define METRICS_CTL_CHART_MIN_WIDTH 16
#define METRICS_CTL_CHART_MIN_HEIGHT 4

/**
 * MetricsCtlChart:
 * @series: (unowned) (element-type MetricsCtlSeries): what is drawn
 * @n_left_out: how many series are not
 * @from: the first time of the axis
 * @to: the last one, not before
 * @step: the step of the points
 * @title: (unowned): what stands above
 * @status: (unowned) (nullable): what has to be seen, beside the title
 * @alert: whether the title says that something is wrong
 * @message: (unowned) (nullable): what is said in the middle of a picture of nothing
 * @min: (nullable): where the axis of values begins; by default where the values do
 * @max: (nullable): where it ends
 * @zone: (unowned): whose clocks to show
 * @height: how many lines there are
 *
 * A picture of series over time.
 */
typedef struct
{
  const GPtrArray *series;
  guint n_left_out;
  gint64 from;
  gint64 to;
  gint64 step;
  const char *title;
  const char *status;
  gboolean alert;
  const char *message;
  const double *min;
  const double *max;
  GTimeZone *zone;
  guint height;
} MetricsCtlChart;

guint metrics_ctl_chart_get_dots (guint width);
char metrics_ctl_chart_get_letter (guint nth);
guint metrics_ctl_chart_get_whole_height (const MetricsCtlChart *self);
void metrics_ctl_chart_draw (const MetricsCtlChart *self, MetricsCtlPaint *paint);

/* In metrics-ctl-legend.c. */
guint metrics_ctl_legend_get_whole_height (const MetricsCtlChart *self);
guint metrics_ctl_legend_get_height (const MetricsCtlChart *self, guint n_free);
void metrics_ctl_legend_draw_names (const MetricsCtlChart *self, MetricsCtlPaint *paint);
void metrics_ctl_legend_draw (const MetricsCtlChart *self, MetricsCtlPaint *paint, guint height);

G_END_DECLS
