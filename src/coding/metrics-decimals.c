/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-decimals.h"

#include <math.h>

/* Doubles as integers, without losing a bit.
 *
 * What is measured mostly has few decimals: 21.37 is the double nearest to 2137 / 100, and that is what the
 * division of the doubles 2137 and 100 gives, for it rounds correctly. So a list of such numbers is a list of
 * integers and one exponent (A. Afroozeh, L. Kuffo, P. Boncz, "ALP: Adaptive Lossless floating-Point
 * Compression", SIGMOD 2024, who multiply; the idea is older). Programs that scale a counter by
 * multiplication (microseconds * 1e-6) give the double next to the decimal: of these lists the integers are
 * found by multiplying as they did.
 *
 * Numbers that are neither stand beside as they are. Where they are many, the bits of all are taken for
 * integers, in an order in which neighbours are near each other (those below zero inverted): measured times
 * in nanoseconds and averages still save their common bits that way. Whichever is shorter is taken. */

/* The head, a byte: */
#define EXPONENT_MASK 0x1f
#define SCALE_SHIFT 5
#define SCALE_MASK 0x60
#define HAS_EXCEPTIONS 0x80
/* then the integers; where there are exceptions: their number (a byte), positions (a byte each), doubles */

#define MAX_EXPONENT 18
#define EXCEPTION_SIZE 9

/* Integers up to that, on either side, are turned into doubles by an addition, see to_double(). */
#define MAX_INTEGER 0x1p51

/* As soon as there are more of @n, the numbers are taken for what is no decimal. */
#define MAX_EXCEPTIONS(n) (2 + (n) / 8)

static const double powers[MAX_EXPONENT + 1] = {
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
};

static const double inverses[MAX_EXPONENT + 1] = {
  1e-0,  1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8,  1e-9,
  1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18,
};

static inline guint64
get_bits (double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline double
from_bits (guint64 bits)
{
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/* In the order of the numbers, as two's complement. */
static inline guint64
order_bits (guint64 bits)
{
  return bits ^ (0 - (bits >> 63)) >> 1;
}

/* The double of an integer up to 2^51 on either side: added to the bits of 1.5 * 2^52, it stands in the last
 * bits of that double's fraction. Unlike the conversion, which baseline x86-64 has for one number only, this
 * is done to several at once. */
static inline double
to_double (guint64 integer)
{
  return from_bits (integer + G_GUINT64_CONSTANT (0x4338000000000000)) - 0x1.8p52;
}

static inline double
unscale (MetricsScale scale, guint exponent, double integer)
{
  return scale == METRICS_SCALE_DIVIDE ? integer / powers[exponent] : integer * inverses[exponent];
}

/* Finds the integer that gives @value, to the bit. */
static inline gboolean
to_integer (MetricsScale scale, guint exponent, double value, gint64 *integer)
{
  double scaled = value * powers[exponent];

  if (!(fabs (scaled) < MAX_INTEGER))
    return FALSE;
  *integer = (gint64) (scaled + copysign (0.5, scaled));
  return get_bits (unscale (scale, exponent, *integer)) == get_bits (value);
}

/* An attempt to code all numbers in one way. */
typedef struct
{
  MetricsScale scale;
  guint exponent;
  guint n_exceptions;
  guint8 positions[METRICS_INTEGERS_MAX];
  guint64 integers[METRICS_INTEGERS_MAX];
} Attempt;

/* The least exponent from @exponent on with which @value is an integer; -1 for none. */
static gint
find_exponent (MetricsScale scale, guint exponent, double value)
{
  gint64 integer;

  for (; exponent <= MAX_EXPONENT; exponent++)
    if (to_integer (scale, exponent, value, &integer))
      return exponent;
  return -1;
}

/* Finds the exponent that suits all numbers but a few. Returns: whether there is one */
static gboolean
choose_exponent (Attempt *self, const double *values, guint n)
{
  guint max_exceptions = MAX_EXCEPTIONS (n);
  guint n_exceptions = 0;
  gint64 integer;

  self->exponent = 0;
  for (guint i = 0; i < n; i++)
    {
      gint exponent;

      if (G_LIKELY (to_integer (self->scale, self->exponent, values[i], &integer)))
        continue;
      exponent = find_exponent (self->scale, self->exponent + 1, values[i]);
      if (exponent >= 0)
        self->exponent = exponent;
      else if (++n_exceptions > max_exceptions)
        return FALSE;
    }
  return TRUE;
}

/* In the place of an exception stands the integer before it, or the first one. */
static gboolean
attempt_scale (Attempt *self, MetricsScale scale, const double *values, guint n)
{
  guint64 last = 0;

  self->scale = scale;
  self->n_exceptions = 0;
  if (!choose_exponent (self, values, n))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      gint64 integer;

      if (G_LIKELY (to_integer (scale, self->exponent, values[i], &integer)))
        {
          if (i == self->n_exceptions)
            for (guint j = 0; j < i; j++)
              self->integers[j] = integer;
          last = integer;
        }
      else
        self->positions[self->n_exceptions++] = i;
      self->integers[i] = last;
    }
  return self->n_exceptions <= MAX_EXCEPTIONS (n);
}

static void
attempt_bits (Attempt *self, const double *values, guint n)
{
  self->scale = METRICS_SCALE_BITS;
  self->exponent = 0;
  self->n_exceptions = 0;
  for (guint i = 0; i < n; i++)
    self->integers[i] = order_bits (get_bits (values[i]));
}

static guint8 *
write_attempt (guint8 *data, const Attempt *attempt, const double *values, guint n)
{
  *data++
      = attempt->exponent | attempt->scale << SCALE_SHIFT | (attempt->n_exceptions > 0 ? HAS_EXCEPTIONS : 0);
  data = metrics_integers_encode (data, attempt->integers, n);
  if (attempt->n_exceptions == 0)
    return data;
  *data++ = attempt->n_exceptions;
  for (guint i = 0; i < attempt->n_exceptions; i++)
    *data++ = attempt->positions[i];
  for (guint i = 0; i < attempt->n_exceptions; i++)
    {
      guint64 bits = GUINT64_TO_LE (get_bits (values[attempt->positions[i]]));

      memcpy (data, &bits, sizeof bits);
      data += sizeof bits;
    }
  return data;
}

/* Writes another attempt to @data if it is shorter than the @size bytes there. Returns: how many there are
 * then */
static gsize
write_if_shorter (guint8 *data, gsize size, const Attempt *attempt, const double *values, guint n)
{
  guint8 code[METRICS_DECIMALS_MAX_SIZE (METRICS_INTEGERS_MAX)
              + EXCEPTION_SIZE * (1 + MAX_EXCEPTIONS (METRICS_INTEGERS_MAX))];
  gsize other = write_attempt (code, attempt, values, n) - code;

  if (other >= size)
    return size;
  memcpy (data, code, other);
  return other;
}

/**
 * metrics_decimals_encode:
 * @data: (out caller-allocates): room for %METRICS_DECIMALS_MAX_SIZE(n) bytes
 * @values: (array length=n): the numbers
 * @n: how many, 1 to %METRICS_INTEGERS_MAX
 *
 * Returns: the end of what was written
 */
guint8 *
metrics_decimals_encode (guint8 *data, const double *values, guint n)
{
  Attempt divided, other;
  gboolean is_divided;
  gsize size;

  g_assert (n >= 1 && n <= METRICS_INTEGERS_MAX);

  is_divided = attempt_scale (&divided, METRICS_SCALE_DIVIDE, values, n);
  if (is_divided && divided.n_exceptions == 0)
    return write_attempt (data, &divided, values, n);

  /* First what has no exceptions and surely fits. */
  attempt_bits (&other, values, n);
  size = write_attempt (data, &other, values, n) - data;
  if (is_divided)
    size = write_if_shorter (data, size, &divided, values, n);
  if (attempt_scale (&other, METRICS_SCALE_MULTIPLY, values, n))
    size = write_if_shorter (data, size, &other, values, n);
  return data + size;
}

static gboolean
open_exceptions (MetricsDecimals *self, MetricsBytes *bytes, guint64 n)
{
  const guint8 *head = metrics_bytes_take (bytes, 1);
  gint last = -1;

  if (head == NULL || *head == 0 || *head > n || n > METRICS_INTEGERS_MAX)
    return FALSE;
  self->n_exceptions = *head;
  self->positions = metrics_bytes_take (bytes, self->n_exceptions);
  self->exceptions = metrics_bytes_take (bytes, (gsize) self->n_exceptions * sizeof (double));
  if (self->positions == NULL || self->exceptions == NULL)
    return FALSE;
  for (guint i = 0; i < self->n_exceptions; i++)
    {
      if (self->positions[i] <= last || self->positions[i] >= n)
        return FALSE;
      last = self->positions[i];
    }
  return TRUE;
}

/**
 * metrics_decimals_open:
 * @self: (out caller-allocates): what is in @bytes; it points into them
 * @bytes: (inout): what metrics_decimals_encode() wrote, or anything else; what was read is taken off
 * @n: how many numbers there have to be, at least 1
 *
 * Returns: whether it is the code of so many numbers
 */
gboolean
metrics_decimals_open (MetricsDecimals *self, MetricsBytes *bytes, guint64 n)
{
  const guint8 *head = metrics_bytes_take (bytes, 1);

  if (head == NULL)
    return FALSE;
  *self = (MetricsDecimals){
    .scale = (*head & SCALE_MASK) >> SCALE_SHIFT,
    .exponent = *head & EXPONENT_MASK,
  };
  if (self->scale > METRICS_SCALE_BITS || self->exponent > MAX_EXPONENT
      || (self->scale == METRICS_SCALE_BITS && (self->exponent > 0 || (*head & HAS_EXCEPTIONS) != 0)))
    return FALSE;
  return metrics_integers_open (&self->integers, bytes, n)
         && ((*head & HAS_EXCEPTIONS) == 0 || open_exceptions (self, bytes, n));
}

/* Whether to_double() works. */
static gboolean
is_small (guint64 integer)
{
  return integer + (guint64) MAX_INTEGER <= 2 * (guint64) MAX_INTEGER;
}

/**
 * metrics_decimals_check:
 * @self: a list; a constant one, or of at most %METRICS_INTEGERS_MAX numbers
 *
 * Returns: whether its integers are such as doubles are made of: otherwise any doubles come out
 */
gboolean
metrics_decimals_check (const MetricsDecimals *self)
{
  guint64 integers[METRICS_INTEGERS_MAX];

  if (self->scale == METRICS_SCALE_BITS)
    return TRUE;
  if (metrics_decimals_is_constant (self))
    return is_small (metrics_integers_get_first (&self->integers));
  metrics_integers_decode (&self->integers, integers);
  for (guint i = 0; i < self->integers.n; i++)
    if (!is_small (integers[i]))
      return FALSE;
  return TRUE;
}

/**
 * metrics_decimals_is_constant:
 * @self: a list
 *
 * Returns: whether all its numbers are surely the same
 */
gboolean
metrics_decimals_is_constant (const MetricsDecimals *self)
{
  return self->n_exceptions == 0 && metrics_integers_is_linear (&self->integers)
         && metrics_integers_get_step (&self->integers) == 0;
}

/**
 * metrics_decimals_get_first:
 * @self: a constant list
 *
 * Returns: its number
 */
double
metrics_decimals_get_first (const MetricsDecimals *self)
{
  guint64 first = metrics_integers_get_first (&self->integers);

  if (self->scale == METRICS_SCALE_BITS)
    return from_bits (order_bits (first));
  return unscale (self->scale, self->exponent, to_double (first));
}

/* Exceptions last: in their places other numbers stood. */
static void
put_exceptions (const MetricsDecimals *self, double *values)
{
  for (guint i = 0; i < self->n_exceptions; i++)
    {
      guint64 bits;

      memcpy (&bits, self->exceptions + i * sizeof bits, sizeof bits);
      values[self->positions[i]] = from_bits (GUINT64_FROM_LE (bits));
    }
}

/**
 * metrics_decimals_decode:
 * @self: a list of at most %METRICS_INTEGERS_MAX numbers
 * @values: (out caller-allocates) (array): where they go
 */
void
metrics_decimals_decode (const MetricsDecimals *self, double *values)
{
  guint64 integers[METRICS_INTEGERS_MAX];
  guint n = self->integers.n;

  metrics_integers_decode (&self->integers, integers);
  switch (self->scale)
    {
    case METRICS_SCALE_BITS:
      for (guint i = 0; i < n; i++)
        values[i] = from_bits (order_bits (integers[i]));
      return;
    case METRICS_SCALE_MULTIPLY:
      for (guint i = 0; i < n; i++)
        values[i] = to_double (integers[i]) * inverses[self->exponent];
      break;
    case METRICS_SCALE_DIVIDE:
      if (self->exponent == 0)
        for (guint i = 0; i < n; i++)
          values[i] = to_double (integers[i]);
      else
        for (guint i = 0; i < n; i++)
          values[i] = to_double (integers[i]) / powers[self->exponent];
      break;
    }
  put_exceptions (self, values);
}

/**
 * metrics_decimals_decode_integers:
 * @self: a list of at most %METRICS_INTEGERS_MAX numbers
 * @integers: (out caller-allocates) (array): where the integers go that metrics_decimals_scale() turns into
 * them
 *
 * The order of the integers is that of the numbers, and their sum gives that of the numbers.
 *
 * Returns: whether all the numbers are such; nothing is done otherwise
 */
gboolean
metrics_decimals_decode_integers (const MetricsDecimals *self, gint64 *integers)
{
  if (self->scale == METRICS_SCALE_BITS || self->n_exceptions > 0)
    return FALSE;
  metrics_integers_decode (&self->integers, (guint64 *) integers);
  return TRUE;
}

/**
 * metrics_decimals_scale:
 * @scale: of a list for which metrics_decimals_decode_integers() works
 * @exponent: its exponent
 * @integer: one of its integers, or a sum of them
 *
 * Returns: the number, or the sum of the numbers
 */
double
metrics_decimals_scale (MetricsScale scale, guint exponent, double integer)
{
  return unscale (scale, exponent, integer);
}

/**
 * metrics_decimals_get_power:
 * @exponent: the exponent of a list
 *
 * Returns: by what its integers are divided, where they are
 */
double
metrics_decimals_get_power (guint exponent)
{
  return powers[exponent];
}
