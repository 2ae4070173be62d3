/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-log-bucket.h"

/* Gives back the tokens whose time has come. */
static void
fill (MetricsLogBucket *self, gint64 now)
{
  gint64 n_back = (now - self->since) / METRICS_LOG_BUCKET_INTERVAL;

  if (n_back <= 0)
    return;
  if (n_back >= self->n_used)
    self->n_used = 0;
  else
    self->n_used -= n_back;
  self->since += n_back * METRICS_LOG_BUCKET_INTERVAL;
}

/**
 * metrics_log_bucket_check:
 * @self: a bucket
 * @burst: how many tokens it has when it is full
 * @now: the time, in microseconds
 *
 * Looks whether there is a token, and counts a suppressed message where there is none.
 *
 * Returns: whether there is one
 */
gboolean
metrics_log_bucket_check (MetricsLogBucket *self, guint burst, gint64 now)
{
  fill (self, now);
  if (self->n_used < burst)
    return TRUE;
  self->n_suppressed += self->n_suppressed < G_MAXUINT;
  return FALSE;
}

/**
 * metrics_log_bucket_take:
 * @self: a bucket
 * @burst: how many tokens it has when it is full
 * @now: the time, in microseconds
 *
 * Takes a token; else as metrics_log_bucket_check().
 *
 * Returns: whether there was one
 */
gboolean
metrics_log_bucket_take (MetricsLogBucket *self, guint burst, gint64 now)
{
  if (!metrics_log_bucket_check (self, burst, now))
    return FALSE;
  if (self->n_used == 0)
    self->since = now;
  self->n_used++;
  return TRUE;
}

/**
 * metrics_log_bucket_take_suppressed:
 * @self: a bucket
 *
 * Returns: how many messages were suppressed since this was last asked
 */
guint
metrics_log_bucket_take_suppressed (MetricsLogBucket *self)
{
  guint n = self->n_suppressed;

  self->n_suppressed = 0;
  return n;
}
