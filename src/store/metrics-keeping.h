/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-retention.h"

G_BEGIN_DECLS

/**
 * MetricsKeeping:
 * @retention: (unowned) (nullable): how long points are kept; %NULL for ever
 * @safe_from: from this time on no rule has to be looked at; %G_MININT64 where there are none
 * @n_expired: how many points sweeps have deleted
 *
 * What a store knows of retention.
 */
typedef struct
{
  const MetricsRetention *retention;
  gint64 safe_from;
  guint64 n_expired;
} MetricsKeeping;

void metrics_keeping_set (MetricsKeeping *self, const MetricsRetention *retention, gint64 now);
gboolean metrics_keeping_refuses (const MetricsKeeping *self,
                                  const char *key,
                                  gsize key_len,
                                  gint64 time,
                                  GError **error);

G_END_DECLS
