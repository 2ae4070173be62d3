/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-sum.h"

#include <float.h>
#include <math.h>

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
