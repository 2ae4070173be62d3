/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"

G_BEGIN_DECLS

/**
 * MetricsHttpExposition:
 * @METRICS_HTTP_EXPOSITION_TEXT: Prometheus's text format, version 0.0.4
 * @METRICS_HTTP_EXPOSITION_OPENMETRICS: OpenMetrics, version 1.0.0
 *
 * A format in which figures are told to who collects them.
 */
typedef enum
{
  METRICS_HTTP_EXPOSITION_TEXT,
  METRICS_HTTP_EXPOSITION_OPENMETRICS,
} MetricsHttpExposition;

/**
 * MetricsHttpFamily:
 * @METRICS_HTTP_FAMILY_VALUE: the last value of each key
 * @METRICS_HTTP_FAMILY_TIME: its timestamp
 *
 * What is told of keys. All samples of a family stand together.
 */
typedef enum
{
  METRICS_HTTP_FAMILY_VALUE,
  METRICS_HTTP_FAMILY_TIME,
} MetricsHttpFamily;

const char *metrics_http_exposition_get_type (MetricsHttpExposition self);

void metrics_http_exposition_append_figure (MetricsHttpExposition self,
                                            GString *out,
                                            const char *figure,
                                            guint64 value);
void metrics_http_exposition_append_build (MetricsHttpExposition self, GString *out, const char *version);
void metrics_http_exposition_append_family (MetricsHttpExposition self,
                                            GString *out,
                                            MetricsHttpFamily family);
void metrics_http_exposition_append_point (GString *out,
                                           MetricsHttpFamily family,
                                           const char *key,
                                           gsize key_len,
                                           MetricsPoint point);
void metrics_http_exposition_append_end (MetricsHttpExposition self, GString *out);

G_END_DECLS
