/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MetricsHttpGzip MetricsHttpGzip;

MetricsHttpGzip *metrics_http_gzip_new (void);
void metrics_http_gzip_free (MetricsHttpGzip *self);
void metrics_http_gzip_write (MetricsHttpGzip *self,
                              const char *data,
                              gsize len,
                              gboolean is_end,
                              GString *out);

GBytes *metrics_http_gzip_bytes (GBytes *bytes);

G_END_DECLS
