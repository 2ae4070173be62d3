/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-collector.h"

#include <glibtop/cpu.h>

G_BEGIN_DECLS

/* Shared by the files that read one kind of figure each. */
struct _MetricsCollector
{
  GString *key;     /* (owned): the prefix and a dot; what is emitted is put behind them for a moment */
  gsize prefix_len; /* bytes of @key that stay */
  glibtop_cpu *cpu_before;   /* (owned): the counters of the reading before; all zero before the first */
  MetricsCollectorFunc func; /* of the reading under way */
  gpointer user_data;        /* (unowned): for @func */
};

void metrics_collector_emit (MetricsCollector *self, double value, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
void metrics_collector_emit_percent (MetricsCollector *self,
                                     double part,
                                     double whole,
                                     const char *format,
                                     ...) G_GNUC_PRINTF (4, 5);

void metrics_collector_read_cpu (MetricsCollector *self);
void metrics_collector_read_file_systems (MetricsCollector *self);
void metrics_collector_read_network (MetricsCollector *self);

G_END_DECLS
