/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A step of this size or more makes the clock doubtful, and for so long. */
#define METRICS_CLOCK_GUARD_STEP (60 * G_USEC_PER_SEC)
#define METRICS_CLOCK_GUARD_WAIT (10 * 60 * G_USEC_PER_SEC)

/**
 * MetricsInstant:
 * @real: the time of day, in microseconds since the Unix epoch: what can be set
 * @elapsed: microseconds since the machine was started, sleep included: what cannot
 *
 * What both clocks of a machine show.
 */
typedef struct
{
  gint64 real;
  gint64 elapsed;
} MetricsInstant;

typedef void (*MetricsInstantFunc) (MetricsInstant *now, gpointer user_data);

/**
 * MetricsClockGuard:
 * @offset: of the time of day to the time elapsed, in microseconds
 * @good_from: the time elapsed from which on the clock is believed
 *
 * Says whether the time of day can be believed.
 */
typedef struct
{
  gint64 offset;
  gint64 good_from;
} MetricsClockGuard;

void metrics_instant_now (MetricsInstant *now, gpointer user_data);

void metrics_clock_guard_init (MetricsClockGuard *self, const MetricsInstant *now, gint64 witness);
gboolean metrics_clock_guard_check (MetricsClockGuard *self, const MetricsInstant *now);

G_END_DECLS
