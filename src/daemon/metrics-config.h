/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-retention.h"

G_BEGIN_DECLS

/**
 * MetricsConfig:
 * @retention: how long points are kept
 *
 * What the configuration file says.
 */
typedef struct
{
  MetricsRetention *retention; /* (owned) */
} MetricsConfig;

MetricsConfig *metrics_config_load (const char *path, GError **error);
void metrics_config_free (MetricsConfig *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsConfig, metrics_config_free)

G_END_DECLS
