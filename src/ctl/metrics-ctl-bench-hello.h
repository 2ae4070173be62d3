/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-dialect.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The beginning of a connection, and the ways in which one fails. */

gboolean metrics_bench_hello (int fd,
                              const MetricsBenchDialect *dialect,
                              guint timeout_msec,
                              GCancellable *cancellable,
                              GError **error);

gboolean metrics_bench_fail_with_errno (int number, GError **error);
gboolean metrics_bench_fail_as_closed (GError **error);
gboolean metrics_bench_fail_as_nonsense (GError **error);

G_END_DECLS
