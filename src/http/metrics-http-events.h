/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-watcher.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpEvents MetricsHttpEvents;

/* How many bytes of points wait that were not made events yet, and how many of events are kept that were
 * sent: the first is a quarter of a second of 100,000 points, the second is what is under way to a client at
 * most, see metrics-http-stream.c. There is less of both where all who watch have much. */
#define METRICS_HTTP_EVENTS_QUEUE_LIMIT (1 << 20)
#define METRICS_HTTP_EVENTS_KEPT_LIMIT (384 << 10)

MetricsHttpEvents *metrics_http_events_new (MetricsStore *store, MetricsWatcherFunc wake, gpointer user_data);
void metrics_http_events_free (MetricsHttpEvents *self);

gboolean metrics_http_events_add (MetricsHttpEvents *self, const char *pattern, GError **error);
void metrics_http_events_tell_reset (MetricsHttpEvents *self);

const char *metrics_http_events_get_token (const MetricsHttpEvents *self);
gboolean metrics_http_events_resume (MetricsHttpEvents *self, guint64 number);

void metrics_http_events_append_hello (const MetricsHttpEvents *self, GString *out);
gboolean metrics_http_events_append_next (MetricsHttpEvents *self, GString *out, gint *budget);

gboolean metrics_http_events_parse_id (const char *id, char **token, guint64 *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpEvents, metrics_http_events_free)

G_END_DECLS
