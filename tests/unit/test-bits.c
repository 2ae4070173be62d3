/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-bits.h"

#include <string.h>

#define MAX_N 256
#define MAX_WIDTH 64

/* Bit @bit of bytes, as metrics-bits.c describes them. */
static guint
get_bit (const guint8 *data, gsize bit)
{
  return data[bit / 8] >> bit % 8 & 1;
}

static void
check_packed (const guint8 *data, const guint64 *values, guint n, guint width)
{
  gsize size = metrics_bits_get_size (n, width);
  gsize bit = 0;

  g_assert_cmpuint (size, ==, (n * width + 7) / 8);
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < width; j++, bit++)
      g_assert_cmpuint (get_bit (data, bit), ==, values[i] >> j & 1);
  for (; bit < size * 8; bit++)
    g_assert_cmpuint (get_bit (data, bit), ==, 0);
}

static void
fill (guint64 *values, guint n, guint width)
{
  for (guint i = 0; i < n; i++)
    {
      guint64 bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();

      /* Ones alone show what spills into a neighbour. */
      if (g_test_rand_int_range (0, 4) == 0)
        bits = G_MAXUINT64;
      values[i] = width == 0 ? 0 : bits >> (64 - width);
    }
}

/* Each list in allocations of its own size: a sanitizer sees what goes beyond. */
static void
check (guint n, guint width)
{
  gsize size = metrics_bits_get_size (n, width);
  g_autofree guint64 *values = g_new (guint64, MAX (n, 1));
  g_autofree guint64 *back = g_new (guint64, MAX (n, 1));
  g_autofree guint8 *data = g_malloc (MAX (size, 1));

  fill (values, n, width);
  memset (data, 0xa5, size);
  memset (back, 0xa5, n * sizeof *back);
  metrics_bits_pack (data, values, n, width);
  check_packed (data, values, n, width);
  metrics_bits_unpack (data, n, width, back);
  g_assert_cmpmem (values, n * sizeof *values, back, n * sizeof *back);
}

static void
test_all (void)
{
  for (guint width = 0; width <= MAX_WIDTH; width++)
    for (guint n = 0; n <= MAX_N; n++)
      check (n, width);
}

/* Bytes need not lie where a processor likes them. */
static void
test_unaligned (void)
{
  for (guint width = 1; width <= MAX_WIDTH; width++)
    for (guint offset = 1; offset < 8; offset++)
      {
        guint n = g_test_rand_int_range (1, MAX_N + 1);
        g_autofree guint8 *data = g_malloc (offset + metrics_bits_get_size (n, width));
        guint64 values[MAX_N], back[MAX_N];

        fill (values, n, width);
        metrics_bits_pack (data + offset, values, n, width);
        metrics_bits_unpack (data + offset, n, width, back);
        g_assert_cmpmem (values, n * sizeof *values, back, n * sizeof *back);
      }
}

/* What lies behind the bytes is not changed, and does not matter. */
static void
test_behind (void)
{
  for (guint width = 0; width <= MAX_WIDTH; width++)
    for (guint n = 0; n < 20; n++)
      {
        gsize size = metrics_bits_get_size (n, width);
        guint8 data[20 * 8 + 16];
        guint64 values[20], back[20];

        fill (values, n, width);
        memset (data, 0xff, sizeof data);
        metrics_bits_pack (data, values, n, width);
        for (gsize i = size; i < sizeof data; i++)
          g_assert_cmpuint (data[i], ==, 0xff);
        metrics_bits_unpack (data, n, width, back);
        g_assert_cmpmem (values, n * sizeof *values, back, n * sizeof *back);
      }
}

static void
test_width (void)
{
  g_assert_cmpuint (metrics_bits_get_width (0), ==, 0);
  for (guint bit = 0; bit < 64; bit++)
    {
      guint64 value = G_GUINT64_CONSTANT (1) << bit;

      g_assert_cmpuint (metrics_bits_get_width (value), ==, bit + 1);
      g_assert_cmpuint (metrics_bits_get_width (value | (value - 1)), ==, bit + 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bits/all", test_all);
  g_test_add_func ("/bits/unaligned", test_unaligned);
  g_test_add_func ("/bits/behind", test_behind);
  g_test_add_func ("/bits/width", test_width);
  return g_test_run ();
}
