/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What has to be done to find the value. */
typedef enum
{
  METRICS_SELECT_READ, /* all values have to be added once more, then metrics_select_end_pass() */
  METRICS_SELECT_WORK, /* metrics_select_work() has to be called */
  METRICS_SELECT_DONE, /* it is found */
} MetricsSelectState;

typedef enum
{
  METRICS_SELECT_FIRST,
  METRICS_SELECT_COUNT,
  METRICS_SELECT_GATHER,
} MetricsSelectPass;

/**
 * MetricsSelect:
 * @work: (owned) (nullable): the values that are kept, or how many there are of each bin
 * @percent: which rank is wanted, in percent of all
 * @random: state of the generator of pivots
 * @pass: what the values are read for
 * @n: how many values there are; in a pass to gather, how many are kept
 * @rank: which of those between @low and @high is wanted, from 0
 * @low: the lowest that it can be
 * @high: the highest that it can be
 * @shift: so many bits of the distance to @low do not matter for the bin
 *
 * Finds the value of a rank among any number of values, in bounded memory.
 */
typedef struct
{
  guint64 *work;
  guint percent;
  guint32 random;
  MetricsSelectPass pass;
  guint64 n;
  guint64 rank;
  guint64 low;
  guint64 high;
  guint shift;
} MetricsSelect;

void metrics_select_init (MetricsSelect *self, guint percent);
void metrics_select_clear (MetricsSelect *self);

void metrics_select_begin (MetricsSelect *self);
void metrics_select_add (MetricsSelect *self, double value);
MetricsSelectState metrics_select_end_pass (MetricsSelect *self, gint *budget);
MetricsSelectState metrics_select_work (MetricsSelect *self, gint *budget);
double metrics_select_get (const MetricsSelect *self);

G_END_DECLS
