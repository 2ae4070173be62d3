/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-dialect.h"

G_BEGIN_DECLS

/**
 * MetricsBenchAnswer:
 * @bytes: (owned) (nullable): what it has to be, byte for byte, where that is known
 * @n_points: how many points it has to bring
 * @key: (unowned): of the series, or the prefix of all
 *
 * What a read is to be answered with.
 */
typedef struct
{
  GString *bytes;
  guint64 n_points;
  const char *key;
} MetricsBenchAnswer;

/**
 * MetricsBenchScript:
 * @bytes: (owned): the requests, one after the other
 * @lengths: (owned) (element-type guint32): how long each is
 * @answers: (owned) (nullable) (element-type MetricsBenchAnswer): for each request, where they are reads
 * @n_requests: how many to send: beyond those that are there, the same again from the beginning
 * @n_points: how many points these put
 *
 * All that a connection sends and expects while it is measured, made before the clock starts.
 */
typedef struct
{
  GString *bytes;
  GArray *lengths;
  GArray *answers;
  guint64 n_requests;
  guint64 n_points;
} MetricsBenchScript;

GPtrArray *metrics_bench_scripts_new_puts (const MetricsBenchDialect *dialect,
                                           const MetricsBenchData *data,
                                           const guint32 *order,
                                           guint n_scripts);
GPtrArray *metrics_bench_scripts_new_reads (const MetricsBenchDialect *dialect,
                                            const MetricsBenchData *data,
                                            guint n_reads,
                                            guint n_scripts);
GPtrArray *metrics_bench_scripts_new_read_all (const MetricsBenchDialect *dialect,
                                               const MetricsBenchData *data,
                                               gboolean in_order,
                                               guint n_reads,
                                               guint n_scripts);
void metrics_bench_script_free (MetricsBenchScript *self);

G_END_DECLS
