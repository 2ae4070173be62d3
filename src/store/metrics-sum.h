/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Adds numbers; all zero when it begins. */
typedef struct
{
  double small; /* of numbers far from the largest double */
  double small_error;
  double large; /* of the others, scaled down */
  double large_error;
} MetricsSum;

void metrics_sum_add (MetricsSum *self, double value);
void metrics_sum_add_times (MetricsSum *self, double value, guint64 n);
double metrics_sum_get (const MetricsSum *self, double divisor);

G_END_DECLS
