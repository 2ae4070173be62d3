/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest prefix of the names, in bytes; what is put behind it always fits into a key. */
#define METRICS_COLLECTOR_PREFIX_MAX 512

/* For each figure of a reading; the key is valid until the call returns. */
typedef void (*MetricsCollectorFunc) (const char *key, double value, gpointer user_data);

/* Reads the figures of this machine. */
typedef struct _MetricsCollector MetricsCollector;

char *metrics_collector_get_default_prefix (void);

MetricsCollector *metrics_collector_new (const char *prefix, GError **error);
void metrics_collector_free (MetricsCollector *self);

void metrics_collector_read (MetricsCollector *self, MetricsCollectorFunc func, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCollector, metrics_collector_free)

G_END_DECLS
