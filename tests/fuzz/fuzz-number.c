/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Numbers: what is taken is what a regular expression and the C library take, and what is printed is read
 * back. */

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

static void
check_print (double value)
{
  char text[METRICS_NUMBER_MAX_DOUBLE];
  gsize len = metrics_number_print_double (text, value);
  double back;

  g_assert_cmpuint (len, <=, sizeof text);
  g_assert_true (metrics_number_parse_double (text, len, &back));
  g_assert_true (is_same (value, back));
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
  return 0;
}
