/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-integers.h"

G_BEGIN_DECLS

/* How a number becomes an integer. */
typedef enum
{
  METRICS_SCALE_DIVIDE,   /* it is an integer divided by a power of ten: what a person wrote */
  METRICS_SCALE_MULTIPLY, /* an integer times a negative power of ten: what a program scaled */
  METRICS_SCALE_BITS,     /* its bits, in the order of the numbers */
} MetricsScale;

/* How many bytes a list of @n numbers takes at most. */
#define METRICS_DECIMALS_MAX_SIZE(n) (1 + METRICS_INTEGERS_MAX_SIZE (n))

/**
 * MetricsDecimals:
 * @scale: how the numbers became integers
 * @exponent: of ten
 * @integers: the integers
 * @n_exceptions: how many numbers are none of these
 * @positions: (nullable): which they are, a byte each
 * @exceptions: (nullable): they, eight bytes each
 *
 * A list of doubles in its coded form, all of it checked but what
 * metrics_decimals_check() says and whether they are finite.
 */
typedef struct
{
  MetricsScale scale;
  guint exponent;
  MetricsIntegers integers;
  guint n_exceptions;
  const guint8 *positions;
  const guint8 *exceptions;
} MetricsDecimals;

guint8 *metrics_decimals_encode (guint8 *data, const double *values, guint n);

gboolean metrics_decimals_open (MetricsDecimals *self, MetricsBytes *bytes, guint64 n);
gboolean metrics_decimals_check (const MetricsDecimals *self);
gboolean metrics_decimals_is_constant (const MetricsDecimals *self);
double metrics_decimals_get_first (const MetricsDecimals *self);
void metrics_decimals_decode (const MetricsDecimals *self, double *values);

gboolean metrics_decimals_decode_integers (const MetricsDecimals *self, gint64 *integers);
double metrics_decimals_get_power (guint exponent);
double metrics_decimals_scale (MetricsScale scale, guint exponent, double integer);

G_END_DECLS
