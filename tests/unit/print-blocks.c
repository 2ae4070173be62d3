/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "blocks.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints blocks for test-coding-format.py, the example of src/coding/README.md and then many of every kind:
 * in each line the code, the times, and the bits of the values. The argument is a seed. */

#define BLOCKS_OF_A_KIND 30

static void
print_block (const Block *block)
{
  for (gsize i = 0; i < block->size; i++)
    printf ("%02x", block->code[i]);
  for (guint i = 0; i < block->n; i++)
    printf (" %" G_GINT64_FORMAT, block->times[i]);
  for (guint i = 0; i < block->n; i++)
    {
      guint64 bits;

      memcpy (&bits, &block->values[i], sizeof bits);
      printf (" %" G_GINT64_MODIFIER "x", bits);
    }
  putchar ('\n');
}

int
main (int argc, char **argv)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (argc > 1 ? strtoul (argv[1], NULL, 10) : 0);
  gint64 example_times[] = { 1000, 1010, 1020 };
  double example_values[] = { 12.5, 12.5, 12.75 };
  g_autoptr (Block) example = block_new (example_times, example_values, 3);

  print_block (example);
  for (guint times = 0; times < BLOCK_N_TIMES; times++)
    for (guint values = 0; values < BLOCK_N_VALUES; values++)
      for (guint i = 0; i < BLOCKS_OF_A_KIND; i++)
        {
          guint n = i % 3 == 0 ? METRICS_CODING_MAX_POINTS
                               : g_rand_int_range (random, 1, METRICS_CODING_MAX_POINTS + 1);
          g_autoptr (Block) block = block_new_random (random, times, values, n);

          print_block (block);
        }
  return 0;
}
