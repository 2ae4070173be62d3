/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static double
double_of (guint64 bits)
{
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static gboolean
is_same (double a, double b)
{
  return memcmp (&a, &b, sizeof a) == 0;
}

static gboolean
parse (const char *text, double *value)
{
  return metrics_number_parse_double (text, strlen (text), value);
}

static char *
print (double value)
{
  char text[METRICS_NUMBER_MAX_DOUBLE + 1] = { [METRICS_NUMBER_MAX_DOUBLE] = '#' };
  gsize len = metrics_number_print_double (text, value);

  /* The room is not left. */
  g_assert_cmpuint (len, <=, METRICS_NUMBER_MAX_DOUBLE);
  g_assert_cmpint (text[METRICS_NUMBER_MAX_DOUBLE], ==, '#');
  return g_strndup (text, len);
}

static guint64
random_bits (void)
{
  return (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
}

static double
random_double (void)
{
  double value;

  do
    value = double_of (random_bits ());
  while (!isfinite (value));
  return value;
}

/* Reading */

static void
test_parse (void)
{
  static const struct
  {
    const char *text;
    double value;
  } cases[] = {
    { "12", 12 },
    { "12.0", 12 },
    { "-.5", -0.5 },
    { "+3.", 3 },
    { "1e-3", 0.001 },
    { "1E3", 1000 },
    { "1e+3", 1000 },
    { "007", 7 },
    { "0", 0 },
    { "-0", -0.0 },
    { "-0.0", -0.0 },
    { "1e-400", 0 },
    { "-1e-400", -0.0 },
    { "0e999999999999999999999", 0 },
    { "0.0e-99999999999999999999", 0 },
    { "1e-99999999999999999999999999", 0 },
    { "1.7976931348623157e308", DBL_MAX },
    { "17976931348623157e292", DBL_MAX },
    /* Just below the middle between the largest double and the next power of two. */
    { "1.7976931348623158e308", DBL_MAX },
    { "5e-324", 5e-324 },
    { "2.4703282292062328e-324", 5e-324 },
    { "2.4703282292062327e-324", 0 },
    { "2.2250738585072011e-308", 2.2250738585072011e-308 },
    { "2.2250738585072014e-308", DBL_MIN },
    /* 2^53 + 1, in the middle of two doubles, goes to the even one; a little more to the upper one. */
    { "9007199254740993", 9007199254740992 },
    { "9007199254740993.00000000000000000000000000000000000001", 9007199254740994 },
    { "9007199254740992e22", 9007199254740992e22 },
    { "9007199254740993e22", 9007199254740993e22 },
    { "1e22", 1e22 },
    { "1e23", 1e23 },
    { "1e-22", 1e-22 },
    { "1e-23", 1e-23 },
    { "18446744073709551615", 18446744073709551615. },
    { "18446744073709551616", 18446744073709551616. },
    { "18446744073709551617", 18446744073709551617. },
    { "99999999999999999999", 99999999999999999999. },
    { "0.000000000000000000000000000000000000001", 1e-39 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      double value = 77;

      if (!parse (cases[i].text, &value) || !is_same (value, cases[i].value))
        g_error ("'%s' is read as %.17g", cases[i].text, value);
    }
}

static void
test_refuse (void)
{
  static const char *const texts[] = {
    "",
    "+",
    "-",
    ".",
    "+.",
    "-.",
    "e",
    "e5",
    ".e5",
    "1e",
    "1e+",
    "1e-",
    "1e5.",
    "1e5e",
    "1.2.3",
    "..1",
    "1..",
    "--1",
    "+-1",
    "-+1",
    "1-",
    "1+",
    "1 ",
    " 1",
    "1\t",
    "1\n",
    "0x10",
    "0x1p3",
    "1p3",
    "nan",
    "NaN",
    "-nan",
    "inf",
    "INF",
    "-inf",
    "1,5",
    "1'000",
    "1_000",
    "1d3",
    "1f",
    "1.0f",
    "1L",
    "1e5 ",
    "1e 5",
    "1e--5",
    "infinity",
    "1e309",
    "-1e309",
    "1e400",
    "1e999999999999999999999",
    "1.7976931348623159e308",
    "179769313486231580793728971405301e300",
    "a",
    "1a",
    "\xd9\xa1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      double value = 77;

      if (parse (texts[i], &value))
        g_error ("'%s' is read as %.17g", texts[i], value);
      g_assert_cmpfloat (value, ==, 77);
    }
  /* A NUL is no digit, and is no end. */
  g_assert_false (metrics_number_parse_double ("1\0002", 3, &(double){ 0 }));
  g_assert_false (metrics_number_parse_double ("1\000", 2, &(double){ 0 }));
}

/* It does not look behind the length that it is given. */
static void
test_length (void)
{
  double value;

  g_assert_true (metrics_number_parse_double ("1234", 2, &value));
  g_assert_cmpfloat (value, ==, 12);
  g_assert_true (metrics_number_parse_double ("123456789012345678901234567890", 25, &value));
  g_assert_cmpfloat (value, ==, 1234567890123456789012345.);
  g_assert_true (metrics_number_parse_double ("1.5e99", 3, &value));
  g_assert_cmpfloat (value, ==, 1.5);
  g_assert_false (metrics_number_parse_double ("1e5", 2, &value));
}

static char *
random_decimal (void)
{
  GString *text = g_string_new (NULL);
  guint n_whole = g_test_rand_int_range (0, g_test_rand_bit () ? 4 : 25);
  guint n_decimals = g_test_rand_int_range (n_whole == 0 ? 1 : 0, g_test_rand_bit () ? 4 : 25);

  if (g_test_rand_bit ())
    g_string_append_c (text, g_test_rand_bit () ? '-' : '+');
  for (guint i = 0; i < n_whole; i++)
    g_string_append_c (text, '0' + g_test_rand_int_range (0, 10));
  if (n_decimals > 0)
    g_string_append_c (text, '.');
  for (guint i = 0; i < n_decimals; i++)
    g_string_append_c (text, '0' + g_test_rand_int_range (0, 10));
  if (g_test_rand_bit ())
    g_string_append_printf (text, "e%d", g_test_rand_int_range (-30, 30));
  else if (g_test_rand_bit ())
    g_string_append_printf (text, "E%+d", g_test_rand_int_range (-340, 320));
  return g_string_free (text, FALSE);
}

/* The C library rounds correctly: each decimal has to be read as it reads it. */
static void
test_parse_random (void)
{
  for (guint i = 0; i < 300000; i++)
    {
      g_autofree char *text = random_decimal ();
      double expected = g_ascii_strtod (text, NULL);
      double value = 77;

      if (parse (text, &value) != isfinite (expected) || (isfinite (expected) && !is_same (value, expected)))
        g_error ("'%s' is read as %.17g, not as %.17g", text, value, expected);
    }
}

/* As many digits as a line can hold. */
static void
test_parse_long (void)
{
  const gsize n = 60000;
  g_autofree char *text = g_malloc (n + 8);
  double value;

  memset (text, '0', n);
  text[0] = '1';
  g_assert_false (metrics_number_parse_double (text, n, &value));
  text[1] = '.';
  g_assert_true (metrics_number_parse_double (text, n, &value));
  g_assert_cmpfloat (value, ==, 1);

  memset (text, '0', n);
  text[n - 1] = '7';
  g_assert_true (metrics_number_parse_double (text, n, &value));
  g_assert_cmpfloat (value, ==, 7);
  text[1] = '.';
  g_assert_true (metrics_number_parse_double (text, n, &value));
  g_assert_cmpfloat (value, ==, 0);
  memcpy (text + n, "e59998", 6);
  g_assert_true (metrics_number_parse_double (text, n + 6, &value));
  g_assert_cmpfloat (value, ==, 7);

  /* The last of so many digits tips the scales: 2^53 + 1 and a trace more. */
  memset (text, '0', n);
  memcpy (text, "9007199254740993.", 17);
  g_assert_true (metrics_number_parse_double (text, n, &value));
  g_assert_cmpfloat (value, ==, 9007199254740992.);
  text[700] = '1';
  g_assert_true (metrics_number_parse_double (text, n, &value));
  g_assert_cmpfloat (value, ==, 9007199254740994.);
}

/* Integers */

static void
test_int64 (void)
{
  static const struct
  {
    const char *text;
    gint64 value;
  } cases[] = {
    { "0", 0 },
    { "-0", 0 },
    { "+5", 5 },
    { "007", 7 },
    { "-007", -7 },
    { "1503319740", 1503319740 },
    { "9223372036854775807", G_MAXINT64 },
    { "+9223372036854775807", G_MAXINT64 },
    { "-9223372036854775808", G_MININT64 },
    { "-9223372036854775807", -G_MAXINT64 },
    { "000000000000000000000000000000000000000009223372036854775807", G_MAXINT64 },
  };
  static const char *const refused[] = {
    "",
    "+",
    "-",
    "--1",
    "+-1",
    "1.0",
    "1e3",
    "1 ",
    " 1",
    "0x10",
    "a",
    "1a",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "99999999999999999999999999",
    "\xd9\xa1",
    "1-",
    "9223372036854775810",
  };
  gint64 value;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_true (metrics_number_parse_int64 (cases[i].text, strlen (cases[i].text), &value));
      g_assert_cmpint (value, ==, cases[i].value);
    }
  value = 77;
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      if (metrics_number_parse_int64 (refused[i], strlen (refused[i]), &value))
        g_error ("'%s' is read as %" G_GINT64_FORMAT, refused[i], value);
      g_assert_cmpint (value, ==, 77);
    }
}

static void
test_int64_random (void)
{
  for (guint i = 0; i < 300000; i++)
    {
      gint64 value = (gint64) random_bits () >> g_test_rand_int_range (0, 64);
      g_autofree char *expected = g_strdup_printf ("%" G_GINT64_FORMAT, value);
      char text[METRICS_NUMBER_MAX_INT64 + 1] = { [METRICS_NUMBER_MAX_INT64] = '#' };
      gsize len = metrics_number_print_int64 (text, value);
      gint64 back;

      g_assert_cmpint (text[METRICS_NUMBER_MAX_INT64], ==, '#');
      g_assert_cmpmem (text, len, expected, strlen (expected));
      g_assert_true (metrics_number_parse_int64 (text, len, &back));
      g_assert_cmpint (back, ==, value);
    }
  g_assert_cmpuint (metrics_number_print_int64 ((char[METRICS_NUMBER_MAX_INT64]){ 0 }, G_MININT64), ==,
                    METRICS_NUMBER_MAX_INT64);
}

/* Printing */

static void
test_print (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = {
    { 10, "10.0" },
    { 0.25, "0.25" },
    { 0, "0.0" },
    { -0.0, "-0.0" },
    { 1e16, "1e+16" },
    { 1e15, "1000000000000000.0" },
    { 9999999999999998., "9999999999999998.0" },
    { 123456789012345., "123456789012345.0" },
    { 1234567890123456., "1234567890123456.0" },
    { 1e-5, "1e-05" },
    { 1e-4, "0.0001" },
    { 0.00012345, "0.00012345" },
    { 5e-324, "5e-324" },
    { -5e-324, "-5e-324" },
    { 1.5e-10, "1.5e-10" },
    { 1e100, "1e+100" },
    { 1.25e-100, "1.25e-100" },
    { 0.1, "0.1" },
    { 0.3, "0.3" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1. / 3, "0.3333333333333333" },
    { 2. / 3, "0.6666666666666666" },
    { 100.5, "100.5" },
    { 1e22, "1e+22" },
    { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { 2.2250738585072014e-308, "2.2250738585072014e-308" },
    { -2.2250738585072014e-308, "-2.2250738585072014e-308" },
    { 0x1p-44, "5.684341886080802e-14" },
    { 0x1p-1074 * 3, "1.5e-323" },
    { 2251799813685248.5, "2251799813685248.5" },
    { 0.000123456789012345, "0.000123456789012345" },
    { 33.333333333333336, "33.333333333333336" },
    { 1503319740.123456, "1503319740.123456" },
    { 0.9999999999999999, "0.9999999999999999" },
    { 99999999999999.9, "99999999999999.9" },
    { 1e15 - 0.125, "999999999999999.9" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = print (cases[i].value);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

/* The digits of the shortest decimal that reads back, found by trying all lengths from one digit on with the
 * C library: the nearest decimal of that length, or, since doubles below a power of two stand closer, the one
 * above it. */
static void
find_shortest (double value, char *text)
{
  for (guint n_digits = 1;; n_digits++)
    {
      gint64 digits;
      int exponent;

      g_assert_cmpuint (n_digits, <=, 17);
      g_snprintf (text, 40, "%.*e", (int) n_digits - 1, value);
      if (g_ascii_strtod (text, NULL) == value)
        return;
      exponent = atoi (strchr (text, 'e') + 1) - (int) (n_digits - 1);
      digits = text[0] - '0';
      for (guint i = 1; i < n_digits; i++)
        digits = digits * 10 + (text[i + 1] - '0');
      g_snprintf (text, 40, "%" G_GINT64_FORMAT "e%d", digits + 1, exponent);
      if (g_ascii_strtod (text, NULL) == value)
        return;
    }
}

/* The digits without sign, point, exponent, and zeros on either side. */
static char *
digits_of (const char *text)
{
  GString *digits = g_string_new (NULL);

  for (const char *p = text; *p != '\0' && *p != 'e'; p++)
    if (g_ascii_isdigit (*p) && (digits->len > 0 || *p != '0'))
      g_string_append_c (digits, *p);
  while (digits->len > 0 && digits->str[digits->len - 1] == '0')
    g_string_truncate (digits, digits->len - 1);
  return g_string_free (digits, FALSE);
}

/* Whether it has the form of Python's repr(): a point or an exponent, which is used below 1e-4 and from 1e16.
 */
static gboolean
has_form (const char *text, double value)
{
  gboolean exponent = fabs (value) < 1e-4 || fabs (value) >= 1e16;
  const char *pattern = exponent ? "^-?[0-9](\\.[0-9]*[1-9])?e[-+](0[1-9]|[1-9][0-9]+)$"
                                 : "^-?(0|[1-9][0-9]*)\\.([0-9]|[0-9]*[1-9])$";

  return g_regex_match_simple (pattern, text, 0, 0);
}

static void
check_print (double value)
{
  g_autofree char *text = print (value);
  g_autofree char *digits = digits_of (text);
  g_autofree char *shortest_digits = NULL;
  char shortest[40];
  double back;

  find_shortest (fabs (value), shortest);
  shortest_digits = digits_of (shortest);
  if (strcmp (digits, shortest_digits) != 0 || !has_form (text, value))
    g_error ("%.17g is printed as '%s'; its digits are %s", value, text, shortest_digits);
  g_assert_true (parse (text, &back));
  g_assert_true (is_same (back, value));
  g_assert_true (is_same (g_ascii_strtod (text, NULL), value));
}

/* Every exponent: the power of two and its neighbours, the largest of it, and some between. */
static void
test_print_exponents (void)
{
  for (guint64 exponent = 0; exponent < 2047; exponent++)
    {
      guint64 bits = exponent << 52;

      if (exponent > 0)
        {
          check_print (double_of (bits));
          check_print (double_of (bits - 1));
          check_print (double_of (bits - 2));
        }
      check_print (double_of (bits + 1));
      for (guint i = 0; i < 10; i++)
        check_print (double_of (bits | (random_bits () >> 12)));
    }
}

/* Where the number of digits changes. */
static void
test_print_powers_of_ten (void)
{
  for (int exponent = -323; exponent <= 308; exponent++)
    {
      g_autofree char *text = g_strdup_printf ("1e%d", exponent);
      double value = g_ascii_strtod (text, NULL);

      check_print (value);
      check_print (-value);
      check_print (nextafter (value, 0));
      check_print (nextafter (value, INFINITY));
    }
}

static void
test_print_subnormals (void)
{
  for (guint64 bits = 1; bits < 2000; bits++)
    check_print (double_of (bits));
  for (guint shift = 0; shift < 52; shift++)
    {
      check_print (double_of (G_GUINT64_CONSTANT (1) << shift));
      check_print (double_of ((G_GUINT64_CONSTANT (1) << shift)
                              | (random_bits () >> (64 - shift - (shift == 0)))));
    }
}

static void
test_print_random (void)
{
  for (guint i = 0; i < 50000; i++)
    check_print (random_double ());
}

/* What metrics mostly are: few digits. */
static void
test_print_decimals (void)
{
  for (guint i = 0; i < 50000; i++)
    {
      gint64 digits = (gint64) (random_bits () >> g_test_rand_int_range (10, 60));
      double value = digits / pow (10, g_test_rand_int_range (0, 15));

      if (value != 0)
        check_print (g_test_rand_bit () ? value : -value);
    }
}

/* A locale with a decimal comma changes nothing; where none is installed, there is nothing to see. */
static void
test_locale (void)
{
  static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8" };
  const char *found = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names) && found == NULL; i++)
    found = setlocale (LC_NUMERIC, names[i]);
  if (found == NULL)
    {
      g_test_skip ("no locale with a decimal comma");
      return;
    }
  test_parse ();
  test_refuse ();
  test_print ();
  setlocale (LC_NUMERIC, "C");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/number/parse", test_parse);
  g_test_add_func ("/number/parse/refuse", test_refuse);
  g_test_add_func ("/number/parse/length", test_length);
  g_test_add_func ("/number/parse/random", test_parse_random);
  g_test_add_func ("/number/parse/long", test_parse_long);
  g_test_add_func ("/number/int64", test_int64);
  g_test_add_func ("/number/int64/random", test_int64_random);
  g_test_add_func ("/number/print", test_print);
  g_test_add_func ("/number/print/exponents", test_print_exponents);
  g_test_add_func ("/number/print/powers-of-ten", test_print_powers_of_ten);
  g_test_add_func ("/number/print/subnormals", test_print_subnormals);
  g_test_add_func ("/number/print/random", test_print_random);
  g_test_add_func ("/number/print/decimals", test_print_decimals);
  g_test_add_func ("/number/locale", test_locale);
  return g_test_run ();
}
