/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Reading where it is hardest: decimals in the middle between two doubles and beside it, at every exponent;
 * and any byte at any place of a text of any length. */

#define SIGNIFICAND_BITS 52
#define HIDDEN_BIT (G_GUINT64_CONSTANT (1) << SIGNIFICAND_BITS)
#define MAX_EXPONENT 2046 /* of a finite double, as it is stored */

static double
double_of (guint64 bits)
{
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static guint64
random_bits (void)
{
  return (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
}

/* The text lies at the end of what is allocated, so that a sanitizer sees what is read behind it. */
static void
check_parse (const char *text, gsize len, double expected)
{
  g_autofree char *copy = g_memdup2 (text, MAX (len, 1));
  double value = 77;

  if (!metrics_number_parse_double (copy, len, &value))
    value = INFINITY;
  if (memcmp (&value, &expected, sizeof value) != 0)
    g_error ("'%.*s' is read as %.17g, not as %.17g", (int) len, text, value, expected);
}

/* As the C library reads it, which rounds correctly. */
static void
check_as_library (const char *text)
{
  check_parse (text, strlen (text), g_ascii_strtod (text, NULL));
}

/* Decimals in the middle */

#define LIMB 1000000000
#define MAX_LIMBS 100 /* 5^1075 * 2^54 has 768 digits */

typedef struct
{
  guint32 limbs[MAX_LIMBS]; /* nine digits each, the lowest first */
  guint n_limbs;
} Number;

static void
multiply (Number *number, guint32 factor)
{
  guint64 carry = 0;

  for (guint i = 0; i < number->n_limbs || carry > 0; i++)
    {
      g_assert_cmpuint (i, <, MAX_LIMBS);
      if (i == number->n_limbs)
        number->limbs[number->n_limbs++] = 0;
      carry += (guint64) number->limbs[i] * factor;
      number->limbs[i] = carry % LIMB;
      carry /= LIMB;
    }
}

/* All digits of significand * 2^@exponent; @decimal_exponent is the power of ten of the last one. */
static GString *
write_out (guint64 significand, int exponent, int *decimal_exponent)
{
  Number number = { .n_limbs = 3 };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < 3; i++, significand /= LIMB)
    number.limbs[i] = significand % LIMB;
  for (int i = 0; i < exponent; i++)
    multiply (&number, 2);
  /* 2^-1 is 5 * 10^-1. */
  for (int i = 0; i > exponent; i--)
    multiply (&number, 5);
  *decimal_exponent = MIN (exponent, 0);

  for (guint i = number.n_limbs; i > 0; i--)
    g_string_append_printf (text, "%09u", number.limbs[i - 1]);
  g_string_erase (text, 0, strspn (text->str, "0"));
  return text;
}

/* Adds or takes one at the last digit. */
static void
step (GString *digits, gboolean up)
{
  char from = up ? '9' : '0';
  gsize i = digits->len - 1;

  for (; digits->str[i] == from; i--)
    digits->str[i] = up ? '0' : '9';
  digits->str[i] += up ? 1 : -1;
}

/* The same number in another way: its point somewhere between the digits. */
static char *
format (const GString *digits, int exponent)
{
  gsize n_whole = g_test_rand_int_range (0, MIN (digits->len, 30) + 1);

  return g_strdup_printf ("%.*s.%se%d", (int) n_whole, digits->str, digits->str + n_whole,
                          exponent + (int) (digits->len - n_whole));
}

static void
check_digits (const GString *digits, int exponent, double expected)
{
  g_autofree char *text = format (digits, exponent);

  check_parse (text, strlen (text), expected);
}

/* The first digits of a number, and those with one more at the end: both close to it, on either side. */
static void
check_cut (const GString *digits, int exponent, gsize n)
{
  g_autoptr (GString) cut = g_string_new_len (digits->str, n);
  g_autofree char *below = NULL;
  g_autofree char *above = NULL;

  exponent += (int) (digits->len - n);
  below = format (cut, exponent);
  check_as_library (below);
  if (strspn (cut->str, "9") == n)
    return;
  step (cut, TRUE);
  above = format (cut, exponent);
  check_as_library (above);
}

/* The middle between a double and the next one, written out in full, belongs to the even one; with one more
 * or less at its last digit it belongs to the one on that side. */
static void
check_middle (guint64 bits)
{
  guint64 significand = bits & (HIDDEN_BIT - 1);
  int exponent = (int) (bits >> SIGNIFICAND_BITS);
  double below = double_of (bits), above = double_of (bits + 1);
  int decimal_exponent;
  g_autoptr (GString) digits = NULL;

  if (exponent > 0)
    significand |= HIDDEN_BIT;
  digits
      = write_out (2 * significand + 1, MAX (exponent, 1) - 1023 - SIGNIFICAND_BITS - 1, &decimal_exponent);

  for (gsize n = 17; n <= 40 && n < digits->len; n++)
    check_cut (digits, decimal_exponent, n);
  check_digits (digits, decimal_exponent, (bits & 1) == 0 ? below : above);
  step (digits, TRUE);
  check_digits (digits, decimal_exponent, above);
  step (digits, FALSE);
  step (digits, FALSE);
  check_digits (digits, decimal_exponent, below);
}

static void
test_middles (void)
{
  for (guint64 exponent = 0; exponent <= MAX_EXPONENT; exponent++)
    {
      guint64 bits = exponent << SIGNIFICAND_BITS;

      check_middle (bits);
      check_middle (bits | 1);
      check_middle (bits | (HIDDEN_BIT - 1));
      for (guint i = 0; i < 2; i++)
        check_middle (bits | (random_bits () & (HIDDEN_BIT - 1)));
    }
  for (guint i = 0; i < 300; i++)
    check_middle (random_bits () >> g_test_rand_int_range (12, 64));
}

/* Middles of so few digits that all of them fit into 64 bits: an odd integer of 54 bits is one, as are its
 * multiples with powers of ten. */
static void
test_short_middles (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      guint64 odd = (random_bits () >> 10) | G_GUINT64_CONSTANT (1) << 53 | 1;
      int exponent = g_test_rand_int_range (-4, 24);
      g_autofree char *text = NULL;

      for (int j = 0; j > exponent; j--)
        odd *= 5;
      for (int j = 0; j < exponent; j++)
        odd /= 5;
      odd |= 1;
      if (exponent < 0 && odd % 5 != 0)
        continue;
      text = g_strdup_printf ("%" G_GUINT64_FORMAT "e%d", odd, exponent);
      check_as_library (text);
    }
}

/* Digits of 64 bits with any power of ten, and those of doubles. */
static void
test_exponents (void)
{
  for (int exponent = -380; exponent <= 340; exponent++)
    for (guint i = 0; i < 200; i++)
      {
        guint64 digits = random_bits () >> g_test_rand_int_range (0, 64);
        g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT "e%d", digits, exponent);

        check_as_library (text);
      }
  for (guint64 exponent = 0; exponent <= MAX_EXPONENT; exponent++)
    for (int n = 15; n <= 40; n++)
      {
        g_autofree char *text
            = g_strdup_printf ("%.*e", n - 1,
                               double_of (exponent << SIGNIFICAND_BITS | random_bits () >> 12));

        check_as_library (text);
      }
}

/* Any bytes */

static gboolean
has_form (const GRegex *form, const char *text, gsize len)
{
  return memchr (text, '\0', len) == NULL && g_regex_match (form, text, 0, NULL);
}

static void
check_text (const GRegex *double_form, const GRegex *int64_form, const char *text, gsize len)
{
  g_autofree char *copy = g_memdup2 (text, MAX (len, 1));
  gint64 integer = 77;
  gboolean is_integer = has_form (int64_form, text, len);

  check_parse (text, len, has_form (double_form, text, len) ? g_ascii_strtod (text, NULL) : INFINITY);
  if (metrics_number_parse_int64 (copy, len, &integer) != is_integer)
    g_error ("'%s' %s", text, is_integer ? "is refused" : "is taken");
  g_assert_cmpint (integer, ==, is_integer ? g_ascii_strtoll (text, NULL, 10) : 77);
}

/* Texts of digits with another byte among them, and of digits with a point and another byte. */
static void
test_any_byte (void)
{
  static const char digits[] = "918273645546372819";
  g_autoptr (GRegex) double_form
      = g_regex_new ("^[-+]?([0-9]++\\.?+[0-9]*+|\\.[0-9]++)([eE][-+]?[0-9]++)?$",
                     G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY | G_REGEX_OPTIMIZE, 0, NULL);
  g_autoptr (GRegex) int64_form
      = g_regex_new ("^[-+]?[0-9]++$", G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY | G_REGEX_OPTIMIZE, 0, NULL);
  char text[sizeof digits];

  for (gsize len = 0; len < sizeof digits; len++)
    for (gsize point = 0; point <= len; point++)
      for (gsize at = 0; at < len; at++)
        /* A point at every place, and none; two of them only while that is quick. */
        for (guint byte = 0; byte < 256 && (point == len || len <= 10); byte++)
          {
            memcpy (text, digits, len);
            text[len] = '\0';
            if (point < len)
              text[point] = '.';
            text[at] = (char) byte;
            check_text (double_form, int64_form, text, len);
          }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/number/exact/middles", test_middles);
  g_test_add_func ("/number/exact/short-middles", test_short_middles);
  g_test_add_func ("/number/exact/exponents", test_exponents);
  g_test_add_func ("/number/exact/any-byte", test_any_byte);
  return g_test_run ();
}
