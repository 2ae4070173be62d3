/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "blocks.h"

#include <float.h>
#include <math.h>

guint64
random_bits (GRand *random)
{
  return (guint64) g_rand_int (random) << 32 | g_rand_int (random);
}

/* Any finite one whose bits are a number of @width bits, at least 1. */
double
random_double (GRand *random, guint width)
{
  double value;

  do
    {
      guint64 bits = random_bits (random) >> (64 - width);

      memcpy (&value, &bits, sizeof value);
    }
  while (!isfinite (value));
  return value;
}

/* Below @end, of any size alike. */
static guint64
random_size (GRand *random, guint64 end)
{
  return (random_bits (random) >> g_rand_int_range (random, 0, 64)) % end;
}

static gint64
random_step (GRand *random, BlockTimes kind, guint i)
{
  switch ((gint) kind)
    {
    case BLOCK_TIMES_JITTER:
      return 1000 + g_rand_int_range (random, -3, 4);
    case BLOCK_TIMES_GAPS:
      return g_rand_int_range (random, 0, 60) == 0 ? 1 + random_size (random, G_MAXINT64 / 4096) : 10;
    case BLOCK_TIMES_IRREGULAR:
      return 1 + random_size (random, G_MAXINT64 / 256);
    case BLOCK_TIMES_ROUND:
      return 3600 * 64 * (gint64) g_rand_int_range (random, 1, 5);
    case BLOCK_TIMES_ALTERNATING:
      return i % 2 == 0 ? 1 : 1000000007;
    default:
      g_assert_not_reached ();
    }
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a;
  gint64 second = *(const gint64 *) b;

  return first < second ? -1 : first > second;
}

/* From the first time there is to the last: differences do not fit into a signed number. */
static void
fill_wide (GRand *random, gint64 *times, guint n)
{
  for (gboolean again = TRUE; again;)
    {
      for (guint i = 0; i < n; i++)
        times[i] = (gint64) random_bits (random);
      times[0] = G_MININT64;
      times[n - 1] = G_MAXINT64;
      qsort (times, n, sizeof *times, compare_times);
      again = FALSE;
      for (guint i = 1; i < n; i++)
        again |= times[i] == times[i - 1];
    }
}

static void
fill_regular (GRand *random, gint64 *times, guint n)
{
  guint64 range = random_bits (random) >> g_rand_int_range (random, 0, 50);
  guint64 step = MAX (range / n, 1);
  guint64 first = random_bits (random) % (G_MAXUINT64 - (n - 1) * step) + (guint64) G_MININT64;

  for (guint i = 0; i < n; i++)
    times[i] = (gint64) (first + i * step);
}

static void
fill_times (GRand *random, BlockTimes kind, gint64 *times, guint n)
{
  if (kind == BLOCK_TIMES_REGULAR)
    fill_regular (random, times, n);
  else if (kind == BLOCK_TIMES_WIDE)
    fill_wide (random, times, n);
  else
    {
      times[0] = g_rand_boolean (random) ? G_MININT64 : (gint64) random_size (random, G_MAXINT32);
      for (guint i = 1; i < n; i++)
        times[i] = times[i - 1] + random_step (random, kind, i);
    }
}

static double
random_special (GRand *random)
{
  static const double values[] = {
    0,
    -0.0,
    5e-324,
    -5e-324,
    2.2250738585072009e-308,
    DBL_MIN,
    -DBL_MIN,
    DBL_MAX,
    -DBL_MAX,
    1e22,
    1e23,
    0.1,
    0x1p51,
    -0x1p51,
    0x1p51 - 0.25,
    0x1p52,
    0x1p53,
    0x1p53 + 2,
    -0x1p63,
    0x1p63,
    0x1p64,
    1e-18,
    9.99999999999e-7,
    0.30000000000000004,
    1e300,
  };

  return values[g_rand_int_range (random, 0, G_N_ELEMENTS (values))];
}

/* As 10^@exponent is written, correctly rounded. */
static double
power (gint exponent)
{
  g_autofree char *text = g_strdup_printf ("1e%d", exponent);

  return g_ascii_strtod (text, NULL);
}

/* The integers on both sides of where doubles get wider: one that fits, or does not, or only without a sign.
 */
static double
random_large (GRand *random)
{
  static const double edges[] = { 0x1p50, 0x1p51, 0x1p52, 0x1p53, 0x1p54, 0x1p62, 0x1p63 };
  double edge = edges[g_rand_int_range (random, 0, G_N_ELEMENTS (edges))];
  double value = edge + 0.25 * g_rand_int_range (random, -8, 9);

  if (g_rand_int_range (random, 0, 3) == 0)
    value /= power (g_rand_int_range (random, 0, 19));
  return g_rand_boolean (random) ? value : -value;
}

static gint64
random_walk (GRand *random, gint64 *integer)
{
  *integer += g_rand_int_range (random, -50, 51);
  return *integer;
}

/* Now and then another is found instead; how often is @rarity. */
static double
random_exception (GRand *random, double value, gint rarity)
{
  if (g_rand_int_range (random, 0, rarity) != 0)
    return value;
  return g_rand_boolean (random) ? g_rand_double (random) * 100 : random_special (random);
}

static void
fill_integers (GRand *random, BlockValues kind, double *values, guint n)
{
  gint64 integer = g_rand_int_range (random, -100000, 100000);
  gint64 step = g_rand_int_range (random, -1000, 1000);
  gint rarity = 1 << g_rand_int_range (random, 1, 8);
  gint shift = g_rand_int_range (random, 1, 30);
  guint64 counter = random_size (random, G_GUINT64_CONSTANT (1) << 50);

  for (guint i = 0; i < n; i++)
    switch ((gint) kind)
      {
      case BLOCK_VALUES_LINEAR:
        values[i] = integer + step * (gint64) i;
        break;
      case BLOCK_VALUES_COUNTER:
      case BLOCK_VALUES_SCALED:
        counter = g_rand_int_range (random, 0, 100) == 0 ? 0 : counter + g_rand_int_range (random, 900, 1100);
        values[i] = counter;
        break;
      case BLOCK_VALUES_OUTLIERS:
        random_walk (random, &integer);
        values[i] = integer;
        if (g_rand_int_range (random, 0, rarity) == 0)
          values[i] += (gint64) random_size (random, G_GUINT64_CONSTANT (1) << 50);
        break;
      case BLOCK_VALUES_ROUND:
        values[i] = (double) (random_walk (random, &integer) % 1000 * (1 << shift));
        break;
      default:
        values[i] = random_walk (random, &integer);
        break;
      }
}

static void
fill_any (GRand *random, BlockValues kind, double *values, guint n)
{
  guint width = kind == BLOCK_VALUES_WIDTH ? g_rand_int_range (random, 1, 65) : 64;

  for (guint i = 0; i < n; i++)
    switch ((gint) kind)
      {
      case BLOCK_VALUES_LARGE:
        values[i] = random_large (random);
        break;
      case BLOCK_VALUES_NOISE:
        values[i] = g_rand_double (random);
        break;
      case BLOCK_VALUES_SPECIAL:
        values[i] = random_special (random);
        break;
      default:
        values[i] = random_double (random, width);
        break;
      }
}

static void
fill_constant (GRand *random, double *values, guint n)
{
  fill_any (random, g_rand_int_range (random, BLOCK_VALUES_LARGE, BLOCK_VALUES_SPECIAL + 1), values, 1);
  if (g_rand_boolean (random))
    values[0] = g_rand_int_range (random, -10000, 10000) / power (g_rand_int_range (random, 0, 16));
  for (guint i = 1; i < n; i++)
    values[i] = values[0];
}

static void
fill_values (GRand *random, BlockValues kind, double *values, guint n)
{
  gint exponent = g_rand_int_range (random, 0, 19);
  double factor = power (kind == BLOCK_VALUES_SCALED ? -g_rand_int_range (random, 1, 19) : -exponent);
  gint rarity = 1 << g_rand_int_range (random, 1, 8);

  if (kind == BLOCK_VALUES_CONSTANT)
    fill_constant (random, values, n);
  else if (kind == BLOCK_VALUES_LARGE || kind == BLOCK_VALUES_NOISE || kind == BLOCK_VALUES_BITS
           || kind == BLOCK_VALUES_WIDTH || kind == BLOCK_VALUES_SPECIAL)
    fill_any (random, kind, values, n);
  else
    fill_integers (random, kind, values, n);

  for (guint i = 0; i < n; i++)
    switch ((gint) kind)
      {
      case BLOCK_VALUES_SCALED:
        values[i] *= factor;
        break;
      case BLOCK_VALUES_LINEAR:
      case BLOCK_VALUES_WALK:
      case BLOCK_VALUES_OUTLIERS:
        values[i] /= power (exponent);
        break;
      case BLOCK_VALUES_EXCEPTIONS:
        values[i] = random_exception (random, exponent % 2 == 0 ? values[i] * 1e-6 : values[i] / 100, rarity);
        break;
      default:
        break;
      }
  if (kind == BLOCK_VALUES_EXCEPTIONS && exponent % 3 == 0)
    values[0] = -0.0;
}

/* The block of these points, coded. */
Block *
block_new (const gint64 *times, const double *values, guint n)
{
  Block *self = g_new (Block, 1);
  gsize room = METRICS_CODING_MAX_SIZE (n);
  g_autofree guint8 *code = g_malloc (room);

  self->n = n;
  self->times = g_memdup2 (times, n * sizeof *times);
  self->values = g_memdup2 (values, n * sizeof *values);
  self->size = metrics_coding_encode (code, self->times, self->values, n);
  g_assert_cmpuint (self->size, <=, room);
  self->code = g_memdup2 (code, self->size);
  return self;
}

Block *
block_new_random (GRand *random, BlockTimes times_kind, BlockValues values_kind, guint n)
{
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];

  fill_times (random, n == 1 && times_kind == BLOCK_TIMES_WIDE ? BLOCK_TIMES_REGULAR : times_kind, times, n);
  fill_values (random, values_kind, values, n);
  return block_new (times, values, n);
}

void
block_free (Block *self)
{
  g_free (self->times);
  g_free (self->values);
  g_free (self->code);
  g_free (self);
}
