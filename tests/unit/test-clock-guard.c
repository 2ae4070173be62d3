/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-clock-guard.h"

#define SECOND G_GINT64_CONSTANT (1000000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)

/* 2026, on a machine that has been up for an hour. */
static const MetricsInstant start = { .real = 1790000000 * SECOND, .elapsed = 60 * MINUTE };

/* Some time later, with a clock that was set meanwhile. */
static MetricsInstant
later (gint64 elapsed, gint64 step)
{
  return (MetricsInstant){ .real = start.real + elapsed + step, .elapsed = start.elapsed + elapsed };
}

static gboolean
check (MetricsClockGuard *guard, gint64 elapsed, gint64 step)
{
  MetricsInstant now = later (elapsed, step);

  return metrics_clock_guard_check (guard, &now);
}

/* Without a witness: it waits, and then believes. */
static void
test_start (void)
{
  MetricsClockGuard guard;

  metrics_clock_guard_init (&guard, &start, G_MININT64);
  g_assert_false (check (&guard, 0, 0));
  g_assert_false (check (&guard, 5 * MINUTE, 0));
  g_assert_false (check (&guard, 10 * MINUTE - 1, 0));
  g_assert_true (check (&guard, 10 * MINUTE, 0));
  g_assert_true (check (&guard, 400 * DAY, 0));
}

static void
test_witness (void)
{
  static const struct
  {
    gint64 witness; /* after the start */
    gboolean is_believed;
  } cases[] = {
    { -SECOND, TRUE },
    { -10 * MINUTE, TRUE },
    { -10 * MINUTE - 1, FALSE },
    { -DAY, FALSE },
    { 0, TRUE },
    /* The clock is late: nothing goes that should stay. */
    { 20000 * DAY, TRUE },
  };
  MetricsClockGuard guard;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      metrics_clock_guard_init (&guard, &start, start.real + cases[i].witness);
      g_assert_cmpint (check (&guard, 0, 0), ==, cases[i].is_believed);
      g_assert_true (check (&guard, 10 * MINUTE, 0));
    }
}

/* 2099 for a moment: doubted when it comes and when it goes. */
static void
test_jump (void)
{
  const gint64 step = 27000 * DAY;
  MetricsClockGuard guard;

  metrics_clock_guard_init (&guard, &start, start.real);
  g_assert_true (check (&guard, MINUTE, 0));
  g_assert_false (check (&guard, 2 * MINUTE, step));
  g_assert_false (check (&guard, 3 * MINUTE, step));
  g_assert_false (check (&guard, 4 * MINUTE, 0));
  g_assert_false (check (&guard, 12 * MINUTE, 0));
  g_assert_false (check (&guard, 14 * MINUTE - 1, 0));
  g_assert_true (check (&guard, 14 * MINUTE, 0));
}

/* What stays is believed in the end. */
static void
test_set (void)
{
  static const gint64 steps[] = { DAY, -DAY, MINUTE, -MINUTE };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      MetricsClockGuard guard;

      metrics_clock_guard_init (&guard, &start, start.real);
      g_assert_true (check (&guard, MINUTE, 0));
      g_assert_false (check (&guard, 2 * MINUTE, steps[i]));
      g_assert_false (check (&guard, 12 * MINUTE - 1, steps[i]));
      g_assert_true (check (&guard, 12 * MINUTE, steps[i]));
    }
}

/* A clock that is kept right goes forwards and back a little. */
static void
test_corrections (void)
{
  MetricsClockGuard guard;

  metrics_clock_guard_init (&guard, &start, start.real);
  for (gint64 i = 0; i < 10000; i++)
    g_assert_true (check (&guard, i * MINUTE, (i % 3 - 1) * (MINUTE - 1) / 2));
}

/* Steps that each are too small to be seen do not add up to one that is not. */
static void
test_creep (void)
{
  MetricsClockGuard guard;
  guint n_doubted = 0;

  metrics_clock_guard_init (&guard, &start, start.real);
  for (gint64 i = 0; i < 100; i++)
    n_doubted += !check (&guard, i * MINUTE, i * 50 * SECOND);
  g_assert_cmpuint (n_doubted, >, 90);
}

static void
test_now (void)
{
  MetricsInstant a, b;

  metrics_instant_now (&a, NULL);
  metrics_instant_now (&b, NULL);
  g_assert_cmpint (a.real, >, 1600000000 * SECOND);
  g_assert_cmpint (a.elapsed, >, 0);
  g_assert_cmpint (b.elapsed, >=, a.elapsed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/clock-guard/start", test_start);
  g_test_add_func ("/clock-guard/witness", test_witness);
  g_test_add_func ("/clock-guard/jump", test_jump);
  g_test_add_func ("/clock-guard/set", test_set);
  g_test_add_func ("/clock-guard/corrections", test_corrections);
  g_test_add_func ("/clock-guard/creep", test_creep);
  g_test_add_func ("/clock-guard/now", test_now);
  return g_test_run ();
}
