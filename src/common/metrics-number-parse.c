/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"

#include "common/metrics-number-decimal.h"
#include "common/metrics-number-digits.h"

#include <float.h>
#include <math.h>

/* Reading numbers as the line protocol has them, whatever the locale is, eight characters at a time.
 *
 * Most have no more than eight: these are one word, from which the point is taken out. Of all others, digits
 * are read as long as there are any. metrics_number_from_decimal() makes a double of them; it takes as many
 * as fit into 64 bits. Those that follow hardly ever matter, and the C library, which rounds correctly too
 * but takes longer, is asked only where they do. */

/* Any integer of so many digits fits into 64 bits. */
#define MAX_DIGITS 19
/* More than any text has digits, so that these cannot make up for it; ten times that fits into an int. */
#define MAX_EXPONENT 100000000

static const guint32 powers_of_ten[METRICS_DIGITS_WORD]
    = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };

static const double exact_powers_of_ten[METRICS_DIGITS_WORD] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7 };

static inline guint32
load_half (const char *bytes)
{
  guint32 half;

  memcpy (&half, bytes, sizeof half);
  return GUINT32_FROM_LE (half);
}

/* A word that ends with these 1 to 8 characters, zero bytes before them; nothing beside them is read. Loads
 * that overlap take less than a loop. */
static inline guint64
load_last (const char *text, gsize len)
{
  if (len >= 4)
    return (guint64) load_half (text + len - 4) << 32 | (guint64) load_half (text) << (64 - 8 * len);
  return (guint64) (guchar) text[len - 1] << 56
         | (guint64) (guchar) text[len / 2] << (64 - 8 * (len - len / 2))
         | (guint64) (guchar) text[0] << (64 - 8 * len);
}

/* Reads digits up to the first other character, or to @end, which eight bytes at least stand before. Returns
 * where they end. */
static inline const char *
scan_digits (const char *p, const char *end, guint64 *digits)
{
  while (p < end)
    {
      gsize left = end - p;
      /* Behind the end come zero bytes, which are no digits. */
      guint64 word = left >= METRICS_DIGITS_WORD
                         ? metrics_digits_load (p)
                         : metrics_digits_load (end - METRICS_DIGITS_WORD) >> (64 - 8 * left);
      guint64 values = word ^ METRICS_DIGITS_ZEROS;
      guint64 others = metrics_digits_find_others (values);
      guint n;

      if (others == 0)
        {
          *digits = *digits * METRICS_DIGITS_LIMIT + metrics_digits_join (values);
          p += METRICS_DIGITS_WORD;
          continue;
        }
      n = __builtin_ctzll (others) / 8;
      /* Two shifts, for one by 64 is not defined. */
      *digits = *digits * powers_of_ten[n] + metrics_digits_join (values << (56 - 8 * n) << 8);
      return p + n;
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
      guint digit = (guint) (*p - '0');

      if (digit > 9)
        return FALSE;
      if (n < MAX_EXPONENT)
        n = n * 10 + (int) digit;
    }
  *exponent = negative ? -n : n;
  return TRUE;
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

/* Digits with a point somewhere among them, more than MAX_DIGITS; @exponent is that of the last one. Sets
 * @undecided where the first ones are not enough to know the nearest double. */
static double
parse_long (const char *start, const char *end, gint64 exponent, gboolean *undecided)
{
  guint64 digits = 0;
  guint n_digits = 0;
  gboolean more = FALSE;
  double result;

  for (const char *p = start; p < end; p++)
    {
      if (*p == '.' || (n_digits == 0 && *p == '0'))
        continue;
      if (n_digits < MAX_DIGITS)
        {
          digits = digits * 10 + (guint) (*p - '0');
          n_digits++;
          continue;
        }
      exponent++;
      more |= *p != '0';
    }

  result = metrics_number_from_decimal (digits, exponent);
  *undecided = more && result != metrics_number_from_decimal (digits + 1, exponent);
  return result;
}

/* A number of up to eight characters without an exponent; FALSE where it is anything else. */
static inline gboolean
parse_word (const char *text, gsize len, double *result)
{
  guint64 values = load_last (text, len) ^ METRICS_DIGITS_ZEROS << (64 - 8 * len);
  guint64 others = metrics_digits_find_others (values);
  guint64 whole, digits;
  guint dot, n_decimals;

  if (others == 0)
    {
      *result = metrics_digits_join (values);
      return TRUE;
    }
  dot = __builtin_ctzll (others) - 7;
  if ((others & (others - 1)) != 0 || (values >> dot & 0xff) != ('.' ^ '0') || len == 1)
    return FALSE;

  values ^= (guint64) ('.' ^ '0') << dot;
  /* Moves the digits before the point by a byte, to where it was. */
  whole = values & ((G_GUINT64_CONSTANT (1) << dot) - 1);
  values += whole * 255;
  digits = metrics_digits_join (values);
  n_decimals = METRICS_DIGITS_WORD - 1 - dot / 8;
  /* One division of exact numbers rounds correctly, where it is done in double precision. */
  *result = FLT_EVAL_METHOD == 0 ? (gint64) digits / exact_powers_of_ten[n_decimals]
                                 : metrics_number_from_decimal (digits, -(gint64) n_decimals);
  return TRUE;
}

static gboolean G_GNUC_NO_INLINE
parse_any (const char *text, gsize len, double *result)
{
  char padded[METRICS_DIGITS_WORD];
  const char *p = text;
  const char *end = text + len;
  const char *start;
  gsize n_whole, n_decimals = 0, n_digits;
  guint64 digits = 0;
  int exponent = 0;
  gboolean undecided = FALSE;

  if (len == 0)
    return FALSE;
  if (len < METRICS_DIGITS_WORD)
    {
      metrics_digits_store (padded, load_last (text, len));
      end = padded + METRICS_DIGITS_WORD;
      p = end - len;
    }

  start = p;
  p = scan_digits (p, end, &digits);
  n_whole = p - start;
  /* Zeros in front do not count; where there are more digits than fit, zero may be what is left of them. */
  n_digits = digits == 0 && n_whole <= MAX_DIGITS ? 0 : n_whole;
  if (p < end && *p == '.')
    {
      const char *point = p++;

      p = scan_digits (p, end, &digits);
      n_decimals = p - point - 1;
      n_digits += n_decimals;
    }
  if (n_whole + n_decimals == 0)
    return FALSE;
  if (p < end && ((*p | 0x20) != 'e' || !scan_exponent (p + 1, end, &exponent)))
    return FALSE;

  if (n_digits <= MAX_DIGITS)
    *result = metrics_number_from_decimal (digits, exponent - (gint64) n_decimals);
  else
    *result = parse_long (start, p, exponent - (gint64) n_decimals, &undecided);
  if (undecided)
    *result = parse_slowly (text, len);
  return isfinite (*result);
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
  gboolean negative = FALSE;
  double result;

  if (len > 0 && (*text == '-' || *text == '+'))
    {
      negative = *text == '-';
      text++;
      len--;
    }
  if (!(len - 1 < METRICS_DIGITS_WORD && parse_word (text, len, &result)) && !parse_any (text, len, &result))
    return FALSE;
  *value = negative ? -result : result;
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
  gboolean negative = FALSE;
  guint64 n = 0;

  if (len > 0 && (*text == '-' || *text == '+'))
    {
      negative = *text == '-';
      text++;
      len--;
    }
  for (; len > MAX_DIGITS && *text == '0'; len--)
    text++;
  if (len == 0 || len > MAX_DIGITS)
    return FALSE;

  if (len <= METRICS_DIGITS_WORD)
    {
      guint64 values = load_last (text, len) ^ METRICS_DIGITS_ZEROS << (64 - 8 * len);

      if (metrics_digits_find_others (values) != 0)
        return FALSE;
      n = metrics_digits_join (values);
    }
  else if (len <= 2 * METRICS_DIGITS_WORD)
    {
      /* Both words hold what is in the middle; the upper one lets it drop. */
      guint64 upper = (metrics_digits_load (text) ^ METRICS_DIGITS_ZEROS)
                      << (8 * (2 * METRICS_DIGITS_WORD - len));
      guint64 lower = metrics_digits_load (text + len - METRICS_DIGITS_WORD) ^ METRICS_DIGITS_ZEROS;

      if ((metrics_digits_find_others (upper) | metrics_digits_find_others (lower)) != 0)
        return FALSE;
      n = metrics_digits_join (upper) * METRICS_DIGITS_LIMIT + metrics_digits_join (lower);
    }
  else if (scan_digits (text, text + len, &n) < text + len)
    return FALSE;

  if (n > (guint64) G_MAXINT64 + negative)
    return FALSE;
  *value = (gint64) (negative ? -n : n);
  return TRUE;
}
