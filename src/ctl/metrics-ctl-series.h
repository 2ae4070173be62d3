/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"

#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/**
 * MetricsCtlSeries:
 * @key: (owned): its key
 * @label: (owned): the key as a terminal can show it
 * @points: (owned) (element-type MetricsPoint): its points, or what was made of them in steps; ascending
 *
 * A series that is drawn.
 */
typedef struct
{
  char *key;
  char *label;
  GArray *points;
} MetricsCtlSeries;

/**
 * MetricsCtlSummary:
 * @n: how many points there are; the others are only set where there are some
 * @last_time: that of the last one
 * @last: its value
 * @min: the least value
 * @max: the greatest
 * @avg: their mean
 *
 * What is said of the points of a span.
 */
typedef struct
{
  guint n;
  gint64 last_time;
  double last;
  double min;
  double max;
  double avg;
} MetricsCtlSummary;

MetricsCtlSeries *metrics_ctl_series_new (const char *key);
void metrics_ctl_series_free (MetricsCtlSeries *self);

void metrics_ctl_series_replace (MetricsCtlSeries *self, gint64 from, const GArray *points);
void metrics_ctl_series_forget (MetricsCtlSeries *self, gint64 before);
MetricsCtlSummary metrics_ctl_series_summarize (const MetricsCtlSeries *self, gint64 from, gint64 to);
double metrics_ctl_series_get_longest_step (const MetricsCtlSeries *self, gint64 step);

char *metrics_ctl_get_pattern_of_key (const char *key);
GPtrArray *metrics_ctl_find_keys (MetricsClient *client,
                                  const GStrv patterns,
                                  GCancellable *cancellable,
                                  GError **error);
GArray *metrics_ctl_read_steps (MetricsClient *client,
                                const char *key,
                                gint64 from,
                                gint64 to,
                                gint64 step,
                                MetricsFunction function,
                                GCancellable *cancellable,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlSeries, metrics_ctl_series_free)

G_END_DECLS
