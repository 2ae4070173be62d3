/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number-decimal.h"

#include <float.h>
#include <string.h>

/* From decimals to doubles and back, exactly, and without arithmetic on long numbers.
 *
 * To a double: where the digits fit into 2^53 and the power of ten is at most 22, both are exact as doubles,
 * and one multiplication or division rounds correctly (W. D. Clinger, "How to read floating point numbers
 * accurately", PLDI 1990, section 4). Else D. Lemire, "Number Parsing at a Gigabyte per Second", Software:
 * Practice and Experience 51 (2021), sections 5 to 9, an idea of M. Eisel's: the digits w, shifted until
 * their highest bit is set, are multiplied with the first bits of 5^e; the product begins with the bits of
 * the double. 64 bits of 5^e are enough, unless the bits of the product behind those of the double are all
 * ones, so that what was left out could carry into them: then 128 are taken. That this leaves no w of 64 bits
 * undecided was shown by N. Mushtak and D. Lemire, "Fast number parsing without fallback", Software: Practice
 * and Experience 53 (2023).
 *
 * To a decimal: R. Giulietti, "The Schubfach way to render doubles" (2020). The decimals that read back as a
 * double lie between the middles to its neighbours. Let 10^k be the largest power of ten that is not longer
 * than this interval: then a multiple of 10^k lies in it at least (the pigeonhole, German "Schubfach", for
 * each double), and of 10^(k+1), which is a digit shorter, one at most. So four candidates are looked at: the
 * multiples of either below and above the double. They are compared with four times the double and its
 * middles, as integers in units of 10^k, whose last bit also says whether there was a fraction ("round to
 * odd"; that 128 bits of 10^-k are enough for that is proven there). */

typedef struct
{
  guint64 high;
  guint64 low;
} MetricsUint128;

/* What is in the table, and why it ends where it ends, is told there. */
#include "metrics-number-powers.h"

/* Up to this power, the table has 5^e itself: 5^55 has 128 bits. */
#define MAX_WHOLE_POWER 55

#define MAX_EXACT_POWER 22
#define MAX_EXACT_INTEGER (G_GUINT64_CONSTANT (1) << 53)

static const double powers_of_ten[MAX_EXACT_POWER + 1] = {
  1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

#define SIGNIFICAND_BITS 52 /* as they are stored, without the one in front */
#define HIDDEN_BIT (G_GUINT64_CONSTANT (1) << SIGNIFICAND_BITS)
#define EXPONENT_BIAS 1023
#define INFINITY_BITS (G_GUINT64_CONSTANT (0x7ff) << SIGNIFICAND_BITS)

static inline MetricsUint128
multiply (guint64 a, guint64 b)
{
#ifdef __SIZEOF_INT128__
  unsigned __int128 product = (unsigned __int128) a * b;

  return (MetricsUint128){ product >> 64, (guint64) product };
#else
  guint64 a0 = (guint32) a, a1 = a >> 32;
  guint64 b0 = (guint32) b, b1 = b >> 32;
  guint64 low = a0 * b0;
  guint64 middle = a1 * b0 + (low >> 32);
  guint64 other = a0 * b1 + (guint32) middle;

  return (MetricsUint128){ a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (guint32) low };
#endif
}

/* floor (log2 (10^exponent)), for all powers in the table */
static inline int
floor_log2_of_power (int exponent)
{
  return exponent * 1741647 >> 19;
}

static inline double
double_of (guint64 bits)
{
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/* The first 128 bits of @digits (with its highest bit set) times the power, as far as the double needs them.
 */
static inline MetricsUint128
multiply_with_power (guint64 digits, int exponent)
{
  /* Behind a double's bits, the one to round with, and a zero that may be in front. */
  const guint64 rest = G_MAXUINT64 >> (SIGNIFICAND_BITS + 3);
  MetricsUint128 power = powers_of_five[exponent - MIN_POWER];
  MetricsUint128 product = multiply (digits, power.high);

  if ((product.high & rest) == rest)
    {
      guint64 more = multiply (digits, power.low).high;

      product.low += more;
      product.high += product.low < more;
    }
  return product;
}

/* For @digits above zero, and @exponent of the table. */
static double
round_exactly (guint64 digits, int exponent)
{
  int zeros = __builtin_clzll (digits);
  MetricsUint128 product = multiply_with_power (digits << zeros, exponent);
  /* It begins with a one, or with a zero and a one. */
  int first = product.high >> 63;
  /* The bits of the double, and one more to round with. */
  int shift = first + 64 - SIGNIFICAND_BITS - 3;
  guint64 significand = product.high >> shift;
  int binary_exponent = floor_log2_of_power (exponent) + 63 + first - zeros + EXPONENT_BIAS;

  if (binary_exponent <= 0)
    {
      /* A subnormal double has fewer bits. None can be in the middle between two, which is an odd multiple of
       * 2^-1075: that has more than 700 digits. */
      if (binary_exponent <= -63)
        return 0;
      significand >>= 1 - binary_exponent;
      /* What is rounded up to the smallest normal double carries into the exponent, as it should. */
      return double_of ((significand + (significand & 1)) >> 1);
    }

  /* In the middle, the even one is taken. For that w * 5^e, or w / 5^-e, has to be an integer of 54 bits, and
   * as w is below 2^64, e can be neither more than 23 nor less than -4. All bits behind are zero then, but
   * for the last one, up to which powers below zero were rounded. */
  if (product.low <= 1 && exponent >= -4 && exponent <= 23 && (significand & 3) == 1
      && significand << shift == product.high)
    significand--;
  significand = (significand + (significand & 1)) >> 1;
  /* Its highest bit is not stored, but adds one to the exponent; so does a carry into the bit above. */
  significand += (guint64) (binary_exponent - 1) << SIGNIFICAND_BITS;
  return double_of (MIN (significand, INFINITY_BITS));
}

/**
 * metrics_number_from_decimal:
 * @digits: an integer
 * @exponent: a power of ten
 *
 * Rounds `digits * 10^exponent` to the nearest double, of two that are equally near to the even one.
 *
 * Returns: the double; infinity where it would be too large
 */
double
metrics_number_from_decimal (guint64 digits, gint64 exponent)
{
  /* Where the compiler computes in more than double precision (x87), two roundings would follow each other.
   */
  if (FLT_EVAL_METHOD == 0 && digits <= MAX_EXACT_INTEGER && ABS (exponent) <= MAX_EXACT_POWER)
    return exponent < 0 ? (gint64) digits / powers_of_ten[-exponent]
                        : (gint64) digits * powers_of_ten[exponent];
  if (digits == 0 || exponent < MIN_POWER)
    return 0;
  if (exponent > MAX_POWER)
    return double_of (INFINITY_BITS);
  return round_exactly (digits, (int) exponent);
}

/* floor (factor * power / 2^128), its last bit set where that is not exact. */
static inline guint64
multiply_to_odd (MetricsUint128 power, guint64 factor)
{
  guint64 carried = multiply (power.low, factor).high;
  MetricsUint128 product = multiply (power.high, factor);

  product.low += carried;
  product.high += product.low < carried;
  /* A fraction of 1 / 2^64 is what the rounded power may add; the true one is zero then. */
  return product.high | (product.low > 1);
}

/**
 * metrics_number_to_decimal:
 * @value: a finite number above zero
 * @exponent: (out): the power of ten of the last digit
 *
 * Finds the shortest decimal that reads back as the same double, and of those that are equally short the
 * nearest one. Zeros may stand at its end.
 *
 * Returns: its digits, fewer than 10^17
 */
guint64
metrics_number_to_decimal (double value, int *exponent)
{
  MetricsUint128 power;
  guint64 bits, significand, low, middle, high, below, nearest;
  int binary_exponent, k, shift;
  gboolean odd, closer;

  memcpy (&bits, &value, sizeof bits);
  significand = bits & (HIDDEN_BIT - 1);
  binary_exponent = (int) (bits >> SIGNIFICAND_BITS);
  /* Below a power of two the doubles stand twice as close as above it, but where they are subnormal. */
  closer = significand == 0 && binary_exponent > 1;
  if (binary_exponent > 0)
    significand |= HIDDEN_BIT;
  else
    binary_exponent = 1;
  binary_exponent -= EXPONENT_BIAS + SIGNIFICAND_BITS;
  odd = significand & 1;

  /* floor (log10 (2^e)), or of 3/4 of that where the interval is so much shorter */
  k = (binary_exponent * 1262611 - (closer ? 524031 : 0)) >> 22;
  shift = binary_exponent + floor_log2_of_power (-k) + 1;
  power = powers_of_five[-k - MIN_POWER];
  power.low += -k > MAX_WHOLE_POWER;

  /* The ends read back where the significand is even, for that is how a middle is rounded. */
  low = multiply_to_odd (power, (4 * significand - 2 + closer) << shift) + odd;
  middle = multiply_to_odd (power, (4 * significand) << shift);
  high = multiply_to_odd (power, (4 * significand + 2) << shift) - odd;

  *exponent = k;
  below = middle / 4;
  if (below >= 10)
    {
      guint64 shorter = below - below % 10;
      gboolean below_inside = low <= 4 * shorter;
      gboolean above_inside = 4 * shorter + 40 <= high;

      if (below_inside != above_inside)
        return shorter + (above_inside ? 10 : 0);
    }

  /* The nearer one, or of two that are equally near the even one, is inside where any is; but it can miss
   * where the lower end is closer (2^-44). */
  nearest = below + ((middle & 3) + (below & 1) > 2);
  return nearest + (closer && 4 * nearest < low);
}
