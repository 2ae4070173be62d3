/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsPoint:
 * @time: when; by convention seconds since the Unix epoch, but nothing depends on the unit
 * @value: what was measured; always finite
 *
 * One point of a series.
 */
typedef struct
{
  gint64 time;
  double value;
} MetricsPoint;

G_END_DECLS
