/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "instructions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What instructions.py counts: instructions [NAME...].
 *
 * Callgrind counts the instructions between counting_begin() and counting_end(), writes for each work a file
 * of its own, and from here comes how many units the work had. So neither start-up nor the making of input is
 * in a figure. Server and client are one process and one thread, and what one of them does ends before the
 * other begins: how the bytes are cut, and how often the server wakes up, is then the same in each run, and
 * so are the counts.
 *
 * Everything that is random comes from GLib's generator, which gets the same seed for each work. */

#define SEED 1

Walk *
walk_new (guint n_series)
{
  Walk *self = g_new0 (Walk, 1);

  self->rand = g_rand_new_with_seed (SEED);
  self->n_series = n_series;
  self->hundredths = g_new (int, n_series);
  for (guint i = 0; i < n_series; i++)
    self->hundredths[i] = g_rand_int_range (self->rand, 1000, 10000);
  return self;
}

void
walk_free (Walk *self)
{
  g_rand_free (self->rand);
  g_free (self->hundredths);
  g_free (self);
}

/* The next value of a series, in hundredths; none is below 0. */
int
walk_next (Walk *self, guint series)
{
  int next = self->hundredths[series] + g_rand_int_range (self->rand, -50, 51);

  self->hundredths[series] = ABS (next);
  return self->hundredths[series];
}

/* Values of one series. */
void
make_values (Kind kind, double *values, guint n)
{
  g_autoptr (Walk) walk = walk_new (1);
  gint64 sum = 0;

  for (guint i = 0; i < n; i++)
    switch (kind)
      {
      case KIND_WALK:
        values[i] = walk_next (walk, 0) / 100.0;
        break;
      case KIND_COUNTER:
        sum += g_rand_int_range (walk->rand, 0, 1500);
        values[i] = sum;
        break;
      case KIND_NOISE:
        values[i] = g_rand_double (walk->rand);
        break;
      case KIND_CONSTANT:
      default:
        values[i] = 12.5;
        break;
      }
}

static void
run_works (const Work *works, char **names)
{
  for (const Work *work = works; work->name != NULL; work++)
    {
      guint64 n_units;

      if (names[0] != NULL && !g_strv_contains ((const char *const *) names, work->name))
        continue;
      g_random_set_seed (SEED);
      n_units = work->run (work->kind);
      CALLGRIND_DUMP_STATS_AT (work->name);
      printf ("%s %" G_GUINT64_FORMAT "\n", work->name, n_units);
      fflush (stdout);
    }
}

int
main (int argc, char **argv)
{
  struct rlimit limit;

  /* Both ends of a thousand connections are here. */
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }

  CALLGRIND_START_INSTRUMENTATION;
  run_works (server_works, argv + 1);
  run_works (coding_works, argv + 1);
  run_works (store_works, argv + 1);
  return EXIT_SUCCESS;
}
