/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-canvas.h"

#include <math.h>

#define BRAILLE 0x2800

typedef struct
{
  guint8 dots;   /* as Unicode counts them: the bits of the code point */
  guint16 color; /* of the last dot */
} Cell;

struct _MetricsCtlCanvas
{
  guint columns;
  guint rows;
  Cell cells[];
};

/* The bits of a cell's dots, a row after the other: Braille has had six dots first, and got two below. */
static const guint8 bits[METRICS_CTL_CANVAS_DOTS_Y][METRICS_CTL_CANVAS_DOTS_X] = {
  { 0x01, 0x08 },
  { 0x02, 0x10 },
  { 0x04, 0x20 },
  { 0x40, 0x80 },
};

/**
 * metrics_ctl_canvas_new:
 * @columns: how many cells it is wide, at least 1
 * @rows: how many cells it is high, at least 1
 *
 * Returns: (transfer full): an empty canvas
 */
MetricsCtlCanvas *
metrics_ctl_canvas_new (guint columns, guint rows)
{
  MetricsCtlCanvas *self = g_malloc0 (sizeof *self + (gsize) columns * rows * sizeof (Cell));

  self->columns = columns;
  self->rows = rows;
  return self;
}

/**
 * metrics_ctl_canvas_free:
 * @self: (transfer full) (nullable): a canvas
 */
void
metrics_ctl_canvas_free (MetricsCtlCanvas *self)
{
  g_free (self);
}

static void
set_dot (MetricsCtlCanvas *self, gint64 x, gint64 y, guint color)
{
  Cell *cell;

  if (x < 0 || y < 0 || x >= (gint64) self->columns * METRICS_CTL_CANVAS_DOTS_X
      || y >= (gint64) self->rows * METRICS_CTL_CANVAS_DOTS_Y)
    return;
  cell = &self->cells[y / METRICS_CTL_CANVAS_DOTS_Y * self->columns + x / METRICS_CTL_CANVAS_DOTS_X];
  cell->dots |= bits[y % METRICS_CTL_CANVAS_DOTS_Y][x % METRICS_CTL_CANVAS_DOTS_X];
  cell->color = (guint16) color;
}

/* Keeps of what goes from @from to @from + @by that which is at most @limit, as parts of the way. */
static gboolean
clip (double from, double by, double limit, double *begin, double *end)
{
  double at;

  if (by == 0)
    return from <= limit;
  at = (limit - from) / by;
  if (by > 0)
    *end = MIN (*end, at);
  else
    *begin = MAX (*begin, at);
  return *begin <= *end;
}

/**
 * metrics_ctl_canvas_dot:
 * @self: a canvas
 * @x: dots from the left
 * @y: dots from the top
 * @color: a number for whoever asks for it
 *
 * Draws the nearest dot, where it is on the canvas.
 */
void
metrics_ctl_canvas_dot (MetricsCtlCanvas *self, double x, double y, guint color)
{
  metrics_ctl_canvas_line (self, x, y, x, y, color);
}

/**
 * metrics_ctl_canvas_line:
 * @self: a canvas
 * @x0: dots from the left
 * @y0: dots from the top
 * @x1: and where the line ends
 * @y1: as well
 * @color: a number for whoever asks for it
 *
 * Draws of a line what is on the canvas. The ends may be far outside.
 */
void
metrics_ctl_canvas_line (MetricsCtlCanvas *self, double x0, double y0, double x1, double y1, guint color)
{
  /* To the middle between the outermost dots and those that are not there. */
  double right = self->columns * METRICS_CTL_CANVAS_DOTS_X - 0.5;
  double bottom = self->rows * METRICS_CTL_CANVAS_DOTS_Y - 0.5;
  double dx = x1 - x0, dy = y1 - y0;
  double begin = 0, end = 1;
  gint64 x, y, last_x, last_y, steps;

  /* After Liang and Barsky, "A New Concept and Method for Line Clipping" (1984). */
  if (!clip (x0, dx, right, &begin, &end) || !clip (-x0, -dx, 0.5, &begin, &end)
      || !clip (y0, dy, bottom, &begin, &end) || !clip (-y0, -dy, 0.5, &begin, &end))
    return;
  x = llround (x0 + begin * dx);
  y = llround (y0 + begin * dy);
  last_x = llround (x0 + end * dx);
  last_y = llround (y0 + end * dy);
  steps = MAX (ABS (last_x - x), ABS (last_y - y));
  for (gint64 i = 0; i <= steps; i++)
    {
      double part = steps > 0 ? (double) i / (double) steps : 0;

      set_dot (self, llround ((double) x + part * (double) (last_x - x)),
               llround ((double) y + part * (double) (last_y - y)), color);
    }
}

static const Cell *
get_cell (const MetricsCtlCanvas *self, guint column, guint row)
{
  g_assert (column < self->columns && row < self->rows);
  return &self->cells[row * self->columns + column];
}

/**
 * metrics_ctl_canvas_get_braille:
 * @self: a canvas
 * @column: a cell's column
 * @row: its row
 *
 * Returns: the pattern of the cell's dots, a blank where it has none
 */
gunichar
metrics_ctl_canvas_get_braille (const MetricsCtlCanvas *self, guint column, guint row)
{
  guint8 dots = get_cell (self, column, row)->dots;

  return dots != 0 ? BRAILLE + dots : ' ';
}

/**
 * metrics_ctl_canvas_get_ascii:
 * @self: a canvas
 * @column: a cell's column
 * @row: its row
 *
 * Returns: what comes near to the cell's dots: in its upper half, in its lower one, or in both
 */
gunichar
metrics_ctl_canvas_get_ascii (const MetricsCtlCanvas *self, guint column, guint row)
{
  const guint8 upper = bits[0][0] | bits[0][1] | bits[1][0] | bits[1][1];
  guint8 dots = get_cell (self, column, row)->dots;

  if (dots == 0)
    return ' ';
  return (dots & ~upper) == 0 ? '\'' : (dots & upper) == 0 ? '.' : ':';
}

/**
 * metrics_ctl_canvas_get_color:
 * @self: a canvas
 * @column: a cell's column
 * @row: its row
 *
 * Returns: the number of what was drawn there last; 0 where nothing was
 */
guint
metrics_ctl_canvas_get_color (const MetricsCtlCanvas *self, guint column, guint row)
{
  return get_cell (self, column, row)->color;
}
