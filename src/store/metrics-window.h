/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-decimals.h"
#include "common/metrics-point.h"

G_BEGIN_DECLS

/* How many points a window has at most, but a constant one. */
#define METRICS_WINDOW_MAX_POINTS 256

/* What a window shows. */
typedef enum
{
  METRICS_WINDOW_VALUES,   /* times and values */
  METRICS_WINDOW_INTEGERS, /* times, and integers that stand for the values in their order */
  METRICS_WINDOW_CONSTANT, /* one value at a regular step */
} MetricsWindowKind;

/**
 * MetricsWindow:
 * @kind: what it shows
 * @n: how many points
 * @times: when, but of a constant one
 * @values: their values
 * @integers: the integers that stand for them: metrics_decimals_scale()
 * @scale: how
 * @exponent: with which power of ten
 * @first: of a constant one, the first time
 * @step: of a constant one, from one time to the next
 * @value: of a constant one, the value
 *
 * Points that follow each other, for those who reduce them: the integers of a decoded chunk are added up
 * without being made doubles, and what a constant one comes to does not depend on how many they are.
 */
typedef struct
{
  MetricsWindowKind kind;
  guint64 n;
  gint64 times[METRICS_WINDOW_MAX_POINTS];
  union
  {
    double values[METRICS_WINDOW_MAX_POINTS];
    gint64 integers[METRICS_WINDOW_MAX_POINTS];
  };
  MetricsScale scale;
  guint exponent;
  gint64 first;
  guint64 step;
  double value;
} MetricsWindow;

guint64 metrics_window_find_after (const MetricsWindow *self, guint64 start, gint64 time);

static inline gint64
metrics_window_get_time (const MetricsWindow *self, guint64 index)
{
  return self->kind == METRICS_WINDOW_CONSTANT ? (gint64) ((guint64) self->first + index * self->step)
                                               : self->times[index];
}

static inline double
metrics_window_get_value (const MetricsWindow *self, guint64 index)
{
  switch (self->kind)
    {
    case METRICS_WINDOW_VALUES:
      return self->values[index];
    case METRICS_WINDOW_INTEGERS:
      return metrics_decimals_scale (self->scale, self->exponent, self->integers[index]);
    case METRICS_WINDOW_CONSTANT:
      return self->value;
    }
  g_assert_not_reached ();
}

static inline MetricsPoint
metrics_window_get_point (const MetricsWindow *self, guint64 index)
{
  return (MetricsPoint){ .time = metrics_window_get_time (self, index),
                         .value = metrics_window_get_value (self, index) };
}

G_END_DECLS
