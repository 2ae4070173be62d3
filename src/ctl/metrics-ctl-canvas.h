/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many dots a cell of a terminal has. */
#define METRICS_CTL_CANVAS_DOTS_X 2
#define METRICS_CTL_CANVAS_DOTS_Y 4

/* What dots are drawn on: cells of Braille, each in the colour of what was drawn there last. Dots are counted
 * from the left and from the top. */
typedef struct _MetricsCtlCanvas MetricsCtlCanvas;

MetricsCtlCanvas *metrics_ctl_canvas_new (guint columns, guint rows);
void metrics_ctl_canvas_free (MetricsCtlCanvas *self);

void metrics_ctl_canvas_dot (MetricsCtlCanvas *self, double x, double y, guint color);
void metrics_ctl_canvas_line (MetricsCtlCanvas *self,
                              double x0,
                              double y0,
                              double x1,
                              double y1,
                              guint color);

gunichar metrics_ctl_canvas_get_braille (const MetricsCtlCanvas *self, guint column, guint row);
gunichar metrics_ctl_canvas_get_ascii (const MetricsCtlCanvas *self, guint column, guint row);
guint metrics_ctl_canvas_get_color (const MetricsCtlCanvas *self, guint column, guint row);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlCanvas, metrics_ctl_canvas_free)

G_END_DECLS
