/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-clock-guard.h"

#include <time.h>

/* Who deletes what is old believes a clock, and a clock can be wrong: one that says 2099 for a moment must
 * not take everything. A machine without a battery starts with any time and gets the right one from the
 * network some seconds or minutes later; a person types a wrong year and corrects it.
 *
 * So the time of day is compared with the time that has elapsed, which nobody sets. Where the two part by a
 * minute, forwards or back, the time of day is doubted for ten minutes, and for ten more with each further
 * step; then it is taken as it is. At a start there is nothing to compare with but a witness: a time that the
 * same clock showed before. Where the clock is no further than ten minutes behind that, nobody has set it
 * ahead meanwhile; else it is doubted as after a step.
 *
 * A clock that is late is no danger: with it too little is deleted. So it does not matter whether the clock
 * is before the witness, and points of the future, which somebody put by mistake, hold up nothing. */

/**
 * metrics_instant_now:
 * @now: (out caller-allocates): what the clocks show
 * @user_data: not used
 *
 * Reads both clocks of the machine.
 */
void
metrics_instant_now (MetricsInstant *now, gpointer user_data)
{
  struct timespec elapsed;

  now->real = g_get_real_time ();
  /* Not the monotonic one, which stands still while the machine sleeps. */
  clock_gettime (CLOCK_BOOTTIME, &elapsed);
  now->elapsed = elapsed.tv_sec * G_USEC_PER_SEC + elapsed.tv_nsec / 1000;
}

/**
 * metrics_clock_guard_init:
 * @self: (out caller-allocates): a guard
 * @now: what the clocks show
 * @witness: a time of day that was shown before, in microseconds since the Unix epoch; %G_MININT64 for none
 *
 * Begins to look at the clock.
 */
void
metrics_clock_guard_init (MetricsClockGuard *self, const MetricsInstant *now, gint64 witness)
{
  gboolean is_confirmed
      = witness != G_MININT64 && now->real <= CLAMP (witness, 0, G_MAXINT64 / 2) + METRICS_CLOCK_GUARD_WAIT;

  *self = (MetricsClockGuard){
    .offset = now->real - now->elapsed,
    .good_from = is_confirmed ? now->elapsed : now->elapsed + METRICS_CLOCK_GUARD_WAIT,
  };
}

/**
 * metrics_clock_guard_check:
 * @self: a guard
 * @now: what the clocks show
 *
 * It sees a step at the next call; so the time that is believed is the one that was given to it.
 *
 * Returns: whether the time of day can be believed
 */
gboolean
metrics_clock_guard_check (MetricsClockGuard *self, const MetricsInstant *now)
{
  gint64 offset = now->real - now->elapsed;

  if (ABS (offset - self->offset) >= METRICS_CLOCK_GUARD_STEP)
    {
      self->offset = offset;
      self->good_from = now->elapsed + METRICS_CLOCK_GUARD_WAIT;
    }
  return now->elapsed >= self->good_from;
}
