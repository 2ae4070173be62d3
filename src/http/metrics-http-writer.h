/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-body.h"
#include "store/metrics-query.h"

G_BEGIN_DECLS

/**
 * MetricsHttpWriter:
 *
 * Writes rows down, one behind the other. It lives inside of what answers; its fields are its own.
 */
typedef struct
{
  MetricsHttpFormat format;
  gboolean is_of_keys; /* whether the rows are those of KEYS */
  guint64 n_series;    /* written so far */
  GString *key;        /* (owned): of the series at which it is */
  GString *field;      /* (owned): of CSV: the same as a field */
} MetricsHttpWriter;

void metrics_http_writer_init (MetricsHttpWriter *self, MetricsHttpFormat format, gboolean is_of_keys);
void metrics_http_writer_clear (MetricsHttpWriter *self);

void metrics_http_writer_begin (MetricsHttpWriter *self, GString *out);
void metrics_http_writer_add (MetricsHttpWriter *self, const MetricsQueryRow *row, GString *out);
void metrics_http_writer_end (MetricsHttpWriter *self, GString *out);

G_END_DECLS
