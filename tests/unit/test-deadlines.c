/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-deadlines.h"

#define SECOND G_USEC_PER_SEC

/* The longest time that an option takes: more microseconds than 32 bits hold. */
static void
test_a_day (void)
{
  MetricsDeadlines deadlines = { .timeouts = { [METRICS_DEADLINE_IDLE] = 86400 } };
  const gint64 day = (gint64) 86400 * SECOND;

  metrics_deadlines_note (&deadlines, METRICS_DEADLINE_IDLE, TRUE, FALSE, 5);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, day + 5);
  g_assert_cmpint (metrics_deadlines_get_passed (&deadlines, day + 4), ==, METRICS_N_DEADLINES);
  g_assert_cmpint (metrics_deadlines_get_passed (&deadlines, day + 5), ==, METRICS_DEADLINE_IDLE);
}

/* A time begins with its state, and not again while that lasts. */
static void
test_absolute (void)
{
  MetricsDeadlines deadlines = { .timeouts = { [METRICS_DEADLINE_LINE] = 60 } };

  metrics_deadlines_note (&deadlines, METRICS_DEADLINE_LINE, TRUE, FALSE, 1 * SECOND);
  metrics_deadlines_note (&deadlines, METRICS_DEADLINE_LINE, TRUE, FALSE, 59 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 61 * SECOND);
  metrics_deadlines_note (&deadlines, METRICS_DEADLINE_LINE, TRUE, TRUE, 59 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 119 * SECOND);
  metrics_deadlines_note (&deadlines, METRICS_DEADLINE_LINE, FALSE, FALSE, 60 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 0);
}

/* What waits at one moment has to leave in time; a little of it is not enough, and more behind it does not
 * count. */
static void
test_answer (void)
{
  MetricsDeadlines deadlines = { .timeouts = { [METRICS_DEADLINE_ANSWER] = 60 } };

  metrics_deadlines_note_answer (&deadlines, 0, 1000, 1 * SECOND);
  metrics_deadlines_note_answer (&deadlines, 999, 5000, 50 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 61 * SECOND);
  metrics_deadlines_note_answer (&deadlines, 1000, 4999, 55 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 115 * SECOND);
  metrics_deadlines_note_answer (&deadlines, 5999, 0, 56 * SECOND);
  g_assert_cmpint (metrics_deadlines_get_next (&deadlines), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/deadlines/a-day", test_a_day);
  g_test_add_func ("/deadlines/absolute", test_absolute);
  g_test_add_func ("/deadlines/answer", test_answer);

  return g_test_run ();
}
