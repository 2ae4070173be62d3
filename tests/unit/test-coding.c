/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "blocks.h"

#include <float.h>
#include <math.h>

/* Blocks of points: what comes back is what was put in. test-coding-damage.c has bytes that are no blocks,
 * test-coding-sizes.c how few they are. */

typedef struct
{
  GRand *random; /* (owned) */
} Fixture;

static void
setup (Fixture *f, gconstpointer user_data)
{
  f->random = g_rand_new_with_seed (g_test_rand_int ());
}

static void
teardown (Fixture *f, gconstpointer user_data)
{
  g_rand_free (f->random);
}

static guint
pick_n (Fixture *f)
{
  switch (g_rand_int_range (f->random, 0, 3))
    {
    case 0:
      return METRICS_CODING_MAX_POINTS;
    case 1:
      return g_rand_int_range (f->random, 1, 20);
    default:
      return g_rand_int_range (f->random, 1, METRICS_CODING_MAX_POINTS + 1);
    }
}

static void
open_block (MetricsCoded *coded, const Block *block)
{
  g_assert_true (metrics_coding_open (coded, block->code, block->size));
  g_assert_cmpuint (coded->n, ==, block->n);
}

/* Compared to the bit: as memory. */
static void
assert_window (const MetricsCoded *coded, const Block *block, guint start, guint n)
{
  g_autofree gint64 *times = g_new (gint64, MAX (n, 1));
  g_autofree double *values = g_new (double, MAX (n, 1));

  metrics_coding_read_times (coded, start, n, times);
  metrics_coding_read_values (coded, start, n, values);
  g_assert_cmpmem (times, n * sizeof *times, block->times + start, n * sizeof *times);
  g_assert_cmpmem (values, n * sizeof *values, block->values + start, n * sizeof *values);
}

static void
assert_comes_back (const Block *block)
{
  MetricsCoded coded;

  open_block (&coded, block);
  g_assert_true (metrics_coding_check (&coded));
  assert_window (&coded, block, 0, block->n);
}

/* What blocks of the kinds that there are make use of: kinds of blocks that do not use it would not test it.
 */
typedef struct
{
  guint scales[3];
  guint exponents[19];
  guint n_exceptions;
  guint first_exceptions;
  guint linear;
  guint whole;
  guint zigzag;
  guint shifted;
  guint lists;
  guint bitmaps;
  guint widths[65];
} Uses;

static void
count_integers (Uses *uses, const MetricsIntegers *integers)
{
  uses->linear += metrics_integers_is_linear (integers);
  uses->whole += !integers->is_delta;
  uses->zigzag += integers->is_zigzag;
  uses->shifted += integers->shift > 0;
  uses->lists += integers->n_patches > 0 && !integers->is_bitmap;
  uses->bitmaps += integers->n_patches > 0 && integers->is_bitmap;
  uses->widths[integers->width]++;
}

static void
count_block (Uses *uses, const Block *block)
{
  MetricsCoded coded;

  open_block (&coded, block);
  count_integers (uses, &coded.times);
  count_integers (uses, &coded.values.integers);
  uses->scales[coded.values.scale]++;
  uses->exponents[coded.values.exponent]++;
  uses->n_exceptions += coded.values.n_exceptions;
  uses->first_exceptions += coded.values.n_exceptions > 0 && coded.values.positions[0] == 0;
}

static void
assert_all_used (const Uses *uses)
{
  for (guint i = 0; i < G_N_ELEMENTS (uses->scales); i++)
    g_assert_cmpuint (uses->scales[i], >, 0);
  for (guint i = 0; i < G_N_ELEMENTS (uses->exponents); i++)
    if (uses->exponents[i] == 0)
      g_error ("no block of exponent %u", i);
  for (guint i = 0; i < G_N_ELEMENTS (uses->widths); i++)
    if (uses->widths[i] == 0)
      g_error ("no list of width %u", i);
  g_assert_cmpuint (uses->n_exceptions, >, 0);
  g_assert_cmpuint (uses->first_exceptions, >, 0);
  g_assert_cmpuint (uses->linear, >, 0);
  g_assert_cmpuint (uses->whole, >, 0);
  g_assert_cmpuint (uses->zigzag, >, 0);
  g_assert_cmpuint (uses->shifted, >, 0);
  g_assert_cmpuint (uses->lists, >, 0);
  g_assert_cmpuint (uses->bitmaps, >, 0);
}

static void
test_random (Fixture *f, gconstpointer user_data)
{
  Uses uses = { 0 };

  for (guint i = 0; i < 200; i++)
    for (guint times = 0; times < BLOCK_N_TIMES; times++)
      for (guint values = 0; values < BLOCK_N_VALUES; values++)
        {
          g_autoptr (Block) block = block_new_random (f->random, times, values, pick_n (f));

          assert_comes_back (block);
          count_block (&uses, block);
        }
  assert_all_used (&uses);
}

static void
test_lengths (Fixture *f, gconstpointer user_data)
{
  for (guint n = 1; n <= METRICS_CODING_MAX_POINTS; n++)
    for (guint values = 0; values < BLOCK_N_VALUES; values++)
      {
        guint times = g_rand_int_range (f->random, 0, BLOCK_N_TIMES);
        g_autoptr (Block) block = block_new_random (f->random, times, values, n);

        assert_comes_back (block);
      }
}

/* One number, alone, then in company, for every power of two and of ten. */
static void
test_magnitudes (Fixture *f, gconstpointer user_data)
{
  static const gint64 times[] = { -1, 0, 1 };

  for (gint exponent = -1074; exponent <= 1023; exponent++)
    for (gint sign = -1; sign <= 1; sign += 2)
      {
        double value = sign * ldexp (1, exponent);
        double values[] = { value, nextafter (value, 0), sign * pow (10, exponent % 300) };

        for (guint n = 1; n <= G_N_ELEMENTS (values); n++)
          {
            g_autoptr (Block) block = block_new (times, values, n);

            assert_comes_back (block);
          }
      }
}

/* Integers about the largest that are taken for such, for every power of ten that they may be divided by. */
static void
test_largest_integers (Fixture *f, gconstpointer user_data)
{
  static const gint64 times[] = { 1, 2, 4 };
  static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };

  for (guint exponent = 0; exponent < G_N_ELEMENTS (powers); exponent++)
    for (gint i = -40; i <= 40; i++)
      for (gint sign = -1; sign <= 1; sign += 2)
        {
          double integer = sign * (0x1p51 + i * 0.25);
          double divided[] = { integer / powers[exponent], 7 / powers[exponent], 8 / powers[exponent] };
          double multiplied[] = { integer * (1 / powers[exponent]), 7 * (1 / powers[exponent]), 0 };
          g_autoptr (Block) one = block_new (times, divided, G_N_ELEMENTS (times));
          g_autoptr (Block) other = block_new (times, multiplied, G_N_ELEMENTS (times));

          assert_comes_back (one);
          assert_comes_back (other);
        }
}

static void
test_signed_zeros (Fixture *f, gconstpointer user_data)
{
  static const gint64 times[] = { 1, 2, 3, 4 };

  for (guint bits = 0; bits < 16; bits++)
    {
      double values[4];

      for (guint i = 0; i < 4; i++)
        values[i] = (bits >> i & 1) != 0 ? -0.0 : 0.0;
      for (guint n = 1; n <= 4; n++)
        {
          g_autoptr (Block) block = block_new (times, values, n);

          assert_comes_back (block);
        }
    }
}

static void
test_windows (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 20 * BLOCK_N_VALUES; i++)
    {
      guint times = g_rand_int_range (f->random, 0, BLOCK_N_TIMES);
      g_autoptr (Block) block = block_new_random (f->random, times, i % BLOCK_N_VALUES, pick_n (f));
      MetricsCoded coded;

      open_block (&coded, block);
      for (guint j = 0; j < 30; j++)
        {
          guint start = g_rand_int_range (f->random, 0, block->n + 1);

          assert_window (&coded, block, start, g_rand_int_range (f->random, 0, block->n - start + 1));
        }
      assert_window (&coded, block, block->n - 1, 1);
      assert_window (&coded, block, block->n, 0);
    }
}

/* Finding */

static guint
find_naively (const Block *block, gint64 time)
{
  guint i = 0;

  while (i < block->n && block->times[i] < time)
    i++;
  return i;
}

static void
assert_finds (const MetricsCoded *coded, const Block *block, gint64 time)
{
  g_assert_cmpuint (metrics_coding_find (coded, time), ==, find_naively (block, time));
}

static void
test_find (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 30 * BLOCK_N_TIMES; i++)
    {
      g_autoptr (Block) block
          = block_new_random (f->random, i % BLOCK_N_TIMES, BLOCK_VALUES_WALK, pick_n (f));
      MetricsCoded coded;

      open_block (&coded, block);
      for (guint j = 0; j < block->n; j++)
        {
          assert_finds (&coded, block, block->times[j]);
          assert_finds (&coded, block, block->times[j] - (block->times[j] > G_MININT64 ? 1 : 0));
          assert_finds (&coded, block, block->times[j] + (block->times[j] < G_MAXINT64 ? 1 : 0));
        }
      for (guint j = 0; j < 20; j++)
        assert_finds (&coded, block, (gint64) random_bits (f->random));
      assert_finds (&coded, block, G_MININT64);
      assert_finds (&coded, block, G_MAXINT64);
    }
}

/* Constants */

static gsize
encode_constant (guint8 **data, gint64 first, gint64 step, double value, guint32 n)
{
  gsize room = METRICS_CODING_MAX_SIZE (1);
  g_autofree guint8 *code = g_malloc (room);
  gsize size = metrics_coding_encode_constant (code, first, step, value, n);

  g_assert_cmpuint (size, <=, room);
  *data = g_memdup2 (code, size);
  return size;
}

static void
assert_constant_window (const MetricsCoded *coded,
                        gint64 first,
                        gint64 step,
                        double value,
                        guint64 start,
                        guint n)
{
  g_autofree gint64 *times = g_new (gint64, MAX (n, 1));
  g_autofree double *values = g_new (double, MAX (n, 1));

  metrics_coding_read_times (coded, start, n, times);
  metrics_coding_read_values (coded, start, n, values);
  for (guint i = 0; i < n; i++)
    {
      /* Modulo 2^64, as the step may be more than half of what there is. */
      guint64 time = (guint64) first + (start + i) * (guint64) step;

      g_assert_cmpint (times[i], ==, (gint64) time);
      g_assert_cmpmem (&values[i], sizeof value, &value, sizeof value);
    }
}

static void
assert_constant (Fixture *f, gint64 first, gint64 step, double value, guint32 n)
{
  g_autofree guint8 *data = NULL;
  gsize size = encode_constant (&data, first, step, value, n);
  gint64 last = (gint64) ((guint64) first + (n - 1) * (guint64) step);
  MetricsCoded coded;
  gint64 first_read, step_read;

  g_assert_true (metrics_coding_open (&coded, data, size));
  g_assert_true (metrics_coding_check (&coded));
  g_assert_cmpuint (coded.n, ==, n);
  g_assert_true (metrics_coding_is_constant (&coded));
  g_assert_true (metrics_coding_is_regular (&coded, &first_read, &step_read));
  g_assert_cmpint (first_read, ==, first);
  g_assert_cmpint (step_read, ==, step);

  assert_constant_window (&coded, first, step, value, 0, MIN (n, 1000));
  assert_constant_window (&coded, first, step, value, n - MIN (n, 700), MIN (n, 700));
  assert_constant_window (&coded, first, step, value, n / 2, 1);
  g_assert_cmpuint (metrics_coding_find (&coded, first), ==, 0);
  g_assert_cmpuint (metrics_coding_find (&coded, last), ==, n - 1);
  if (last < G_MAXINT64)
    g_assert_cmpuint (metrics_coding_find (&coded, last + 1), ==, n);
  for (guint i = 0; i < 20; i++)
    {
      guint64 index = random_bits (f->random) % n;
      gint64 time = (gint64) ((guint64) first + index * (guint64) step);

      g_assert_cmpuint (metrics_coding_find (&coded, time), ==, index);
      if (index + 1 < n)
        g_assert_cmpuint (metrics_coding_find (&coded, time + 1), ==, index + 1);
    }
}

static void
test_constants (Fixture *f, gconstpointer user_data)
{
  static const guint32 lengths[] = { 1, 2, 3, 255, 256, 257, 1000, 65536, 65537, 0x80000000, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (guint j = 0; j < 200; j++)
      {
        guint32 n = lengths[i];
        g_autoptr (Block) one = block_new_random (f->random, 0, j % BLOCK_N_VALUES, 1);
        guint64 max_step = MIN (G_MAXUINT64 / MAX (n - 1, 1), G_MAXINT64);
        guint64 step = 1 + (random_bits (f->random) >> g_rand_int_range (f->random, 0, 64)) % max_step;
        guint64 room = G_MAXUINT64 - (n - 1) * step;
        guint64 offset = room == G_MAXUINT64 ? 0 : random_bits (f->random) % (room + 1);

        assert_constant (f, (gint64) (offset + (guint64) G_MININT64), step, one->values[0], n);
      }
  assert_constant (f, G_MININT64, 1, -0.0, G_MAXUINT32);
  assert_constant (f, G_MAXINT64 - (G_MAXUINT32 - 1), 1, DBL_MAX, G_MAXUINT32);
  assert_constant (f, G_MININT64, G_GINT64_CONSTANT (0x100000001), 5e-324, G_MAXUINT32);
  assert_constant (f, -1, G_MAXINT64, 0.1, 2);
}

/* Blocks of one value at a regular step are the same however they are made, and small. */
static void
test_constant_points (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (Block) block
          = block_new_random (f->random, BLOCK_TIMES_REGULAR, BLOCK_VALUES_CONSTANT, pick_n (f));
      g_autofree guint8 *data = NULL;
      gsize size;
      MetricsCoded coded;
      gint64 first, step;

      open_block (&coded, block);
      g_assert_true (metrics_coding_is_constant (&coded));
      g_assert_true (metrics_coding_is_regular (&coded, &first, &step));
      size = encode_constant (&data, first, step, block->values[0], block->n);
      g_assert_cmpmem (data, size, block->code, block->size);
      g_assert_cmpuint (block->size, <=, 2 + 2 * 11 + 1 + 3 + 10);
    }
}

static void
test_kinds (Fixture *f, gconstpointer user_data)
{
  static const gint64 regular[] = { -20, -10, 0, 10 };
  static const gint64 irregular[] = { -20, -10, 0, 11 };
  static const gint64 wide[] = { G_MININT64, G_MAXINT64 };
  static const double same[] = { 0.1, 0.1, 0.1, 0.1 };
  static const double different[] = { 0.1, 0.2, 0.3, 0.4 };
  g_autoptr (Block) constant = block_new (regular, same, 4);
  g_autoptr (Block) linear = block_new (regular, different, 4);
  g_autoptr (Block) uneven = block_new (irregular, same, 4);
  g_autoptr (Block) two = block_new (wide, same, 2);
  MetricsCoded coded;
  gint64 first = 77;
  gint64 step = 77;

  open_block (&coded, uneven);
  g_assert_false (metrics_coding_is_constant (&coded));
  g_assert_false (metrics_coding_is_regular (&coded, &first, &step));
  /* Nothing that can be said as a step. */
  open_block (&coded, two);
  g_assert_false (metrics_coding_is_constant (&coded));
  g_assert_false (metrics_coding_is_regular (&coded, &first, &step));
  g_assert_cmpint (first, ==, 77);
  g_assert_cmpint (step, ==, 77);

  open_block (&coded, linear);
  g_assert_false (metrics_coding_is_constant (&coded));
  g_assert_true (metrics_coding_is_regular (&coded, &first, &step));
  g_assert_cmpint (first, ==, -20);
  g_assert_cmpint (step, ==, 10);
  open_block (&coded, constant);
  g_assert_true (metrics_coding_is_constant (&coded));
}

/* The integers behind the values */

static void
test_integers (Fixture *f, gconstpointer user_data)
{
  guint n_decimals = 0;

  for (guint i = 0; i < 100 * BLOCK_N_VALUES; i++)
    {
      g_autoptr (Block) block = block_new_random (f->random, 0, i % BLOCK_N_VALUES, pick_n (f));
      gint64 integers[METRICS_CODING_MAX_POINTS];
      MetricsCoded coded;

      open_block (&coded, block);
      if (!metrics_decimals_decode_integers (&coded.values, integers))
        {
          g_assert_true (coded.values.scale == METRICS_SCALE_BITS || coded.values.n_exceptions > 0);
          continue;
        }
      n_decimals++;
      for (guint j = 0; j < block->n; j++)
        {
          double value = metrics_decimals_scale (coded.values.scale, coded.values.exponent, integers[j]);

          g_assert_cmpmem (&value, sizeof value, &block->values[j], sizeof value);
        }
    }
  g_assert_cmpuint (n_decimals, >, 0);
}

/* The example of src/coding/README.md. */
static void
test_example (Fixture *f, gconstpointer user_data)
{
  static const gint64 times[] = { 1000, 1010, 1020 };
  static const double values[] = { 12.5, 12.5, 12.75 };
  static const guint8 bytes[] = {
    0x03,                               /* n */
    0x80, 0x00, 0x14, 0xd0, 0x0f,       /* times */
    0x02,                               /* scale */
    0x05, 0x00, 0xc4, 0x13, 0x00, 0x64, /* values */
  };
  g_autoptr (Block) block = block_new (times, values, G_N_ELEMENTS (times));

  g_assert_cmpmem (block->code, block->size, bytes, sizeof bytes);
  assert_comes_back (block);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, setup, function, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/coding/random", test_random);
  ADD ("/coding/lengths", test_lengths);
  ADD ("/coding/magnitudes", test_magnitudes);
  ADD ("/coding/largest-integers", test_largest_integers);
  ADD ("/coding/signed-zeros", test_signed_zeros);
  ADD ("/coding/windows", test_windows);
  ADD ("/coding/find", test_find);
  ADD ("/coding/constants", test_constants);
  ADD ("/coding/constant-points", test_constant_points);
  ADD ("/coding/kinds", test_kinds);
  ADD ("/coding/integers", test_integers);
  ADD ("/coding/example", test_example);
  return g_test_run ();
}
