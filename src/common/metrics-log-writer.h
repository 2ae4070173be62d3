/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-event.h"

G_BEGIN_DECLS

/* No line on standard error is longer, LF included: a pipe takes so much in one piece (PIPE_BUF). */
#define METRICS_LOG_LINE 4096

void metrics_log_writer_install (void);
void metrics_log_writer_set_level (MetricsPriority priority);
void metrics_log_writer_set_hasty (gboolean hasty);

char *metrics_log_escape (const char *text, gssize len, gsize limit);

G_END_DECLS
