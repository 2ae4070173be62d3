/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean metrics_time_parse (const char *text, gsize len, gint64 now, gint64 open, gint64 *time);
gboolean metrics_time_parse_span (const char *text, gsize len, gint64 *seconds);

G_END_DECLS
