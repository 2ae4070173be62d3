/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/* Into how many steps the window is divided; a spark line has no more cells. */
#define METRICS_CTL_TOP_STEPS 20

/**
 * MetricsCtlTopColumn:
 * @METRICS_CTL_TOP_KEY: the key
 * @METRICS_CTL_TOP_LAST: the value of the newest point
 * @METRICS_CTL_TOP_MIN: the least value of the window
 * @METRICS_CTL_TOP_MAX: the greatest
 * @METRICS_CTL_TOP_AVG: the mean
 * @METRICS_CTL_TOP_POINTS: how many points the window has
 * @METRICS_CTL_TOP_AGE: how long ago the newest point was
 * @METRICS_CTL_TOP_N_COLUMNS: how many there are
 *
 * What a row of the table shows, and what it can be sorted by.
 */
typedef enum
{
  METRICS_CTL_TOP_KEY,
  METRICS_CTL_TOP_LAST,
  METRICS_CTL_TOP_MIN,
  METRICS_CTL_TOP_MAX,
  METRICS_CTL_TOP_AVG,
  METRICS_CTL_TOP_POINTS,
  METRICS_CTL_TOP_AGE,
  METRICS_CTL_TOP_N_COLUMNS,
} MetricsCtlTopColumn;

/**
 * MetricsCtlTopStats:
 * @n: how many points the window has; the others are only set where it has some
 * @min: the least value
 * @max: the greatest
 * @avg: the mean
 * @steps: the mean of each step of the window, the oldest first
 * @counts: how many points each step has
 *
 * What is said of the points of the window.
 */
typedef struct
{
  guint64 n;
  double min;
  double max;
  double avg;
  double steps[METRICS_CTL_TOP_STEPS];
  guint64 counts[METRICS_CTL_TOP_STEPS];
} MetricsCtlTopStats;

/**
 * MetricsCtlTopRow:
 * @key: (owned): its key
 * @label: (owned): the key as a terminal can show it
 * @time: when its newest point was
 * @value: the value of that
 * @stats: (owned) (nullable): what is known of the window
 * @read_at: the time for which that holds
 * @changed: whether points have come since
 * @put_at: when the last one came, in microseconds of monotonic time; 0 where none did
 *
 * A series, as the table shows it.
 */
typedef struct
{
  char *key;
  char *label;
  gint64 time;
  double value;
  MetricsCtlTopStats *stats;
  gint64 read_at;
  gboolean changed;
  gint64 put_at;
} MetricsCtlTopRow;

/**
 * MetricsCtlTopRows:
 * @all: (owned) (element-type MetricsCtlTopRow): all series that match
 * @shown: (owned) (element-type MetricsCtlTopRow): those that the filter leaves, in order
 * @sort: what they are sorted by
 * @reverse: whether the other way around
 * @filter: (owned): what a key has to have in it, whatever the case of letters
 *
 * The rows of the table.
 */
typedef struct
{
  GPtrArray *all;
  GPtrArray *shown;
  MetricsCtlTopColumn sort;
  gboolean reverse;
  char *filter;
  /*< private >*/
  GHashTable *by_key;
} MetricsCtlTopRows;

MetricsCtlTopRows *metrics_ctl_top_rows_new (MetricsCtlTopColumn sort, gboolean reverse);
void metrics_ctl_top_rows_free (MetricsCtlTopRows *self);

gboolean metrics_ctl_top_column_from_name (const char *name, MetricsCtlTopColumn *column);
gboolean metrics_ctl_top_column_is_of_window (MetricsCtlTopColumn column);

void metrics_ctl_top_rows_load (MetricsCtlTopRows *self, const GPtrArray *samples, gint64 asked_at);
gboolean metrics_ctl_top_rows_put (MetricsCtlTopRows *self, const MetricsSample *sample);
MetricsCtlTopRow *metrics_ctl_top_rows_find (const MetricsCtlTopRows *self, const char *key);
void metrics_ctl_top_rows_set_filter (MetricsCtlTopRows *self, const char *filter);
void metrics_ctl_top_rows_arrange (MetricsCtlTopRows *self);
int metrics_ctl_top_rows_get_index (const MetricsCtlTopRows *self, const char *key);

void metrics_ctl_top_row_take_stats (MetricsCtlTopRow *self, MetricsCtlTopStats *stats, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlTopRows, metrics_ctl_top_rows_free)

G_END_DECLS
