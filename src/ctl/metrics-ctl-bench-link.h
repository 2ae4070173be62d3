/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-histogram.h"
#include "ctl/metrics-ctl-bench-script.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The most that is received at once. */
#define METRICS_BENCH_RECEIVE_MAX (128 * 1024)

/**
 * MetricsBenchTally:
 * @n_sent: requests that were sent whole
 * @n_answered: requests that were answered
 * @n_refused: how many of these the server did not carry out
 * @refusal: what it said to the first of these
 * @n_points_read: points that came in answers
 * @bytes_sent: of requests
 * @bytes_received: of answers
 * @latencies: (owned): from a request's sending to its answer, in nanoseconds
 *
 * What has happened, over all connections.
 */
typedef struct
{
  guint64 n_sent;
  guint64 n_answered;
  guint64 n_refused;
  char refusal[METRICS_BENCH_LINE_MAX];
  guint64 n_points_read;
  guint64 bytes_sent;
  guint64 bytes_received;
  MetricsBenchHistogram *latencies;
} MetricsBenchTally;

/* What the connections of an engine have in common: the dialect, and room for what is received. */
typedef struct _MetricsBenchCommon MetricsBenchCommon;

MetricsBenchCommon *metrics_bench_common_new (const MetricsBenchDialect *dialect);
void metrics_bench_common_free (MetricsBenchCommon *self);

/* A connection that carries out a script: sends, receives, checks, and never waits. */
typedef struct _MetricsBenchLink MetricsBenchLink;

MetricsBenchLink *metrics_bench_link_new (GSocket *socket, MetricsBenchCommon *common);
void metrics_bench_link_free (MetricsBenchLink *self);

int metrics_bench_link_get_fd (const MetricsBenchLink *self);

void metrics_bench_link_begin (MetricsBenchLink *self,
                               const MetricsBenchScript *script,
                               guint depth,
                               MetricsBenchTally *tally);
gboolean metrics_bench_link_send (MetricsBenchLink *self, GError **error);
gboolean metrics_bench_link_receive (MetricsBenchLink *self,
                                     gboolean may_wait,
                                     gsize *n_bytes,
                                     GError **error);
gboolean metrics_bench_link_is_waiting (const MetricsBenchLink *self);
gboolean metrics_bench_link_is_done (const MetricsBenchLink *self);

void metrics_bench_link_drain (MetricsBenchLink *self, gint64 deadline);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchLink, metrics_bench_link_free)

G_END_DECLS
