/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-body.h"

G_BEGIN_DECLS

const char *metrics_http_accept_choose (const char *accept, const char *const *types);
MetricsHttpFormat metrics_http_accept_read_type (const char *content_type, gboolean *has_header);

G_END_DECLS
