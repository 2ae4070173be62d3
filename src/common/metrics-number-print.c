/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"

#include "common/metrics-number-decimal.h"
#include "common/metrics-number-digits.h"

#include <math.h>

/* Printing numbers as the line protocol has them, whatever the locale is, eight digits at a time.
 *
 * A double is printed as the shortest decimal that reads back. With up to 15 significant digits it is unique
 * (DBL_DIG): so an integer, and what is an integer when multiplied with 1000, have been found where that,
 * divided again, gives the same double. That is what metrics mostly are. metrics_number_to_decimal() finds
 * the others. */

#define SIXTEEN_DIGITS G_GUINT64_CONSTANT (10000000000000000)
/* All integers up to here are doubles; they also have fewer than 17 digits, from where on there is an
 * exponent. */
#define MAX_EXACT_INTEGER (G_GUINT64_CONSTANT (1) << 53)

static inline void
print_eight (char *out, guint32 number)
{
  metrics_digits_store (out, metrics_digits_split (number) + METRICS_DIGITS_ZEROS);
}

/* Prints a number of up to eight digits without zeros in front; always changes eight bytes. */
static inline gsize
print_up_to_eight (char *out, guint32 number)
{
  guint64 digits = metrics_digits_split (number);
  /* The last one counts even where it is zero. */
  guint n_zeros = __builtin_ctzll (digits | G_GUINT64_CONSTANT (1) << 56) / 8;

  metrics_digits_store (out, (digits + METRICS_DIGITS_ZEROS) >> (8 * n_zeros));
  return METRICS_DIGITS_WORD - n_zeros;
}

static inline gsize
print_uint64 (char *out, guint64 value)
{
  gsize n;

  if (value < METRICS_DIGITS_LIMIT)
    return print_up_to_eight (out, value);
  if (value < SIXTEEN_DIGITS)
    n = print_up_to_eight (out, value / METRICS_DIGITS_LIMIT);
  else
    {
      n = print_up_to_eight (out, value / SIXTEEN_DIGITS);
      print_eight (out + n, value / METRICS_DIGITS_LIMIT % METRICS_DIGITS_LIMIT);
      n += 8;
    }
  print_eight (out + n, value % METRICS_DIGITS_LIMIT);
  return n + 8;
}

/**
 * metrics_number_print_int64:
 * @out: (out caller-allocates): room for %METRICS_NUMBER_MAX_INT64 bytes
 * @value: a number
 *
 * Prints an integer; there is no NUL at its end. All of the room may be written to.
 *
 * Returns: how many bytes long the text is
 */
gsize
metrics_number_print_int64 (char *out, gint64 value)
{
  if (value >= 0)
    return print_uint64 (out, value);
  out[0] = '-';
  return 1 + print_uint64 (out + 1, -(guint64) value);
}

static inline gsize
print_whole (char *out, guint64 value)
{
  gsize n = print_uint64 (out, value);

  memcpy (out + n, ".0", 2);
  return n + 2;
}

/* Eight characters with a point in front of the one at @at, 0 to 7; the last one falls out. */
static inline guint64
insert_point (guint64 word, guint at)
{
  guint64 before = word & ((G_GUINT64_CONSTANT (1) << (8 * at)) - 1);

  return (word - before) << 8 | (guint64) '.' << (8 * at) | before;
}

/* Prints @number, of up to eight digits, divided by 10^@n_decimals, 1 to 7. */
static inline gsize
print_short (char *out, guint32 number, guint n_decimals)
{
  guint64 digits = metrics_digits_split (number);
  /* The digit before the point counts even where it is zero, and so does the one behind it. */
  guint64 before = G_GUINT64_CONSTANT (1) << (8 * (METRICS_DIGITS_WORD - 1 - n_decimals));
  guint n_front = __builtin_ctzll (digits | before) / 8;
  guint n_end = __builtin_clzll (digits | before << 8) / 8;
  guint n_whole = METRICS_DIGITS_WORD - n_decimals - n_front;

  digits += METRICS_DIGITS_ZEROS;
  metrics_digits_store (out, digits >> (8 * n_front));
  out[n_whole] = '.';
  metrics_digits_store (out + n_whole + 1, digits >> (8 * (METRICS_DIGITS_WORD - n_decimals)));
  return n_whole + 1 + n_decimals - n_end;
}

static inline gsize
print_exponent (char *out, int exponent)
{
  guint n = ABS (exponent);
  gsize at = 2;

  out[0] = 'e';
  out[1] = exponent < 0 ? '-' : '+';
  if (n >= 100)
    {
      out[at++] = (char) ('0' + n / 100);
      n %= 100;
    }
  out[at++] = (char) ('0' + n / 10);
  out[at++] = (char) ('0' + n % 10);
  return at;
}

/* Writes 17 digits, given as one, eight and eight characters, with a point behind the first @n_whole, 1
 * to 16. */
static inline void
write_with_point (char *out, guint64 first, guint64 middle, guint64 last, guint n_whole)
{
  guint64 upper = first | middle << 8;
  guint64 lower = middle >> 56 | last << 8;

  if (n_whole < 8)
    {
      metrics_digits_store (out + 10, last);
      metrics_digits_store (out + 2, middle);
      metrics_digits_store (out, insert_point (upper, n_whole));
      return;
    }
  metrics_digits_store (out, upper);
  metrics_digits_store (out + 8, n_whole < 16 ? insert_point (lower, n_whole - 8) : lower);
  out[16] = n_whole < 16 ? (char) (last >> 48) : '.';
  out[17] = (char) (last >> 56);
}

/* Prints a decimal of 17 digits, the first of them not zero and worth 10^@exponent, in the form of Python's
 * repr(): no zeros at the end but one directly behind the point, an exponent only below 1e-4 and from 1e16
 * on. */
static gsize
print_long (char *out, guint64 decimal, int exponent)
{
  guint64 upper = decimal / METRICS_DIGITS_LIMIT;
  guint64 first = upper / METRICS_DIGITS_LIMIT;
  guint64 middle = metrics_digits_split (upper % METRICS_DIGITS_LIMIT);
  guint64 last = metrics_digits_split (decimal % METRICS_DIGITS_LIMIT);
  int n_behind = 0; /* the digits behind the first, without zeros at the end */
  gsize n;

  if (last != 0)
    n_behind = 16 - __builtin_clzll (last) / 8;
  else if (middle != 0)
    n_behind = 8 - __builtin_clzll (middle) / 8;
  first += '0';
  middle += METRICS_DIGITS_ZEROS;
  last += METRICS_DIGITS_ZEROS;

  if (exponent >= 0 && exponent < 16)
    {
      write_with_point (out, first, middle, last, exponent + 1);
      return exponent + 2 + MAX (n_behind - exponent, 1);
    }
  if (exponent < 0 && exponent >= -4)
    {
      memcpy (out, "0.000000", 8);
      n = 1 - exponent;
      out[n] = (char) first;
      metrics_digits_store (out + n + 1, middle);
      metrics_digits_store (out + n + 9, last);
      return n + 1 + n_behind;
    }
  write_with_point (out, first, middle, last, 1);
  n = n_behind > 0 ? n_behind + 2 : 1;
  return n + print_exponent (out + n, exponent);
}

/**
 * metrics_number_print_double:
 * @out: (out caller-allocates): room for %METRICS_NUMBER_MAX_DOUBLE bytes
 * @value: a finite number
 *
 * Prints the shortest decimal that reads back as the same double, in the form of Python's `repr()`: `10.0`,
 * `0.25`, `-0.0`, `1e+16`, `1e-05`. There is no NUL at its end. All of the room may be written to. The locale
 * does not matter.
 *
 * Returns: how many bytes long the text is
 */
gsize
metrics_number_print_double (char *out, double value)
{
  gsize sign = signbit (value) != 0;
  double magnitude = fabs (value);
  guint64 decimal;
  int exponent;

  g_assert (isfinite (value));

  out[0] = '-';
  out += sign;
  if (magnitude < MAX_EXACT_INTEGER)
    {
      gint64 whole = (gint64) magnitude;

      if ((double) whole == magnitude)
        return sign + print_whole (out, whole);
    }
  if (magnitude < METRICS_DIGITS_LIMIT / 1000)
    {
      gint64 scaled = (gint64) (magnitude * 1000 + 0.5);

      if ((double) scaled / 1000 == magnitude)
        return sign + print_short (out, scaled, 3);
    }
  decimal = metrics_number_to_decimal (magnitude, &exponent);
  for (; decimal < SIXTEEN_DIGITS; decimal *= 10)
    exponent--;
  return sign + print_long (out, decimal, exponent + 16);
}
