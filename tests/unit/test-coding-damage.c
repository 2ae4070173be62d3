/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "blocks.h"

#include <math.h>

/* Bytes that are no block of points, or no longer the one they were: they are refused, or read without a
 * fault (a sanitizer sees it), and what passes metrics_coding_check() has what points have to have. */

#define MAX_READ 300

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

static void
assert_points (const gint64 *times, const double *values, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_assert_true (isfinite (values[i]));
      if (i > 0)
        g_assert_cmpint (times[i - 1], <, times[i]);
    }
}

/* Uses everything that there is in a block. */
static void
use (const MetricsCoded *coded)
{
  guint n = MIN (coded->n, MAX_READ);
  gint64 times[MAX_READ], first, step, integers[METRICS_CODING_MAX_POINTS];
  double values[MAX_READ];
  gboolean good = metrics_coding_check (coded);

  metrics_coding_read_times (coded, 0, n, times);
  metrics_coding_read_values (coded, 0, n, values);
  if (good)
    assert_points (times, values, n);
  metrics_coding_read_times (coded, coded->n - n, n, times);
  metrics_coding_read_values (coded, coded->n - n, n, values);
  if (good)
    assert_points (times, values, n);

  for (guint i = 0; i < n; i++)
    {
      guint64 found = metrics_coding_find (coded, times[i]);

      g_assert_cmpuint (found, <=, coded->n);
      if (good)
        g_assert_cmpuint (found, ==, coded->n - n + i);
    }
  metrics_coding_is_regular (coded, &first, &step);
  if (coded->n <= METRICS_CODING_MAX_POINTS)
    metrics_decimals_decode_integers (&coded->values, integers);
}

/* Returns: whether it can be opened and checked */
static gboolean
try (const guint8 *bytes, gsize size)
{
  g_autofree guint8 *copy = g_malloc (MAX (size, 1));
  MetricsCoded coded;

  /* An allocation of no bytes is none, so these end where their allocation ends. */
  memcpy (copy + MAX (size, 1) - size, bytes, size);
  if (!metrics_coding_open (&coded, copy + MAX (size, 1) - size, size))
    return FALSE;
  use (&coded);
  return metrics_coding_check (&coded);
}

static Block *
pick_block (Fixture *f, guint max)
{
  return block_new_random (f->random, g_rand_int_range (f->random, 0, BLOCK_N_TIMES),
                           g_rand_int_range (f->random, 0, BLOCK_N_VALUES),
                           g_rand_int_range (f->random, 1, max + 1));
}

/* Each block says by itself where it ends. */
static void
test_truncated (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 500; i++)
    {
      g_autoptr (Block) block = pick_block (f, METRICS_CODING_MAX_POINTS);

      for (gsize size = 0; size < block->size; size++)
        g_assert_false (try (block->code, size));
    }
}

static void
test_longer (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 500; i++)
    {
      g_autoptr (Block) block = pick_block (f, METRICS_CODING_MAX_POINTS);
      g_autofree guint8 *bytes = g_malloc0 (block->size + 1);

      memcpy (bytes, block->code, block->size);
      g_assert_true (try (bytes, block->size));
      g_assert_false (try (bytes, block->size + 1));
    }
}

static void
test_flipped (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (Block) block = pick_block (f, i < 150 ? 24 : METRICS_CODING_MAX_POINTS);

      for (gsize bit = 0; bit < block->size * 8 && (i < 150 || bit < 1000); bit++)
        {
          block->code[bit / 8] ^= 1 << bit % 8;
          try (block->code, block->size);
          block->code[bit / 8] ^= 1 << bit % 8;
        }
    }
}

/* Every value of the bytes that say what follows. */
static void
test_heads (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (Block) block = pick_block (f, 12);
      g_autofree guint8 *bytes = g_memdup2 (block->code, block->size);

      for (gsize at = 0; at < block->size; at++)
        {
          for (guint byte = 0; byte < 256; byte++)
            {
              bytes[at] = byte;
              try (bytes, block->size);
            }
          bytes[at] = block->code[at];
        }
    }
}

static void
test_noise (Fixture *f, gconstpointer user_data)
{
  for (guint i = 0; i < 100000; i++)
    {
      guint8 bytes[48];
      gsize size = g_rand_int_range (f->random, 0, sizeof bytes + 1);

      for (gsize j = 0; j < size; j++)
        bytes[j] = g_rand_boolean (f->random) ? g_rand_int_range (f->random, 0, 256)
                                              : g_rand_int_range (f->random, 0, 8);
      try (bytes, size);
    }
}

/* A block that can be opened, but is none of points. */
static void
assert_unchecked (const guint8 *bytes, gsize size)
{
  MetricsCoded coded;

  g_assert_true (metrics_coding_open (&coded, bytes, size));
  g_assert_false (metrics_coding_check (&coded));
  use (&coded);
}

static void
test_times (Fixture *f, gconstpointer user_data)
{
  static const gint64 wrong[][4] = {
    { 0, 1, 1, 3 },                   /* twice the same */
    { 0, 0, 1, 3 },                   /* at the beginning */
    { 0, 1, 3, 3 },                   /* at the end */
    { 1, 3, 2, 5 },                   /* back */
    { 5, 4, 3, 2 },                   /* back at a regular step */
    { 5, 5, 5, 5 },                   /* no step */
    { G_MAXINT64, G_MININT64, 1, 2 }, /* beyond the last there is */
    { G_MAXINT64 - 2, G_MAXINT64 - 1, G_MAXINT64, G_MININT64 },
    { 0, G_MAXINT64 / 2 + 1, G_MININT64, G_MININT64 / 2 },
  };
  static const gint64 right[] = { G_MININT64, -1, 0, G_MAXINT64 };
  static const double values[] = { 1, 2, 3, 5 };
  g_autoptr (Block) good = block_new (right, values, 4);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (Block) block = block_new (wrong[i], values, 4);

      assert_unchecked (block->code, block->size);
    }
  g_assert_true (try (good->code, good->size));
}

/* The last of many times at a regular step is one, or the next of it is none. */
static void
test_regular_end (Fixture *f, gconstpointer user_data)
{
  static const guint32 lengths[] = { 2, 3, 256, 257, 100000, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (gint64 step = 1; step < 1 << 20; step *= 3)
      {
        gint64 first = G_MAXINT64 - (gint64) (lengths[i] - 1) * step;
        guint8 code[METRICS_CODING_MAX_SIZE (1)];
        gsize size = metrics_coding_encode_constant (code, first, step, 1.5, lengths[i]);

        g_assert_true (try (code, size));
        size = metrics_coding_encode_constant (code, first + 1, step, 1.5, lengths[i]);
        assert_unchecked (code, size);
        size = metrics_coding_encode_constant (code, first, step + 1, 1.5, lengths[i]);
        assert_unchecked (code, size);
      }
}

static void
test_values (Fixture *f, gconstpointer user_data)
{
  static const double wrong[] = { NAN, INFINITY, -INFINITY };
  static const gint64 times[] = { 1, 2, 3, 4 };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    for (guint at = 0; at < 4; at++)
      for (guint n = at + 1; n <= 4; n++)
        {
          double values[] = { 0.1, 0.2, 0.7, 0.3 };

          values[at] = wrong[i];
          {
            g_autoptr (Block) block = block_new (times, values, n);

            assert_unchecked (block->code, block->size);
          }
        }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      guint8 code[METRICS_CODING_MAX_SIZE (1)];

      assert_unchecked (code, metrics_coding_encode_constant (code, 1, 2, wrong[i], 100000));
    }
}

/* Blocks written by hand: each breaks one rule of src/coding/README.md, and says the same as a good one
 * otherwise. */
static void
test_rules (Fixture *f, gconstpointer user_data)
{
  static const struct
  {
    const char *hex;
    gboolean good;
  } cases[] = {
    { "03 8000 14 d00f 02 8500 00 c413 2003", TRUE },                 /* three points */
    { "83 00 8000 14 d00f 02 8500 00 c413 2003", TRUE },              /* a longer varint than there need be */
    { "00 8000 14 d00f 02 8500 00 c413", FALSE },                     /* no points */
    { "80 02 8000 14 d00f 02 8000 00 c413", TRUE },                   /* 256 of one value */
    { "ff ff ff ff 0f 8000 14 d00f 02 8000 00 c413", TRUE },          /* as many as may be */
    { "80 80 80 80 10 8000 14 d00f 02 8000 00 c413", FALSE },         /* one more */
    { "ff ff ff ff ff ff ff ff ff 01 8000 14 00 02 0000 00", FALSE }, /* far more */
    { "ff ff ff ff ff ff ff ff ff 02 8000 14 00 02 0000 00", FALSE }, /* more than 64 bits */
    { "83 80 80 80 80 80 80 80 80 02 8000 14 d00f 02 8500 00 c413 2003", FALSE },
    { "83 80 80 80 80 80 80 80 80 80 00 8000 14 00 02 0000 00", FALSE }, /* more than 10 bytes */
    { "81 02 8000 14 d00f 02 8000 02 c413", FALSE },   /* 257 that are linear, but not constant */
    { "81 02 0000 14 02 8000 00 c413", FALSE },        /* 257 at one time */
    { "04 c100 14 00 00 02 8000 00 c413", FALSE },     /* width 65 */
    { "03 8000 14 d00f 72 8500 00 c413 2003", FALSE }, /* kind 3 */
    { "03 8000 14 d00f 13 8500 00 c413 2003", FALSE }, /* exponent 19 */
    { "03 8000 14 d00f 12 8500 00 c413 2003", TRUE },  /* exponent 18 */
    { "03 8000 14 d00f 40 8500 00 c413 2003", TRUE },  /* bits */
    { "03 8000 14 d00f 42 8500 00 c413 2003", FALSE }, /* bits, with an exponent */
    { "03 8000 14 d00f c0 8500 00 c413 2003 01 00 0000000000000000", FALSE }, /* bits, with exceptions */
    /* Exceptions: */
    { "03 8000 14 d00f 82 8500 00 c413 2003 01 02 0000000000000000", TRUE },
    { "03 8000 14 d00f 82 8500 00 c413 2003 01 03 0000000000000000", FALSE }, /* of no point */
    { "03 8000 14 d00f 82 8500 00 c413 2003 00", FALSE },                     /* none */
    { "03 8000 14 d00f 82 8500 00 c413 2003 02 00 01 00000000000000000000000000000000", TRUE },
    { "03 8000 14 d00f 82 8500 00 c413 2003 02 01 01 00000000000000000000000000000000", FALSE },
    { "03 8000 14 d00f 82 8500 00 c413 2003 02 01 00 00000000000000000000000000000000", FALSE },
    { "01 8000 14 d00f 82 8000 00 c413 01 00 000000000000f03f", TRUE },
    { "01 8000 14 d00f 82 8000 00 c413 01 00 000000000000f07f", FALSE }, /* infinite */
    { "01 8000 14 d00f 82 8000 00 c413 02 00 01 000000000000f03f 000000000000f03f", FALSE },
    { "81 02 8000 14 d00f 82 8000 00 c413 01 00 000000000000f03f", FALSE }, /* no longer constant */
    /* Integers up to 2^51 on either side: */
    { "01 8000 14 d00f 00 8000 00 80808080 80808008", TRUE },
    { "01 8000 14 d00f 00 8000 00 82808080 80808008", FALSE },
    { "01 8000 14 d00f 00 8000 00 ffffffff ffffff07", TRUE },
    { "01 8000 14 d00f 00 8000 00 81808080 80808008", FALSE },
    { "02 8000 14 d00f 00 8000 01 80808080 80808008", TRUE },
    { "02 8000 14 d00f 00 8000 02 80808080 80808008", FALSE },
    { "02 8000 14 d00f 00 8000 02 ffffffff ffffff07", TRUE },
    { "02 8000 14 d00f 00 8000 01 ffffffff ffffff07", FALSE },
    { "02 8000 14 d00f 40 8000 01 ffffffff ffffff07", TRUE },
    { "81 02 8000 14 d00f 00 8000 00 82808080 80808008", FALSE },
    /* Patches by list, of 4 steps of 2 bits; the third has 3 more: */
    { "05 8240 02 00 03 01 02 07 00 00 8000 00 02", TRUE },
    { "05 8240 02 00 03 01 04 07 00 00 8000 00 02", FALSE }, /* of no step */
    { "05 8240 02 00 03 00 00 00 8000 00 02", FALSE },       /* none */
    { "05 8240 02 00 03 02 01 02 3f 00 00 8000 00 02", TRUE },
    { "05 8240 02 00 03 02 02 02 3f 00 00 8000 00 02", FALSE },          /* twice */
    { "05 8240 02 00 03 02 02 01 3f 00 00 8000 00 02", FALSE },          /* backwards */
    { "05 8240 02 00 01 05 00 01 02 03 04 1f 00 00 8000 00 02", FALSE }, /* more than there are steps */
    { "05 8240 02 00 00 01 02 00 00 8000 00 02", FALSE },                /* of no width */
    { "05 c040 02 00 01 01 02 01 0000000000000000000000000000000000000000000000000000000000000000 00 8000 00 "
      "02",
      FALSE },                                                             /* above 64 bits */
    { "05 8040 02 00 41 01 02 ffffffffffffffff 01 00 8000 00 02", FALSE }, /* of 65 bits */
    { "05 8040 02 00 40 01 02 0700000000000000 00 8000 00 02", TRUE },     /* of 64 */
    { "05 8040 02 00 40 01 02 ffffffffffffffff 00 8000 00 02", FALSE }, /* of 64, which make a step of none */
    { "05 8240 02 00 03 81808080 10 02 07 00 00 8000 00 02", FALSE },   /* 2^32 + 1 */
    /* And by bitmap: */
    { "05 8240 02 00 83 01 04 07 00 00 8000 00 02", TRUE },
    { "05 8240 02 00 83 01 0c 07 00 00 8000 00 02", FALSE }, /* more than are said to be */
    { "05 8240 02 00 83 02 04 3f 00 00 8000 00 02", FALSE }, /* fewer */
    { "05 8240 02 00 83 01 10 07 00 00 8000 00 02", FALSE }, /* of no step */
    { "01 8240 02 00 83 00 00 8000 00 02", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      for (const char *hex = cases[i].hex; *hex != '\0'; hex += *hex == ' ' ? 1 : 2)
        if (*hex != ' ')
          {
            guint8 byte = g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]);

            g_byte_array_append (bytes, &byte, 1);
          }
      if (try (bytes->data, bytes->len) != cases[i].good)
        g_error ("%s is not what it should be", cases[i].hex);
    }
}

/* A list alone: only a linear one may be longer than a block. */
static void
test_list (Fixture *f, gconstpointer user_data)
{
  const guint8 linear[] = { 0x80, 0x00, 0x02, 0x00 };
  guint8 packed[4 + 33] = { 0x81, 0x00, 0x02, 0x00 };
  MetricsIntegers integers;

  for (guint n = METRICS_INTEGERS_MAX; n <= METRICS_INTEGERS_MAX + 1; n++)
    {
      MetricsBytes bytes = { linear, sizeof linear };

      g_assert_true (metrics_integers_open (&integers, &bytes, n));
      bytes = (MetricsBytes){ packed, sizeof packed };
      g_assert_cmpint (metrics_integers_open (&integers, &bytes, n), ==, n <= METRICS_INTEGERS_MAX);
    }
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, setup, function, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/coding-damage/truncated", test_truncated);
  ADD ("/coding-damage/longer", test_longer);
  ADD ("/coding-damage/flipped", test_flipped);
  ADD ("/coding-damage/heads", test_heads);
  ADD ("/coding-damage/noise", test_noise);
  ADD ("/coding-damage/times", test_times);
  ADD ("/coding-damage/regular-end", test_regular_end);
  ADD ("/coding-damage/values", test_values);
  ADD ("/coding-damage/rules", test_rules);
  ADD ("/coding-damage/list", test_list);
  return g_test_run ();
}
