/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "blocks.h"

/* Bytes a point that blocks of 256 take; always of the same numbers, so that the bounds can be narrow. */

static double
measure (BlockValues kind)
{
  const guint n_blocks = 300;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  gsize size = 0;

  for (guint i = 0; i < n_blocks; i++)
    {
      g_autoptr (Block) block
          = block_new_random (random, BLOCK_TIMES_REGULAR, kind, METRICS_CODING_MAX_POINTS);

      size += block->size;
    }
  return (double) size / n_blocks / METRICS_CODING_MAX_POINTS;
}

static void
test_sizes (void)
{
  g_assert_cmpfloat (measure (BLOCK_VALUES_CONSTANT), <, 0.11);
  g_assert_cmpfloat (measure (BLOCK_VALUES_LINEAR), <, 0.11);
  /* 101 different steps have 6.66 bits, 0.83 bytes. */
  g_assert_cmpfloat (measure (BLOCK_VALUES_WALK), <, 0.98);
  g_assert_cmpfloat (measure (BLOCK_VALUES_COUNTER), <, 1.62);
  g_assert_cmpfloat (measure (BLOCK_VALUES_SCALED), <, 1.62);
  g_assert_cmpfloat (measure (BLOCK_VALUES_NOISE), <, 7.05);
  g_assert_cmpfloat (measure (BLOCK_VALUES_OUTLIERS), <, 1.93);
  g_assert_cmpfloat (measure (BLOCK_VALUES_EXCEPTIONS), <, 5.1);
  g_assert_cmpfloat (measure (BLOCK_VALUES_ROUND), <, 1.03);
}

static gsize
get_varint_size (guint64 number)
{
  guint64 zigzag = number << 1 ^ ((gint64) number < 0 ? G_MAXUINT64 : 0);
  gsize size = 1;

  while ((zigzag >>= 7) != 0)
    size++;
  return size;
}

/* The least that a list takes relative to its least number, all of one width. */
static gsize
get_frame_size (const gint64 *numbers, guint n)
{
  gint64 least = G_MAXINT64;
  gint64 most = G_MININT64;
  guint64 range;
  guint width = 0;

  for (guint i = 0; i < n; i++)
    {
      least = MIN (least, numbers[i]);
      most = MAX (most, numbers[i]);
    }
  for (range = (guint64) most - (guint64) least; range != 0; range >>= 1)
    width++;
  return 2 + get_varint_size ((guint64) least) + (n * width + 7) / 8;
}

/* No short list takes more than without the refinements; here the first bytes count. */
static void
test_short_lists (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (g_test_rand_int ());

  for (guint i = 0; i < 20000; i++)
    {
      guint n = g_rand_int_range (random, 3, 12);
      guint width = g_rand_int_range (random, 1, 60);
      gint64 numbers[12], differences[12];
      guint8 code[METRICS_INTEGERS_MAX_SIZE (12)];
      gsize size;

      numbers[0] = (gint64) (random_bits (random) >> (64 - width));
      for (guint j = 1; j < n; j++)
        {
          differences[j - 1] = g_rand_int_range (random, -(1 << i % 20), (1 << i % 20) + 1);
          numbers[j] = numbers[j - 1] + differences[j - 1];
        }
      /* Neither constant nor linear, which are always written as such. */
      numbers[n - 1] += numbers[n - 1] - numbers[n - 2] == differences[0];
      differences[n - 2] = numbers[n - 1] - numbers[n - 2];
      size = metrics_integers_encode (code, (const guint64 *) numbers, n) - code;
      g_assert_cmpuint (size, <=, get_frame_size (numbers, n));
      g_assert_cmpuint (size, <=,
                        get_frame_size (differences, n - 1) + get_varint_size ((guint64) numbers[0]));
    }
}

/* What stands in the places of exceptions costs nothing: all else here is one integer. */
static void
test_first_exceptions (void)
{
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];
  g_autoptr (Block) block = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      times[i] = i;
      values[i] = i < 3 ? 1.0 / (i + 3e5) : 1234567.25;
    }
  block = block_new (times, values, G_N_ELEMENTS (times));
  /* n, times; scale, integers; exceptions */
  g_assert_cmpuint (block->size, ==, 2 + 4 + 1 + 3 + 4 + 1 + 3 * (1 + 8));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/coding-sizes/blocks", test_sizes);
  g_test_add_func ("/coding-sizes/short-lists", test_short_lists);
  g_test_add_func ("/coding-sizes/first-exceptions", test_first_exceptions);
  return g_test_run ();
}
