/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-request.h"
#include "common/metrics-buffer.h"
#include <metrics-glib/metrics-client.h>

G_BEGIN_DECLS

/* The longest line that asks to put a point. */
#define METRICS_REQUEST_MAX_PUT 1100

gsize metrics_request_write_put (char *out, const char *key, gsize key_len, double value, gint64 timestamp);

MetricsRequest *metrics_request_new_ping (void);
MetricsRequest *metrics_request_new_put (const char *key, double value, gint64 timestamp);
MetricsRequest *metrics_request_new_put_batch (GBytes *text, guint n_lines);
MetricsRequest *metrics_request_new_get (const char *key);
MetricsRequest *metrics_request_new_get_all (void);
MetricsRequest *metrics_request_new_last (const char *pattern);
MetricsRequest *metrics_request_new_range (const char *pattern, gint64 from, gint64 to);
MetricsRequest *metrics_request_new_range_buckets (const char *pattern,
                                                   gint64 from,
                                                   gint64 to,
                                                   gint64 step,
                                                   MetricsFunction function);
MetricsRequest *metrics_request_new_keys (const char *pattern);
MetricsRequest *metrics_request_new_delete (const char *pattern);
MetricsRequest *metrics_request_new_delete_range (const char *pattern, gint64 from, gint64 to);
MetricsRequest *metrics_request_new_stats (void);
MetricsRequest *metrics_request_new_watch (const char *const *patterns);
MetricsRequest *metrics_request_new_stream (const char *pattern, gint64 from, gint64 to);

G_END_DECLS
