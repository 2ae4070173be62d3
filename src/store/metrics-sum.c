/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What rounding takes off the sum at each step is added up apart, whichever of the two addends is larger:
 * A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54 (1974),
 * algorithm IV. The result is as good as if it had been computed with twice the digits.
 *
 * The sum of doubles may exceed what a double holds where their mean, or their sum a few numbers later, does
 * not. Those of huge magnitude are added apart, scaled down by a power of two, which changes no digit. With
 * these bounds, 2^54 numbers overflow neither of the sums. */

#define LARGE 0x1p900
#define SCALE 0x1p70

static inline void
add (double *sum, double *error, double value)
{
  double total = *sum + value;

  if (fabs (*sum) >= fabs (value))
    *error += (*sum - total) + value;
  else
    *error += (value - total) + *sum;
  *sum = total;
}

/**
 * metrics_sum_add:
 * @self: a sum
 * @value: a finite number
 */
void
metrics_sum_add (MetricsSum *self, double value)
{
  if (G_LIKELY (fabs (value) < LARGE))
    add (&self->small, &self->small_error, value);
  else
    add (&self->large, &self->large_error, value / SCALE);
}

/**
 * metrics_sum_add_times:
 * @self: a sum
 * @value: a finite number
 * @n: how often it is added
 */
void
metrics_sum_add_times (MetricsSum *self, double value, guint64 n)
{
  /* In two parts of 21 and 32 bits, so that a product with a count of 21 bits is exact. */
  const guint64 max_count = 1 << 21;
  guint64 bits;
  double high;

  memcpy (&bits, &value, sizeof bits);
  bits &= ~(guint64) G_MAXUINT32;
  memcpy (&high, &bits, sizeof high);
  while (n > 0)
    {
      double count = MIN (n, max_count);

      if (fabs (value) < LARGE / max_count)
        {
          add (&self->small, &self->small_error, high * count);
          add (&self->small, &self->small_error, (value - high) * count);
        }
      else
        {
          add (&self->large, &self->large_error, high / SCALE * count);
          add (&self->large, &self->large_error, (value - high) / SCALE * count);
        }
      n -= MIN (n, max_count);
    }
}

/**
 * metrics_sum_get:
 * @self: a sum
 * @divisor: a number, at least 1
 *
 * Returns: the sum divided by @divisor; the largest double where no double is as large
 */
double
metrics_sum_get (const MetricsSum *self, double divisor)
{
  double small = self->small + self->small_error;
  double large = self->large + self->large_error;
  double result;

  if (large == 0)
    return small / divisor;
  result = (large + small / SCALE) / divisor;
  if (fabs (result) > DBL_MAX / SCALE)
    return copysign (DBL_MAX, result);
  return result * SCALE;
}
