/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "coding/metrics-coding.h"

#include <math.h>

/* Blocks of points. The first byte says what the others are: `x` and hexadecimal digits, or `b` and bytes,
 * are a block: it is refused, or read without a fault, and what was read comes back when it is coded again.
 * Anything else makes points, which come back. */

typedef struct
{
  guint n;
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];
} Points;

/* To the bit, and from an allocation of its own size. */
static void
check_code (const guint8 *code, gsize size, const Points *points)
{
  g_autofree guint8 *copy = g_memdup2 (code, size);
  g_autofree Points *back = g_new (Points, 1);
  MetricsCoded coded;
  guint middle = points->n / 2;

  g_assert_true (metrics_coding_open (&coded, copy, size));
  g_assert_true (metrics_coding_check (&coded));
  g_assert_cmpuint (coded.n, ==, points->n);
  metrics_coding_read_times (&coded, 0, points->n, back->times);
  metrics_coding_read_values (&coded, 0, points->n, back->values);
  g_assert_cmpmem (back->times, points->n * sizeof (gint64), points->times, points->n * sizeof (gint64));
  g_assert_cmpmem (back->values, points->n * sizeof (double), points->values, points->n * sizeof (double));

  metrics_coding_read_times (&coded, middle, 1, back->times);
  metrics_coding_read_values (&coded, middle, 1, back->values);
  g_assert_cmpmem (back->times, sizeof (gint64), points->times + middle, sizeof (gint64));
  g_assert_cmpmem (back->values, sizeof (double), points->values + middle, sizeof (double));
  for (guint i = 0; i < points->n; i++)
    g_assert_cmpuint (metrics_coding_find (&coded, points->times[i]), ==, i);
}

static void
check_points (const Points *points)
{
  gsize room = METRICS_CODING_MAX_SIZE (points->n);
  g_autofree guint8 *code = g_malloc (room);
  gsize size = metrics_coding_encode (code, points->times, points->values, points->n);

  g_assert_cmpuint (size, <=, room);
  check_code (code, size, points);
}

/* Blocks */

static void
use_far (const MetricsCoded *coded)
{
  guint n = MIN (coded->n, METRICS_CODING_MAX_POINTS);
  gint64 times[METRICS_CODING_MAX_POINTS];
  double values[METRICS_CODING_MAX_POINTS];

  metrics_coding_read_times (coded, coded->n - n, n, times);
  metrics_coding_read_values (coded, coded->n - n, n, values);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (metrics_coding_find (coded, times[i]), <=, coded->n);
}

static void
check_block (const guint8 *bytes, gsize size)
{
  g_autofree Points *points = g_new (Points, 1);
  MetricsCoded coded;
  gint64 first, step;

  if (!metrics_coding_open (&coded, bytes, size))
    return;
  use_far (&coded);
  if (coded.n <= METRICS_CODING_MAX_POINTS)
    {
      points->n = coded.n;
      metrics_decimals_decode_integers (&coded.values, points->times);
      metrics_coding_read_times (&coded, 0, points->n, points->times);
      metrics_coding_read_values (&coded, 0, points->n, points->values);
    }
  if (!metrics_coding_check (&coded))
    return;
  if (coded.n <= METRICS_CODING_MAX_POINTS)
    check_points (points);
  else
    {
      g_assert_true (metrics_coding_is_constant (&coded));
      g_assert_true (metrics_coding_is_regular (&coded, &first, &step));
      g_assert_cmpint (step, >, 0);
    }
}

static void
check_hex (const guint8 *digits, gsize n)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree guint8 *exact = NULL;
  gint high = -1;

  for (gsize i = 0; i < n; i++)
    {
      gint digit = g_ascii_xdigit_value (digits[i]);
      guint8 byte = (guint) high << 4 | (guint) digit;

      if (digit < 0)
        continue;
      if (high >= 0)
        g_byte_array_append (bytes, &byte, 1);
      high = high >= 0 ? -1 : digit;
    }
  exact = g_memdup2 (bytes->data, bytes->len);
  check_block (exact, bytes->len);
}

/* Points: each is made of a byte that says how, and as many as that takes. */

typedef struct
{
  const guint8 *data;
  gsize size;
} Input;

static guint64
take (Input *input, guint n)
{
  guint64 value = 0;

  for (; n > 0 && input->size > 0; n--, input->size--)
    value = value << 8 | *input->data++;
  return value;
}

/* Returns: whether there is a time after the last one by that step */
static gboolean
next_time (Input *input, guint how, guint64 *step, gint64 *time)
{
  switch (how)
    {
    case 0:
      *step += (gint8) take (input, 1);
      break;
    case 1:
      *step = take (input, 2);
      break;
    case 2:
      *step = take (input, 8);
      break;
    default:
      break;
    }
  if (*step == 0 || *step > (guint64) G_MAXINT64 - (guint64) *time)
    return FALSE;
  *time = (gint64) ((guint64) *time + *step);
  return TRUE;
}

static double
next_value (Input *input, guint how, gint64 *integer, gint *exponent)
{
  static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e6, 1e9, 1e15 };
  static const double inverses[] = { 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-15 };
  guint64 bits;
  double value;

  switch (how)
    {
    case 0:
      *exponent = take (input, 1) % G_N_ELEMENTS (powers);
      break;
    case 1:
      *integer = (gint64) (take (input, 7) >> 4);
      break;
    case 2: /* as it is */
      bits = take (input, 8);
      memcpy (&value, &bits, sizeof value);
      return isfinite (value) ? value : -0.0;
    case 3:
    case 4:
      *integer += (gint8) take (input, 1);
      break;
    case 5:
      *integer = -*integer;
      break;
    case 6:
      return *integer * inverses[*exponent];
    default:
      break;
    }
  return *integer / powers[*exponent];
}

static void
check_made (Input *input)
{
  g_autofree Points *points = g_new (Points, 1);
  gint64 time = (gint64) take (input, 8);
  guint64 step = 1;
  gint64 integer = 0;
  gint exponent = 0;

  for (points->n = 0; points->n < METRICS_CODING_MAX_POINTS && input->size > 0;)
    {
      guint how = take (input, 1);

      /* Many of one kind from a few bytes. */
      for (guint i = how >> 6 == 3 ? 20 : 1; i > 0 && points->n < METRICS_CODING_MAX_POINTS; i--)
        {
          if (!next_time (input, how >> 3 & 7, &step, &time))
            break;
          points->times[points->n] = time;
          points->values[points->n++] = next_value (input, how & 7, &integer, &exponent);
        }
    }
  if (points->n > 0)
    check_points (points);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size > 0 && data[0] == 'x')
    check_hex (data + 1, size - 1);
  else if (size > 0 && data[0] == 'b')
    check_block (data + 1, size - 1);
  else
    check_made (&(Input){ data, size });
  return 0;
}
