/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-paint.h"
#include "ctl/metrics-ctl-top-rows.h"
#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/**
 * MetricsCtlTop:
 * @ctl: (unowned): the command line's state
 * @patterns: (unowned): which keys
 * @window: how far back is looked, in seconds
 * @sort: what the rows are sorted by
 * @reverse: whether the other way around
 * @max_lines: how many rows there are at most; 0 is no limit
 * @ascii: whether there is nothing but ASCII
 * @colors: which colours
 *
 * What the command line asks for.
 */
typedef struct
{
  MetricsCtl *ctl;
  GStrv patterns;
  gint64 window;
  MetricsCtlTopColumn sort;
  gboolean reverse;
  guint max_lines;
  gboolean ascii;
  MetricsCtlColors colors;
} MetricsCtlTop;

/**
 * MetricsCtlTopView:
 * @rows: (unowned): the table
 * @title: (unowned) (nullable): what stands above
 * @alert: whether that says that something is wrong
 * @message: (unowned) (nullable): what stands in place of rows
 * @prompt: (unowned) (nullable): the filter that is being typed
 * @now: the time
 * @window: how far back is looked
 * @first: the first row that can be seen
 * @selected: the row that is chosen; -1 is none
 * @n_rows: how many can be seen
 *
 * The table as it is drawn.
 */
typedef struct
{
  const MetricsCtlTopRows *rows;
  const char *title;
  gboolean alert;
  const char *message;
  const char *prompt;
  gint64 now;
  gint64 window;
  guint first;
  int selected;
  guint n_rows;
} MetricsCtlTopView;

void metrics_ctl_top_view_draw (const MetricsCtlTopView *self, MetricsCtlPaint *paint);
char *metrics_ctl_top_format_age (gint64 seconds);

int metrics_ctl_top_once (const MetricsCtlTop *self);
int metrics_ctl_top_live (const MetricsCtlTop *self);

G_END_DECLS
