/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-second-look.h"

/* Answers @n_answers times, of which the client's next request follows at once if @found; returns how many
 * looks there were. */
static guint
answer (MetricsSecondLook *look, guint n_answers, gboolean found)
{
  guint n_looks = 0;

  for (guint i = 0; i < n_answers; i++)
    if (metrics_second_look_is_due (look))
      {
        metrics_second_look_note (look, found);
        n_looks++;
      }
  return n_looks;
}

/* While it pays, each answer is followed by a look. */
static void
test_pays (void)
{
  MetricsSecondLook look = { 0 };

  g_assert_cmpuint (answer (&look, 1000, TRUE), ==, 1000);
}

/* For a client that is never that fast, looks soon are as rare as can be. */
static void
test_in_vain (void)
{
  MetricsSecondLook look = { 0 };

  answer (&look, 1000, FALSE);
  g_assert_cmpuint (answer (&look, 64000, FALSE), ==, 1000);
}

/* The first good look is enough to go on with it, and it comes before long. */
static void
test_comes_back (void)
{
  MetricsSecondLook look = { 0 };

  answer (&look, 1000, FALSE);
  g_assert_cmpuint (answer (&look, 64, TRUE), >=, 1);
  g_assert_cmpuint (answer (&look, 100, TRUE), ==, 100);
}

/* One in vain among good ones costs no more than the next one. */
static void
test_misses_one (void)
{
  MetricsSecondLook look = { 0 };

  answer (&look, 10, TRUE);
  g_assert_cmpuint (answer (&look, 1, FALSE), ==, 1);
  g_assert_cmpuint (answer (&look, 1, TRUE), ==, 0);
  g_assert_cmpuint (answer (&look, 10, TRUE), ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/second-look/pays", test_pays);
  g_test_add_func ("/second-look/in-vain", test_in_vain);
  g_test_add_func ("/second-look/comes-back", test_comes_back);
  g_test_add_func ("/second-look/misses-one", test_misses_one);

  return g_test_run ();
}
