/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsCtlColors:
 * @METRICS_CTL_COLORS_NONE: none at all
 * @METRICS_CTL_COLORS_16: those that every terminal with colours has
 * @METRICS_CTL_COLORS_256: the palette of xterm
 *
 * What colours the terminal shows.
 */
typedef enum
{
  METRICS_CTL_COLORS_NONE,
  METRICS_CTL_COLORS_16,
  METRICS_CTL_COLORS_256,
} MetricsCtlColors;

/* How a text looks: one of these, or METRICS_CTL_STYLE_SERIES and the number of a series. */
typedef enum
{
  METRICS_CTL_STYLE_PLAIN,
  METRICS_CTL_STYLE_BOLD,
  METRICS_CTL_STYLE_FAINT,
  METRICS_CTL_STYLE_REVERSE,
  METRICS_CTL_STYLE_SERIES,
} MetricsCtlStyle;

/**
 * MetricsCtlPaint:
 * @text: (owned): what is painted so far, in UTF-8
 * @colors: the colours that may be used
 * @attributes: whether bold, faint and reverse may be used
 * @ascii: whether there is nothing but ASCII for what is drawn
 * @screen: whether it replaces what stands on a screen: each line clears what is left of the one before it
 * @width: how many cells a line has
 * @column: how many of this one are painted
 *
 * Lines of text on their way to a terminal or into a file, painted from left to right and from the top
 * down. No line becomes wider than @width, and where nothing may be used no escape sequence is written.
 */
typedef struct
{
  GString *text;
  MetricsCtlColors colors;
  gboolean attributes;
  gboolean ascii;
  gboolean screen;
  guint width;
  guint column;
  /*< private >*/
  guint blanks; /* at the end of @column, not written yet: there are none at the end of a line */
  guint style;  /* which one holds in @text */
} MetricsCtlPaint;

gboolean metrics_ctl_colors_choose (const char *when, gboolean terminal, MetricsCtlColors *colors);
gboolean metrics_ctl_terminal_is_dumb (void);

void metrics_ctl_paint_init (MetricsCtlPaint *self, MetricsCtlColors colors, gboolean ascii, guint width);
void metrics_ctl_paint_clear (MetricsCtlPaint *self);
void metrics_ctl_paint_restart (MetricsCtlPaint *self, guint width);

void metrics_ctl_paint_text (MetricsCtlPaint *self, guint style, const char *text);
void metrics_ctl_paint_fitted (MetricsCtlPaint *self, guint style, const char *text, guint width);
void metrics_ctl_paint_right (MetricsCtlPaint *self, guint style, const char *text, guint width);
void metrics_ctl_paint_unichar (MetricsCtlPaint *self, guint style, gunichar c);
void metrics_ctl_paint_blanks (MetricsCtlPaint *self, guint n);
void metrics_ctl_paint_end_line (MetricsCtlPaint *self);

char *metrics_ctl_paint_take (MetricsCtlPaint *self, gsize *n_bytes);

G_END_DECLS
