/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-sample.h>

#include "client/metrics-sample-private.h"

/* Every sample that this file makes has a GRefString for its key. One that a program made itself, on its
 * stack say, may have anything there: copying it copies the text. */

G_DEFINE_BOXED_TYPE (MetricsSample, metrics_sample, metrics_sample_copy, metrics_sample_free)

/**
 * metrics_sample_new_shared:
 * @key: whose point it is; the sample takes a reference to it
 * @value: what was measured
 * @timestamp: when
 *
 * As metrics_sample_new(), but without a copy of the key: the samples of an answer share few keys.
 *
 * Returns: (transfer full): the sample
 */
MetricsSample *
metrics_sample_new_shared (GRefString *key, double value, gint64 timestamp)
{
  MetricsSample *self = g_new (MetricsSample, 1);

  self->key = g_ref_string_acquire (key);
  self->value = value;
  self->timestamp = timestamp;
  return self;
}

/**
 * metrics_sample_new:
 * @key: whose point it is
 * @value: what was measured
 * @timestamp: when; by convention seconds since the Unix epoch
 *
 * Makes a sample. Nothing is checked: it is for programs that want to keep their own points in the same form
 * as those that a server gave.
 *
 * Returns: (transfer full): the sample
 *
 * Since: 0.1
 */
MetricsSample *
metrics_sample_new (const char *key, double value, gint64 timestamp)
{
  MetricsSample *self;

  g_return_val_if_fail (key != NULL, NULL);

  self = g_new (MetricsSample, 1);
  self->key = g_ref_string_new (key);
  self->value = value;
  self->timestamp = timestamp;
  return self;
}

/**
 * metrics_sample_copy:
 * @self: a sample
 *
 * Copies a sample, its key as well: what [callback@SampleFunc] is given can be kept so.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
MetricsSample *
metrics_sample_copy (const MetricsSample *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return metrics_sample_new (self->key, self->value, self->timestamp);
}

/**
 * metrics_sample_free:
 * @self: (transfer full) (nullable): a sample
 *
 * Frees a sample that came from [ctor@Sample.new], [method@Sample.copy] or an answer.
 *
 * Since: 0.1
 */
void
metrics_sample_free (MetricsSample *self)
{
  if (self == NULL)
    return;
  g_ref_string_release (self->key);
  g_free (self);
}
