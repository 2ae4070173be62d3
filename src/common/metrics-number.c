/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Numbers as the line protocol reads and prints them, whatever the locale is.
 *
 * Reading: a decimal whose digits fit into 2^53 and whose power of ten is at most 22 is one exact
 * multiplication or division away from its double (W. D. Clinger, "How to read floating point numbers
 * accurately", PLDI 1990, section 4). All others go to g_ascii_strtod(), which rounds correctly too but takes
 * longer.
 *
 * Printing: the shortest decimal that reads back as the same double. For up to 15 significant digits it is
 * unique (DBL_DIG), so the first power of ten that makes an integer of the value, checked by dividing back,
 * has found it. Where that fails, digits are asked of the C library, one more at a time, until they read
 * back. */

static const double powers_of_ten[] = {
  1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

#define MAX_EXACT_POWER 22
#define MAX_EXACT_INTEGER (G_GUINT64_CONSTANT (1) << 53)
/* More than any text has digits, so that these cannot make up for it; ten times that fits into an int. */
#define MAX_EXPONENT 100000000

typedef struct
{
  gboolean negative;
  guint64 digits; /* the significant digits, as many as fit */
  gboolean exact; /* whether these are all */
  int exponent;   /* power of ten that digits is to be multiplied with; only meaningful where exact */
} Decimal;

static inline gboolean
is_digit (char c)
{
  return c >= '0' && c <= '9';
}

/* Reads digits into @decimal and returns where they end; each moves the exponent by @scale. */
static const char *
scan_digits (const char *p, const char *end, int scale, Decimal *decimal)
{
  for (; p < end && is_digit (*p); p++)
    {
      if (decimal->digits >= G_MAXUINT64 / 10 - 1)
        decimal->exact = FALSE;
      else
        {
          decimal->digits = decimal->digits * 10 + (*p - '0');
          decimal->exponent += scale;
        }
    }
  return p;
}

/* The part behind an 'e': at least one digit, to the end of the text. */
static gboolean
scan_exponent (const char *p, const char *end, int *exponent)
{
  gboolean negative = FALSE;
  int n = 0;

  if (p < end && (*p == '-' || *p == '+'))
    negative = *p++ == '-';
  if (p == end)
    return FALSE;
  for (; p < end; p++)
    {
      if (!is_digit (*p))
        return FALSE;
      n = MIN (n * 10 + (*p - '0'), MAX_EXPONENT);
    }
  *exponent = negative ? -n : n;
  return TRUE;
}

static gboolean
scan_decimal (const char *text, gsize len, Decimal *decimal)
{
  const char *p = text;
  const char *end = text + len;
  const char *start;
  gsize n_digits;

  *decimal = (Decimal){ .exact = TRUE };
  if (p < end && (*p == '-' || *p == '+'))
    decimal->negative = *p++ == '-';

  start = p;
  p = scan_digits (p, end, 0, decimal);
  n_digits = p - start;
  if (p < end && *p == '.')
    {
      start = ++p;
      p = scan_digits (p, end, -1, decimal);
      n_digits += p - start;
    }
  if (n_digits == 0)
    return FALSE;

  if (p < end && (*p == 'e' || *p == 'E'))
    {
      int exponent;

      if (!scan_exponent (p + 1, end, &exponent))
        return FALSE;
      decimal->exponent += exponent;
      return TRUE;
    }
  return p == end;
}

static double
parse_slowly (const char *text, gsize len)
{
  char buffer[64];
  g_autofree char *allocated = NULL;
  char *copy = buffer;

  if (len >= sizeof buffer)
    copy = allocated = g_malloc (len + 1);
  memcpy (copy, text, len);
  copy[len] = '\0';
  return g_ascii_strtod (copy, NULL);
}

/**
 * metrics_number_parse_double:
 * @text: (array length=len): a decimal number, and nothing else
 * @len: its length in bytes
 * @value: (out): the nearest double
 *
 * Reads a decimal number as C and Python write it: `12`, `12.0`, `-.5`, `+3.`, `1e-3`, `1E3`. No hexadecimal,
 * no `nan`, no `inf`. What is too small for a double is zero. The locale does not matter.
 *
 * Returns: %FALSE where the text is not such a number, or is too large for a double; @value is not changed
 * then
 */
gboolean
metrics_number_parse_double (const char *text, gsize len, double *value)
{
  Decimal decimal;
  double result;

  if (!scan_decimal (text, len, &decimal))
    return FALSE;

  /* Where the compiler computes in more than double precision (x87), two roundings would follow each other.
   */
  if (FLT_EVAL_METHOD == 0 && decimal.exact && decimal.digits <= MAX_EXACT_INTEGER
      && ABS (decimal.exponent) <= MAX_EXACT_POWER)
    {
      result = decimal.digits;
      if (decimal.exponent < 0)
        result /= powers_of_ten[-decimal.exponent];
      else
        result *= powers_of_ten[decimal.exponent];
      *value = decimal.negative ? -result : result;
      return TRUE;
    }

  result = parse_slowly (text, len);
  if (!isfinite (result))
    return FALSE;
  *value = result;
  return TRUE;
}

/**
 * metrics_number_parse_int64:
 * @text: (array length=len): a decimal integer, and nothing else
 * @len: its length in bytes
 * @value: (out): the integer
 *
 * Reads a decimal integer, with a sign and zeros in front where it has them.
 *
 * Returns: %FALSE where the text is not one or does not fit; @value is not changed then
 */
gboolean
metrics_number_parse_int64 (const char *text, gsize len, gint64 *value)
{
  const char *p = text;
  const char *end = text + len;
  gboolean negative = FALSE;
  guint64 limit = G_MAXINT64;
  guint64 n = 0;

  if (p < end && (*p == '-' || *p == '+'))
    negative = *p++ == '-';
  if (p == end)
    return FALSE;
  if (negative)
    limit++;

  for (; p < end; p++)
    {
      guint digit = *p - '0';

      if (digit > 9 || n > (limit - digit) / 10)
        return FALSE;
      n = n * 10 + digit;
    }
  *value = (gint64) (negative ? -n : n);
  return TRUE;
}

static gsize
print_uint64 (char *out, guint64 value)
{
  char digits[METRICS_NUMBER_MAX_INT64];
  char *p = digits + sizeof digits;
  gsize len;

  do
    *--p = '0' + value % 10;
  while ((value /= 10) > 0);
  len = digits + sizeof digits - p;
  memcpy (out, p, len);
  return len;
}

/**
 * metrics_number_print_int64:
 * @out: (out caller-allocates): room for %METRICS_NUMBER_MAX_INT64 bytes
 * @value: a number
 *
 * Prints an integer; there is no NUL at its end.
 *
 * Returns: how many bytes were written
 */
gsize
metrics_number_print_int64 (char *out, gint64 value)
{
  if (value >= 0)
    return print_uint64 (out, value);
  out[0] = '-';
  return 1 + print_uint64 (out + 1, -(guint64) value);
}

/* Prints a positive value of few decimals: its digits as an integer, the point between them. */
static gsize
print_short (char *out, double value)
{
  /* Below, repr() and so the protocol take the form with an exponent; from here on, the digits can be too
   * many. */
  if (value < 1e-4 || value >= 1e15)
    return 0;

  for (guint decimals = 0; decimals <= 9; decimals++)
    {
      double scaled = rint (value * powers_of_ten[decimals]);
      gsize len, whole;
      guint64 power;

      if (scaled >= 1e15)
        return 0;
      if (scaled / powers_of_ten[decimals] != value)
        continue;

      if (decimals == 0)
        {
          len = print_uint64 (out, scaled);
          memcpy (out + len, ".0", 2);
          return len + 2;
        }
      power = powers_of_ten[decimals];
      whole = print_uint64 (out, (guint64) scaled / power);
      /* A one in front keeps the zeros behind the point; the point then takes its place. */
      len = print_uint64 (out + whole, power + (guint64) scaled % power);
      out[whole] = '.';
      return whole + len;
    }
  return 0;
}

/* Adds one to the last digit of "d.ddde+XX"; FALSE where that would carry out of the first one. */
static gboolean
increment_digits (char *text)
{
  for (char *p = strchr (text, 'e') - 1; p >= text; p--)
    {
      if (*p == '.')
        continue;
      if (*p != '9')
        {
          (*p)++;
          return TRUE;
        }
      *p = '0';
    }
  return FALSE;
}

/* The shortest digits of a positive value, as "%.*e" writes them. */
static void
find_shortest (char *text, gsize size, double value)
{
  int exponent;
  gboolean power_of_two = frexp (value, &exponent) == 0.5;
  /* Up to DBL_DIG digits are unique, so that many can be asked for at once: zeros at the end are cut off
   * later. */
  int n_digits = value < DBL_MIN ? 1 : DBL_DIG;

  for (; n_digits < DBL_DECIMAL_DIG; n_digits++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%de", n_digits - 1);
      g_ascii_formatd (text, size, format, value);
      if (g_ascii_strtod (text, NULL) == value)
        return;
      /* Below a power of two the doubles stand twice as close as above it: the nearest decimal can miss on
       * that side where the next one on the other still reads back (2^-44). */
      if (power_of_two && increment_digits (text) && g_ascii_strtod (text, NULL) == value)
        return;
    }
  g_ascii_formatd (text, size, "%.16e", value);
}

/* "d.ddde+XX", the exponent with two digits at least. */
static gsize
print_exponential (char *out, const char *digits, int n_digits, int exponent)
{
  gsize n = 0;

  out[n++] = digits[0];
  if (n_digits > 1)
    {
      out[n++] = '.';
      memcpy (out + n, digits + 1, n_digits - 1);
      n += n_digits - 1;
    }
  out[n++] = 'e';
  out[n++] = exponent < 0 ? '-' : '+';
  if (ABS (exponent) < 10)
    out[n++] = '0';
  return n + print_uint64 (out + n, ABS (exponent));
}

/* Brings "d.ddde+XX" into the form of Python's repr(): no zeros behind the last digit, an exponent only below
 * 1e-4 and from 1e16 on. */
static gsize
print_long (char *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  char digits[DBL_DECIMAL_DIG + 1];
  char *e;
  int exponent, n = 0, n_written = 0;

  find_shortest (text, sizeof text, value);
  e = strchr (text, 'e');
  exponent = (int) g_ascii_strtoll (e + 1, NULL, 10);
  for (const char *p = text; p < e; p++)
    if (is_digit (*p))
      digits[n++] = *p;
  while (n > 1 && digits[n - 1] == '0')
    n--;

  if (exponent < -4 || exponent >= 16)
    return print_exponential (out, digits, n, exponent);

  if (exponent < 0)
    {
      memcpy (out, "0.0000", 2 - exponent - 1);
      n_written = 2 - exponent - 1;
      memcpy (out + n_written, digits, n);
      return n_written + n;
    }
  for (int i = 0; i <= exponent; i++)
    out[n_written++] = i < n ? digits[i] : '0';
  out[n_written++] = '.';
  if (n <= exponent + 1)
    out[n_written++] = '0';
  for (int i = exponent + 1; i < n; i++)
    out[n_written++] = digits[i];
  return n_written;
}

/**
 * metrics_number_print_double:
 * @out: (out caller-allocates): room for %METRICS_NUMBER_MAX_DOUBLE bytes
 * @value: a finite number
 *
 * Prints the shortest decimal that reads back as the same double, in the form of Python's `repr()`: `10.0`,
 * `0.25`,
 * `-0.0`, `1e+16`, `1e-05`. There is no NUL at its end. The locale does not matter.
 *
 * Returns: how many bytes were written
 */
gsize
metrics_number_print_double (char *out, double value)
{
  gsize sign = 0;
  gsize len;

  g_assert (isfinite (value));

  if (signbit (value))
    {
      out[sign++] = '-';
      value = -value;
    }
  if (value == 0)
    {
      memcpy (out + sign, "0.0", 3);
      return sign + 3;
    }
  len = print_short (out + sign, value);
  if (len == 0)
    len = print_long (out + sign, value);
  return sign + len;
}
