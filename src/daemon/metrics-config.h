/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-retention.h"
#include "store/metrics-rollup-rules.h"

G_BEGIN_DECLS

/**
 * MetricsConfig:
 * @is_given: whether there is one; else there are no rules of any kind
 * @retention: how long points are kept
 * @rollup: what is kept of them in place of them
 *
 * What the configuration file says.
 */
typedef struct
{
  gboolean is_given;
  MetricsRetention *retention; /* (owned) */
  MetricsRollupRules *rollup;  /* (owned) */
} MetricsConfig;

MetricsConfig *metrics_config_load (const char *path, GError **error);
void metrics_config_free (MetricsConfig *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsConfig, metrics_config_free)

G_END_DECLS
