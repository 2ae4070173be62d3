/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* How many points one message may put. */
#define METRICS_BUS_MAX_POINTS 100000

gboolean metrics_bus_arguments_check_options (GVariant *options, GError **error);
gboolean metrics_bus_arguments_take_now (GVariant *options, gboolean *now, GError **error);

gboolean metrics_bus_arguments_check_key (const char *key, GError **error);
gboolean metrics_bus_arguments_check_pattern (const char *pattern, GError **error);
gboolean metrics_bus_arguments_check_point (const char *key, double value, GError **error);
gboolean metrics_bus_arguments_take_buckets (gint64 step,
                                             const char *function,
                                             MetricsQuerySpec *spec,
                                             GError **error);

G_END_DECLS
