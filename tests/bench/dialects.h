/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-dialect.h"

G_BEGIN_DECLS

/* How the peers are spoken to: each as its own clients do it where they want speed. */

extern const MetricsBenchDialect bench_dialect_star; /* the line protocol, with `get *` */
extern const MetricsBenchDialect
    bench_dialect_baseline; /* the line protocol, with the answers of baseline.c */
extern const MetricsBenchDialect bench_dialect_redis_hset; /* a hash a series, time to value */
extern const MetricsBenchDialect bench_dialect_redis_zadd; /* a sorted set a series, by time */
extern const MetricsBenchDialect bench_dialect_graphite;   /* carbon's plain text, which has no answers */
extern const MetricsBenchDialect bench_dialect_rrdcached;
extern const MetricsBenchDialect bench_dialect_influx;   /* HTTP: 5,000 points a request */
extern const MetricsBenchDialect bench_dialect_victoria; /* HTTP: for reading what was put as graphite */

gssize bench_http_parse (MetricsBenchReply *reply, const char *bytes, gsize n_bytes, char counted);

G_END_DECLS
