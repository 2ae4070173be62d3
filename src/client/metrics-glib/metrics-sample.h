/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * MetricsSample:
 * @key: whose point it is; belongs to the sample and must not be changed, replaced or freed
 * @value: what was measured; finite
 * @timestamp: when; by convention seconds since the Unix epoch
 *
 * A point together with its key.
 *
 * Samples of the same key share the memory of it, so that a long answer costs little more than its numbers.
 *
 * Since: 0.1
 */
typedef struct
{
  char *key;
  double value;
  gint64 timestamp;
} MetricsSample;

#define METRICS_TYPE_SAMPLE (metrics_sample_get_type ())
GType metrics_sample_get_type (void);

MetricsSample *metrics_sample_new (const char *key, double value, gint64 timestamp);
MetricsSample *metrics_sample_copy (const MetricsSample *self);
void metrics_sample_free (MetricsSample *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSample, metrics_sample_free)

G_END_DECLS
