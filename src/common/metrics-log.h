/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-event.h"

G_BEGIN_DECLS

/**
 * MetricsLogValue:
 * @field: which field; %METRICS_N_FIELDS ends a list
 * @text: (nullable): its value; %NULL where that is a number
 * @number: the number
 *
 * A field of an entry.
 */
typedef struct
{
  MetricsField field;
  const char *text; /* (unowned) */
  guint64 number;
} MetricsLogValue;

/* The fields of a message: METRICS_FIELDS (METRICS_TEXT (CLIENT, name), METRICS_NUMBER (LIMIT, 20)). */
#define METRICS_TEXT(name, value)                                                                            \
  {                                                                                                          \
    METRICS_FIELD_##name, (value), 0                                                                         \
  }
#define METRICS_NUMBER(name, value)                                                                          \
  {                                                                                                          \
    METRICS_FIELD_##name, NULL, (value)                                                                      \
  }
#define METRICS_FIELDS(...) ((const MetricsLogValue[]){ __VA_ARGS__, { METRICS_N_FIELDS, NULL, 0 } })
#define METRICS_NO_FIELDS NULL

/**
 * metrics_log:
 * @event: what has come about
 * @...: its fields, METRICS_FIELDS () or METRICS_NO_FIELDS; then the message, translated, as for printf()
 *
 * Says it to the administrator, unless it was said too often. From any thread.
 */
#define metrics_log(event, ...)                                                                              \
  metrics_log_full ((event), __FILE__, G_STRINGIFY (__LINE__), G_STRFUNC, __VA_ARGS__)

gboolean metrics_log_is_due (MetricsEvent event);
void metrics_log_full (MetricsEvent event,
                       const char *file,
                       const char *line,
                       const char *func,
                       const MetricsLogValue *values,
                       const char *format,
                       ...) G_GNUC_PRINTF (6, 7);
void metrics_log_flush (void);

/**
 * MetricsLogClockFunc:
 *
 * Returns: microseconds of a clock that is never set
 */
typedef gint64 (*MetricsLogClockFunc) (void);

void metrics_log_set_clock (MetricsLogClockFunc func);

G_END_DECLS
