/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-engine.h"

G_BEGIN_DECLS

/**
 * MetricsBenchSize:
 * @points: how many points are put, or are there to be read
 * @series: in how many series, at most @points
 * @connections: over how many connections at once
 * @depth: how many requests of a connection may be without an answer; 0 is as many as can be sent
 * @requests: how many puts are sent one by one
 * @reads: how many times is read
 * @warm_up: how many requests a connection come before those that are measured
 * @first_step: how many steps of the series are there already
 *
 * How much work there is, over all connections. As given, negative is what fits the workload.
 */
typedef struct
{
  int points;
  int series;
  int connections;
  int depth;
  int requests;
  int reads;
  int warm_up;
  int first_step;
} MetricsBenchSize;

/* Something to measure, by its name. */
typedef struct _MetricsBenchWorkload MetricsBenchWorkload;

/**
 * MetricsBenchResult:
 * @workload: (unowned): what was measured
 * @size: how much, nothing left open
 * @n_requests: how many requests there were to be answered
 * @n_points_put: how many points these put
 * @tally: what happened, also where it was ended early
 * @seconds: how long it took
 *
 * What was measured. To be cleared with metrics_bench_result_clear().
 */
typedef struct
{
  const MetricsBenchWorkload *workload;
  MetricsBenchSize size;
  guint64 n_requests;
  guint64 n_points_put;
  MetricsBenchTally tally;
  double seconds;
} MetricsBenchResult;

void metrics_bench_result_clear (MetricsBenchResult *self);
gboolean metrics_bench_result_is_broken_off (const MetricsBenchResult *self);
guint64 metrics_bench_result_count_points (const MetricsBenchResult *self);

const MetricsBenchWorkload *metrics_bench_workload_find (const char *name);
const char *metrics_bench_workload_get_name (const MetricsBenchWorkload *self);
gboolean metrics_bench_workload_is_read (const MetricsBenchWorkload *self);
MetricsBenchSize metrics_bench_workload_fill_size (const MetricsBenchWorkload *self,
                                                   const MetricsBenchSize *given);
const char *metrics_bench_workload_check_size (const MetricsBenchWorkload *self,
                                               const MetricsBenchSize *size);

/* Workloads against one server, one after the other; what one has put the next may read. */
typedef struct _MetricsBenchSession MetricsBenchSession;

MetricsBenchSession *metrics_bench_session_new (MetricsBenchEngine *engine,
                                                const MetricsBenchDialect *dialect,
                                                const char *prefix,
                                                gint64 start);
void metrics_bench_session_free (MetricsBenchSession *self);

void metrics_bench_session_assume_put (MetricsBenchSession *self,
                                       const MetricsBenchWorkload *workload,
                                       const MetricsBenchSize *size);
gboolean metrics_bench_session_prepare (MetricsBenchSession *self,
                                        const MetricsBenchWorkload *workload,
                                        const MetricsBenchSize *size,
                                        GError **error);
gboolean metrics_bench_session_measure (MetricsBenchSession *self,
                                        MetricsBenchResult *result,
                                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBenchSession, metrics_bench_session_free)

G_END_DECLS
