/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-config.h"

G_BEGIN_DECLS

typedef struct _MetricsReloader MetricsReloader;

/**
 * MetricsReloadFunc:
 * @config: (transfer full): a configuration that is right
 * @user_data: what was given to metrics_reloader_new()
 *
 * Does what the configuration says from now on.
 */
typedef void (*MetricsReloadFunc) (MetricsConfig *config, gpointer user_data);

MetricsReloader *metrics_reloader_new (const MetricsOptions *options,
                                       MetricsReloadFunc func,
                                       gpointer user_data);
void metrics_reloader_stop (MetricsReloader *self);
void metrics_reloader_free (MetricsReloader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsReloader, metrics_reloader_free)

G_END_DECLS
