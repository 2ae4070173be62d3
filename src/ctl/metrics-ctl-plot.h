/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-chart.h"
#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/**
 * MetricsCtlPlot:
 * @ctl: (unowned): the command line's state
 * @patterns: (unowned): which keys
 * @from: the earliest time, where @has_from
 * @to: the latest time, where @has_to
 * @has_from: whether the span begins at a time that is known
 * @has_to: whether it ends at one; else it ends now
 * @span: how long it is where it does not begin at a time; 0 where nothing is said of that
 * @step: the step; 0 for one that fits
 * @function: what is made of the points of a step
 * @min: (nullable): where the axis of values begins
 * @max: (nullable): where it ends
 * @zone: (unowned): whose clocks to show
 * @width: in cells; 0 for what the terminal has
 * @height: in lines; 0 as well
 * @limit: how many series are drawn at most
 * @ascii: whether there is nothing but ASCII
 * @colors: which colours
 *
 * What the command line asks for.
 */
typedef struct
{
  MetricsCtl *ctl;
  GStrv patterns;
  gint64 from;
  gint64 to;
  gboolean has_from;
  gboolean has_to;
  gint64 span;
  gint64 step;
  MetricsFunction function;
  const double *min;
  const double *max;
  GTimeZone *zone;
  guint width;
  guint height;
  guint limit;
  gboolean ascii;
  MetricsCtlColors colors;
} MetricsCtlPlot;

/* The most steps that are asked for: no terminal has dots for more. */
#define METRICS_CTL_PLOT_MAX_STEPS 10000

/* About so many bytes of the patterns are shown where there is nothing else. */
#define METRICS_CTL_PATTERNS_SHOWN 100

char *metrics_ctl_plot_make_title (const MetricsCtlPlot *self, gint64 from, gint64 to, gint64 step);

char *metrics_ctl_plot_describe_problem (MetricsWatch *watch, const GError *error);

int metrics_ctl_plot_still (const MetricsCtlPlot *self);
int metrics_ctl_plot_follow (const MetricsCtlPlot *self);

G_END_DECLS
