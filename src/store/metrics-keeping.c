/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-keeping.h"

#include "common/metrics-key.h"

/* A put compares the time of its point with one number, and only where the point is older looks at the clock
 * and at the rules. The number is the latest cutoff there is, and some time more, in which it need not be set
 * again though cutoffs move on. */
#define LEEWAY (5 * 60)

/**
 * metrics_keeping_set:
 * @self: what a store knows
 * @retention: (nullable): the rules; they have to live until others are set
 * @now: the time now, in seconds since the Unix epoch
 *
 * Sets the rules. To be called again every few minutes, and when the clock was set: a put that is too old
 * could pass else, and be swept later.
 */
void
metrics_keeping_set (MetricsKeeping *self, const MetricsRetention *retention, gint64 now)
{
  gint64 latest = retention != NULL ? metrics_retention_get_latest_cutoff (retention, now) : G_MININT64;

  self->retention = retention;
  self->safe_from = latest > G_MININT64 ? latest + MIN (LEEWAY, G_MAXINT64 - MAX (latest, 0)) : G_MININT64;
}

/**
 * metrics_keeping_refuses:
 * @self: what a store knows
 * @key: (array length=key_len): a key
 * @key_len: its length in bytes
 * @time: the time of a point that is to be put, before @safe_from
 * @error: return location for a #GError
 *
 * Returns: whether the point is too old to be kept
 */
gboolean
metrics_keeping_refuses (const MetricsKeeping *self,
                         const char *key,
                         gsize key_len,
                         gint64 time,
                         GError **error)
{
  /* What is rolled up is kept by other rules. */
  return !metrics_key_is_hidden (key, key_len)
         && !metrics_retention_check (self->retention, key, key_len, time,
                                      g_get_real_time () / G_USEC_PER_SEC, error);
}
