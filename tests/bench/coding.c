/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-bits.h"
#include "coding/metrics-coding.h"

#include <gio/gio.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How many bytes a point takes in blocks of 256 points, by ways of coding, on data of several kinds; and how
 * long ours takes to code and decode. Only sizes are computed of the others: those who know them can check
 * them line by line.
 *
 *     zstd -dc node.txt.zst | bench-coding            (lines `<key> <value> <timestamp>`: recorded data)
 *     bench-coding --no-recorded */

#define BLOCK METRICS_CODING_MAX_POINTS
#define SYNTHETIC_SERIES 200
#define SYNTHETIC_POINTS 2048

typedef struct
{
  GArray *times;
  GArray *values;
} Series;

typedef struct
{
  const gint64 *times;
  const double *values;
  guint n;
} Block;

typedef gsize (*SizeFunc) (const Block *block);

static void
series_free (Series *self)
{
  g_array_unref (self->times);
  g_array_unref (self->values);
  g_free (self);
}

static Series *
series_new (GPtrArray *all)
{
  Series *self = g_new (Series, 1);

  self->times = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->values = g_array_new (FALSE, FALSE, sizeof (double));
  g_ptr_array_add (all, self);
  return self;
}

static void
series_add (Series *self, gint64 time, double value)
{
  g_array_append_val (self->times, time);
  g_array_append_val (self->values, value);
}

/* Recorded data. */

static GPtrArray *
read_recorded (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) series_free);
  g_autoptr (GHashTable) table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  char line[4096];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", 3);
      Series *series;

      if (g_strv_length (words) != 3)
        continue;
      series = g_hash_table_lookup (table, words[0]);
      if (series == NULL)
        {
          series = series_new (all);
          g_hash_table_insert (table, g_strdup (words[0]), series);
        }
      series_add (series, g_ascii_strtoll (words[2], NULL, 10), g_ascii_strtod (words[1], NULL));
    }
  return all;
}

/* Made data. */

static double
make_walk (GRand *random, double last, guint i)
{
  return round (last * 100 + g_rand_int_range (random, -50, 51)) / 100;
}

static double
make_counter (GRand *random, double last, guint i)
{
  return last + g_rand_int_range (random, 900, 1100);
}

static double
make_noise (GRand *random, double last, guint i)
{
  return g_rand_double (random);
}

static GPtrArray *
make_data (double (*make) (GRand *random, double last, guint i))
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) series_free);
  GRand *random = g_rand_new_with_seed (1);

  for (guint i = 0; i < SYNTHETIC_SERIES; i++)
    {
      Series *series = series_new (all);
      double value = make (random, 20, 0);

      for (guint j = 0; j < SYNTHETIC_POINTS; j++)
        {
          series_add (series, 1500000000 + j * 10, value);
          value = make (random, value, j);
        }
    }
  g_rand_free (random);
  return all;
}

/* Other ways. */

static guint64
get_bits (double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* T. Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015, 4.1.1; with the
 * first time whole. In bits. */
static gsize
get_gorilla_times (const Block *block)
{
  gsize bits = 64 + 14;
  gint64 last = block->n > 1 ? block->times[1] - block->times[0] : 0;

  for (guint i = 2; i < block->n; i++)
    {
      gint64 delta = block->times[i] - block->times[i - 1];
      gint64 change = delta - last;

      if (change == 0)
        bits += 1;
      else if (change >= -63 && change <= 64)
        bits += 2 + 7;
      else if (change >= -255 && change <= 256)
        bits += 3 + 9;
      else if (change >= -2047 && change <= 2048)
        bits += 4 + 12;
      else
        bits += 4 + 32;
      last = delta;
    }
  return bits;
}

/* The same, 4.1.2. */
static gsize
get_gorilla (const Block *block)
{
  gsize bits = get_gorilla_times (block) + 64;
  guint leading = 65, trailing = 0;

  for (guint i = 1; i < block->n; i++)
    {
      guint64 x = get_bits (block->values[i]) ^ get_bits (block->values[i - 1]);
      guint l, t;

      bits += 1;
      if (x == 0)
        continue;
      l = MIN (__builtin_clzll (x), 31);
      t = __builtin_ctzll (x);
      bits += 1;
      if (leading <= 64 && l >= leading && t >= trailing)
        bits += 64 - leading - trailing;
      else
        {
          leading = l;
          trailing = t;
          bits += 5 + 6 + 64 - l - t;
        }
    }
  return (bits + 7) / 8;
}

/* P. Liakos, K. Papakonstantinopoulou, Y. Kotidis, "Chimp: Efficient Lossless Floating Point Compression for
 * Time Series Databases", VLDB 2022, 3.2; times as above. */
static gsize
get_chimp (const Block *block)
{
  static const guint steps[] = { 0, 8, 12, 16, 18, 20, 22, 24 };
  gsize bits = get_gorilla_times (block) + 64;
  guint last = 65;

  for (guint i = 1; i < block->n; i++)
    {
      guint64 x = get_bits (block->values[i]) ^ get_bits (block->values[i - 1]);
      guint leading = 0, trailing;

      bits += 2;
      if (x == 0)
        {
          last = 65;
          continue;
        }
      for (guint j = 0; j < G_N_ELEMENTS (steps); j++)
        if (steps[j] <= (guint) __builtin_clzll (x))
          leading = steps[j];
      trailing = __builtin_ctzll (x);
      if (trailing > 6)
        {
          bits += 3 + 6 + 64 - leading - trailing;
          last = 65;
        }
      else if (leading == last)
        bits += 64 - leading;
      else
        {
          bits += 3 + 64 - leading;
          last = leading;
        }
    }
  return (bits + 7) / 8;
}

static gsize
get_zlib (const Block *block)
{
  g_autoptr (GConverter) zlib = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW, 9));
  guint8 out[BLOCK * 16 + 64];
  gsize n_read, n_written;

  g_converter_convert (zlib, block->values, block->n * sizeof (double), out, sizeof out,
                       G_CONVERTER_INPUT_AT_END, &n_read, &n_written, NULL);
  return n_written + get_gorilla_times (block) / 8;
}

/* Decimals relative to the least of the block, without patches, as ALP's (SIGMOD 2024) in a block of this
 * size; numbers that are none take 2 bytes and themselves. */
static gsize
get_decimal_frame (const Block *block)
{
  gsize best = G_MAXSIZE;

  for (guint exponent = 0; exponent <= 18; exponent++)
    {
      double power = pow (10, exponent), inverse = 1 / power;
      double least = INFINITY, greatest = -INFINITY;
      guint n_exceptions = 0;

      for (guint i = 0; i < block->n; i++)
        {
          double integer = nearbyint (block->values[i] * power);

          if (fabs (integer) >= 0x1p53
              || (integer / power != block->values[i] && integer * inverse != block->values[i]))
            n_exceptions++;
          else
            {
              least = MIN (least, integer);
              greatest = MAX (greatest, integer);
            }
        }
      if (n_exceptions < block->n)
        best = MIN (best, metrics_bits_get_size (block->n, metrics_bits_get_width (greatest - least))
                              + n_exceptions * 10);
    }
  return MIN (best, block->n * sizeof (double)) + 13 + get_gorilla_times (block) / 8;
}

static gsize
get_ours (const Block *block)
{
  guint8 data[METRICS_CODING_MAX_SIZE (BLOCK)];

  return metrics_coding_encode (data, block->times, block->values, block->n);
}

/* The table. */

static double
get_bytes_a_point (GPtrArray *all, SizeFunc get_size)
{
  gsize size = 0, n = 0;

  for (guint i = 0; i < all->len; i++)
    {
      const Series *series = g_ptr_array_index (all, i);

      for (guint at = 0; at < series->values->len; at += BLOCK)
        {
          Block block = { (const gint64 *) series->times->data + at,
                          (const double *) series->values->data + at, MIN (BLOCK, series->values->len - at) };

          size += get_size (&block);
          n += block.n;
        }
    }
  return (double) size / n;
}

/* Codes and decodes the data some times, checks that it comes back, and prints nanoseconds a point. */
static void
print_speed (const char *name, GPtrArray *all)
{
  const guint n_rounds = 20;
  gint64 coding = 0, decoding = 0, summing = 0;
  gsize n = 0;

  for (guint i = 0; i < all->len; i++)
    {
      const Series *series = g_ptr_array_index (all, i);

      for (guint at = 0; at + BLOCK <= series->values->len; at += BLOCK)
        {
          const gint64 *times = (const gint64 *) series->times->data + at;
          const double *values = (const double *) series->values->data + at;
          guint8 data[METRICS_CODING_MAX_SIZE (BLOCK)];
          gint64 times_back[BLOCK], integers[BLOCK];
          double back[BLOCK];
          MetricsCoded coded;
          gsize size = 0;
          gint64 start = g_get_monotonic_time ();

          for (guint k = 0; k < n_rounds; k++)
            size = metrics_coding_encode (data, times, values, BLOCK);
          coding += g_get_monotonic_time () - start;
          start = g_get_monotonic_time ();
          for (guint k = 0; k < n_rounds; k++)
            {
              if (!metrics_coding_open (&coded, data, size))
                g_error ("a block cannot be read");
              metrics_coding_read_times (&coded, 0, BLOCK, times_back);
              metrics_coding_read_values (&coded, 0, BLOCK, back);
            }
          decoding += g_get_monotonic_time () - start;
          if (memcmp (back, values, sizeof back) != 0 || memcmp (times_back, times, sizeof times_back) != 0)
            g_error ("a block came back changed");
          start = g_get_monotonic_time ();
          for (guint k = 0; k < n_rounds; k++)
            metrics_decimals_decode_integers (&coded.values, integers);
          summing += g_get_monotonic_time () - start;
          n += BLOCK;
        }
    }
  printf ("%-10s code %.1f ns a point, decode %.2f ns, integers alone %.2f ns\n", name,
          coding * 1e3 / n / n_rounds, decoding * 1e3 / n / n_rounds, summing * 1e3 / n / n_rounds);
}

int
main (int argc, char **argv)
{
  const struct
  {
    const char *name;
    SizeFunc get_size;
  } ways[] = {
    { "Gorilla", get_gorilla }, { "Chimp", get_chimp },
    { "zlib -9", get_zlib },    { "decimals in a frame", get_decimal_frame },
    { "this", get_ours },
  };
  gboolean recorded = argc < 2 || !g_str_equal (argv[1], "--no-recorded");
  const char *names[] = { "recorded", "walk", "counter", "noise" };
  GPtrArray *data[] = { recorded ? read_recorded () : g_ptr_array_new (), make_data (make_walk),
                        make_data (make_counter), make_data (make_noise) };

  printf ("bytes a point, blocks of %u\n%-20s", BLOCK, "");
  for (guint j = recorded ? 0 : 1; j < G_N_ELEMENTS (data); j++)
    printf ("%10s", names[j]);
  printf ("\n");
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      printf ("%-20s", ways[i].name);
      for (guint j = recorded ? 0 : 1; j < G_N_ELEMENTS (data); j++)
        printf ("%10.3f", get_bytes_a_point (data[j], ways[i].get_size));
      printf ("\n");
    }
  for (guint j = recorded ? 0 : 1; j < G_N_ELEMENTS (data); j++)
    print_speed (names[j], data[j]);
  for (guint j = 0; j < G_N_ELEMENTS (data); j++)
    g_ptr_array_unref (data[j]);
  return 0;
}
