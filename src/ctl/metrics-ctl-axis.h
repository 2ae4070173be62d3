/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most ticks that an axis gets. */
#define METRICS_CTL_AXIS_MAX_TICKS 64

/**
 * MetricsCtlAxis:
 * @low: the value at its lower end
 * @high: and at its upper end; greater
 * @ticks: (array length=n_ticks): the values that are marked, ascending
 * @n_ticks: how many
 *
 * An axis of values.
 */
typedef struct
{
  double low;
  double high;
  double ticks[METRICS_CTL_AXIS_MAX_TICKS];
  guint n_ticks;
  /*< private >*/
  int exponent; /* values are shown as multiples of 10 to the power of it */
  int decimals; /* and with so many of them */
} MetricsCtlAxis;

/**
 * MetricsCtlTick:
 * @time: a time
 * @label: (owned): how it is shown
 *
 * A tick of an axis of times.
 */
typedef struct
{
  gint64 time;
  char *label;
} MetricsCtlTick;

void metrics_ctl_axis_fit (MetricsCtlAxis *self,
                           double low,
                           double high,
                           gboolean keep_low,
                           gboolean keep_high,
                           guint max_ticks);
double metrics_ctl_axis_get_part (const MetricsCtlAxis *self, double value);
char *metrics_ctl_axis_format (const MetricsCtlAxis *self, double value);

GArray *metrics_ctl_time_ticks_new (gint64 from, gint64 to, GTimeZone *zone, guint columns);
gboolean metrics_ctl_time_is_date (gint64 time);
char *metrics_ctl_time_format (gint64 time, GTimeZone *zone);
char *metrics_ctl_span_format (gint64 seconds);

gint64 metrics_ctl_step_choose (gint64 from, gint64 to, guint max_steps);
gint64 metrics_ctl_step_floor (gint64 time, gint64 step);

G_END_DECLS
