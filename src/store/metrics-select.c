/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-select.h"

#include <string.h>

/* The nearest rank of some percent: the value that stands at ceil (percent / 100 * n) when all n are sorted.
 *
 * Up to a few thousand values are kept and partitioned until the one is found (C. A. R. Hoare, "Algorithm 65:
 * FIND", CACM 4 (1961)). Where there are more, they are read again: each time those which it can still be are
 * counted in bins of their leading bits that differ, until the bin that holds it has few enough to be kept.
 * That takes six more passes at most, and mostly two.
 *
 * Doubles are mapped to integers of the same order, so that bins are bits, and a pass cannot fail to narrow
 * the range, whatever the values are. */

#define MAX_KEPT 4096
#define BIN_BITS 12

G_STATIC_ASSERT (MAX_KEPT == 1 << BIN_BITS);

/* A value that is moved or a bin that is looked at takes this part of a unit of work. */
#define VALUES_A_UNIT 16

#define SIGN (G_GUINT64_CONSTANT (1) << 63)

static guint64
to_integer (double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return (bits & SIGN) != 0 ? ~bits : bits | SIGN;
}

static double
to_double (guint64 key)
{
  guint64 bits = (key & SIGN) != 0 ? key & ~SIGN : ~key;
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/**
 * metrics_select_init:
 * @self: a struct
 * @percent: which rank is wanted, 1 to 100
 */
void
metrics_select_init (MetricsSelect *self, guint percent)
{
  /* Pivots that can be foretold could be made to be bad ones. */
  *self = (MetricsSelect){ .percent = percent, .random = g_random_int () | 1 };
}

/**
 * metrics_select_clear:
 * @self: a struct that was initialized
 *
 * Frees what it holds.
 */
void
metrics_select_clear (MetricsSelect *self)
{
  g_clear_pointer (&self->work, g_free);
}

/**
 * metrics_select_begin:
 * @self: a struct that was initialized
 *
 * Begins anew: there are no values.
 */
void
metrics_select_begin (MetricsSelect *self)
{
  if (self->work == NULL)
    self->work = g_new (guint64, MAX_KEPT);
  self->pass = METRICS_SELECT_FIRST;
  self->n = 0;
  self->low = G_MAXUINT64;
  self->high = 0;
}

/**
 * metrics_select_add:
 * @self: where a pass was begun
 * @value: a finite number; in each pass the same ones, in any order
 */
void
metrics_select_add (MetricsSelect *self, double value)
{
  guint64 key = to_integer (value);

  if (self->pass == METRICS_SELECT_FIRST)
    {
      if (self->n < MAX_KEPT)
        self->work[self->n] = key;
      self->n++;
      self->low = MIN (self->low, key);
      self->high = MAX (self->high, key);
      return;
    }
  if (key < self->low || key > self->high)
    return;
  if (self->pass == METRICS_SELECT_COUNT)
    self->work[(key - self->low) >> self->shift]++;
  else
    self->work[self->n++] = key;
}

/* The values that it can be lie between low and high, too many to be kept: they will be counted. */
static MetricsSelectState
begin_count (MetricsSelect *self)
{
  guint n_bits;

  if (self->low == self->high)
    return METRICS_SELECT_DONE;
  n_bits = g_bit_storage (self->high - self->low);
  self->shift = n_bits > BIN_BITS ? n_bits - BIN_BITS : 0;
  memset (self->work, 0, MAX_KEPT * sizeof *self->work);
  self->pass = METRICS_SELECT_COUNT;
  return METRICS_SELECT_READ;
}

/* Narrows low and high to the bin of the rank. */
static MetricsSelectState
end_count (MetricsSelect *self)
{
  guint64 bin = 0;
  guint64 n;

  while (self->rank >= self->work[bin])
    self->rank -= self->work[bin++];
  n = self->work[bin];
  self->low += bin << self->shift;
  self->high = self->low + MIN (self->high - self->low, (G_GUINT64_CONSTANT (1) << self->shift) - 1);
  if (n > MAX_KEPT || self->low == self->high)
    return begin_count (self);
  self->pass = METRICS_SELECT_GATHER;
  self->n = 0;
  return METRICS_SELECT_READ;
}

/**
 * metrics_select_end_pass:
 * @self: where all values were added
 * @budget: (inout): what was done is taken off
 *
 * Returns: what comes next
 */
MetricsSelectState
metrics_select_end_pass (MetricsSelect *self, gint *budget)
{
  g_assert (self->n > 0 || self->pass == METRICS_SELECT_COUNT);

  switch (self->pass)
    {
    case METRICS_SELECT_FIRST:
      /* In two parts, for percent times n may not fit. */
      self->rank = self->n / 100 * self->percent + (self->n % 100 * self->percent + 99) / 100 - 1;
      if (self->n <= MAX_KEPT)
        return METRICS_SELECT_WORK;
      *budget -= MAX_KEPT / VALUES_A_UNIT;
      return begin_count (self);
    case METRICS_SELECT_COUNT:
      *budget -= MAX_KEPT / VALUES_A_UNIT;
      return end_count (self);
    case METRICS_SELECT_GATHER:
      return METRICS_SELECT_WORK;
    }
  g_assert_not_reached ();
}

/* A value of those kept; xorshift: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003).
 */
static guint64
pick (MetricsSelect *self)
{
  self->random ^= self->random << 13;
  self->random ^= self->random >> 17;
  self->random ^= self->random << 5;
  return self->work[self->random % self->n];
}

static void
swap (guint64 *a, guint64 *b)
{
  guint64 old = *a;

  *a = *b;
  *b = old;
}

/**
 * metrics_select_work:
 * @self: where the values are kept
 * @budget: (inout): what was done is taken off
 *
 * Partitions the values that are kept once, into those below one of them, those like it, and those above it,
 * and keeps those among which the wanted one is.
 *
 * Returns: %METRICS_SELECT_WORK, or %METRICS_SELECT_DONE where it is found
 */
MetricsSelectState
metrics_select_work (MetricsSelect *self, gint *budget)
{
  guint64 pivot = pick (self);
  guint64 below = 0;
  guint64 above = self->n;

  *budget -= self->n / VALUES_A_UNIT;
  for (guint64 i = 0; i < above;)
    {
      if (self->work[i] < pivot)
        swap (&self->work[i++], &self->work[below++]);
      else if (self->work[i] > pivot)
        swap (&self->work[i], &self->work[--above]);
      else
        i++;
    }

  if (self->rank < below)
    self->n = below;
  else if (self->rank < above)
    {
      self->low = pivot;
      return METRICS_SELECT_DONE;
    }
  else
    {
      self->rank -= above;
      self->n -= above;
      memmove (self->work, self->work + above, self->n * sizeof *self->work);
    }
  return METRICS_SELECT_WORK;
}

/**
 * metrics_select_get:
 * @self: where it is done
 *
 * Returns: the value
 */
double
metrics_select_get (const MetricsSelect *self)
{
  return to_double (self->low);
}
