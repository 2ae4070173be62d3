/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-buffer.h"
#include "common/metrics-point.h"

G_BEGIN_DECLS

#define METRICS_REPLY_WRONG_COMMAND "wrong command"

void metrics_reply_begin (MetricsBuffer *out);
void metrics_reply_append_points (MetricsBuffer *out,
                                  const char *key,
                                  gsize key_len,
                                  const MetricsPoint *points,
                                  guint n_points);
void metrics_reply_append_key (MetricsBuffer *out,
                               const char *key,
                               gsize key_len,
                               guint64 n_points,
                               gint64 first,
                               gint64 last);
void metrics_reply_append_figure (MetricsBuffer *out, const char *name, guint64 value);
void metrics_reply_append_count (MetricsBuffer *out, guint64 count);
void metrics_reply_end (MetricsBuffer *out);

void metrics_reply_append_dropped (MetricsBuffer *out, guint64 n_points);
void metrics_reply_error (MetricsBuffer *out, const char *message);

/* The whole reply to most requests. */
static inline void
metrics_reply_ok (MetricsBuffer *out)
{
  metrics_buffer_append (out, "ok\n\n", 4);
}

G_END_DECLS
