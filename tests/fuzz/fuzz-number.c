/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers: what is taken is what a regular expression and the C library take, and what is printed is read
 * back, and is the shortest. */

static gboolean
is_same (double a, double b)
{
  return memcmp (&a, &b, sizeof a) == 0;
}

static gboolean
has_form (const GRegex *form, const char *text, gsize size)
{
  return strlen (text) == size && g_regex_match (form, text, 0, NULL);
}

static GRegex *
form_new (const char *pattern)
{
  return g_regex_new (pattern, G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
}

/* A decimal of so many digits, the nearest to the value, and then its last digit moved by @offset. */
static gboolean
reads_back (double value, int n_digits, int offset)
{
  char text[40];
  char digits[20];
  char *e;

  g_snprintf (text, sizeof text, "%.*e", n_digits - 1, value);
  e = strchr (text, 'e');
  digits[0] = text[0];
  memcpy (digits + 1, text + 2, n_digits - 1);
  digits[n_digits] = '\0';
  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT "e%d", g_ascii_strtoll (digits, NULL, 10) + offset,
              atoi (e + 1) - (n_digits - 1));
  return g_ascii_strtod (text, NULL) == value;
}

/* How many digits a number has between its first and its last that are not zero. */
static int
count_digits (const char *text, gsize len)
{
  int n = 0, n_zeros = 0;

  for (gsize i = 0; i < len && text[i] != 'e'; i++)
    {
      if (!g_ascii_isdigit (text[i]) || (n == 0 && text[i] == '0'))
        continue;
      n++;
      n_zeros = text[i] == '0' ? n_zeros + 1 : 0;
    }
  return n - n_zeros;
}

static void
check_print (double value)
{
  char text[METRICS_NUMBER_MAX_DOUBLE + 1];
  gsize len = metrics_number_print_double (text, value);
  double back;
  int n_digits;

  g_assert_cmpuint (len, <, sizeof text);
  g_assert_true (metrics_number_parse_double (text, len, &back));
  g_assert_true (is_same (value, back));
  text[len] = '\0';
  g_assert_true (is_same (value, g_ascii_strtod (text, NULL)));

  /* None is shorter. */
  n_digits = count_digits (text, len);
  for (int offset = -1; offset <= 1 && n_digits > 1; offset++)
    g_assert_false (reads_back (fabs (value), n_digits - 1, offset));
}

static void
check_double (const GRegex *double_form, const char *text, gsize size)
{
  gboolean formed = has_form (double_form, text, size);
  double expected = formed ? g_ascii_strtod (text, NULL) : NAN;
  double value;

  g_assert_cmpint (metrics_number_parse_double (text, size, &value), ==, formed && isfinite (expected));
  if (!formed || !isfinite (expected))
    return;
  g_assert_true (is_same (value, expected));
  check_print (value);
}

static void
check_int64 (const GRegex *int64_form, const char *text, gsize size)
{
  gboolean formed = has_form (int64_form, text, size);
  gint64 expected, value;

  errno = 0;
  expected = g_ascii_strtoll (text, NULL, 10);
  g_assert_cmpint (metrics_number_parse_int64 (text, size, &value), ==, formed && errno == 0);
  if (formed && errno == 0)
    g_assert_cmpint (value, ==, expected);
}

static void
check_bits (const guint8 *data)
{
  char text[METRICS_NUMBER_MAX_INT64];
  gint64 integer, back;
  double value;
  gsize len;

  memcpy (&value, data, sizeof value);
  if (isfinite (value))
    check_print (value);

  memcpy (&integer, data, sizeof integer);
  len = metrics_number_print_int64 (text, integer);
  g_assert_true (metrics_number_parse_int64 (text, len, &back));
  g_assert_cmpint (integer, ==, back);
}

/* Digits of 64 bits, and a power of ten. */
static void
check_decimal (const guint8 *data)
{
  char text[40];
  guint64 digits;
  gint16 exponent;
  double expected, value;

  memcpy (&digits, data, sizeof digits);
  memcpy (&exponent, data + sizeof digits, sizeof exponent);
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT "e%d", digits, exponent % 400);
  expected = g_ascii_strtod (text, NULL);
  g_assert_cmpint (metrics_number_parse_double (text, strlen (text), &value), ==, isfinite (expected));
  if (isfinite (expected))
    g_assert_true (is_same (value, expected));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static GRegex *double_form = NULL;
  static GRegex *int64_form = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);

  if (double_form == NULL)
    {
      double_form = form_new ("^[-+]?([0-9]++\\.?+[0-9]*+|\\.[0-9]++)([eE][-+]?[0-9]++)?$");
      int64_form = form_new ("^[-+]?[0-9]++$");
    }

  check_double (double_form, text, size);
  check_int64 (int64_form, text, size);
  if (size >= 8)
    check_bits (data);
  if (size >= 10)
    check_decimal (data);
  return 0;
}
