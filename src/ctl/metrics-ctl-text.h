/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Times and numbers as people write and read them. */

/* How many characters a number has at most where there is little room. */
#define METRICS_CTL_SHORT_MAX 10

gboolean metrics_ctl_parse_time (const char *text, gint64 open, gint64 *time);
gboolean metrics_ctl_parse_step (const char *text, gint64 *seconds);

char *metrics_ctl_format_time (gint64 time);
char *metrics_ctl_format_number (double value);
char *metrics_ctl_format_short (double value);
char *metrics_ctl_format_integer (gint64 value);

char *metrics_ctl_escape (const char *bytes, gsize n_bytes, gsize max);
gsize metrics_ctl_text_width (const char *text);

G_END_DECLS
