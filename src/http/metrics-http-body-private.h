/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-body.h"

G_BEGIN_DECLS

MetricsHttpBodyState metrics_http_body_fail (MetricsHttpBody *self, char *where, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

gboolean metrics_http_body_take_key (MetricsHttpBody *self, const char *text, gsize len);
gboolean metrics_http_body_take_value (MetricsHttpBody *self, const char *text, gsize len);
gboolean metrics_http_body_take_timestamp (MetricsHttpBody *self, const char *text, gsize len);

void metrics_http_body_rewind_json (MetricsHttpBody *self);
MetricsHttpBodyState metrics_http_body_next_json (MetricsHttpBody *self, gint *budget);
char *metrics_http_body_name_place_json (const MetricsHttpBody *self, MetricsHttpField field);

void metrics_http_body_rewind_csv (MetricsHttpBody *self);
MetricsHttpBodyState metrics_http_body_next_csv (MetricsHttpBody *self, gint *budget);

G_END_DECLS
