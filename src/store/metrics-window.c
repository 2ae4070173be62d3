/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-window.h"

/**
 * metrics_window_find_after:
 * @self: a window
 * @start: index of a point that is not after @time
 * @time: a time
 *
 * Returns: the index of the first point after @time; the number of points where there is none
 */
guint64
metrics_window_find_after (const MetricsWindow *self, guint64 start, gint64 time)
{
  if (metrics_window_get_time (self, self->n - 1) <= time)
    return self->n;
  if (self->kind == METRICS_WINDOW_CONSTANT)
    return ((guint64) time - (guint64) self->first) / self->step + 1;
  /* Those who ask look at all points between. */
  while (self->times[start] <= time)
    start++;
  return start;
}
