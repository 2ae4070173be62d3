/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest text that metrics_number_print_double() writes ("-2.2250738585072014e-308"), and
 * metrics_number_print_int64() ("-9223372036854775808"). */
#define METRICS_NUMBER_MAX_DOUBLE 24
#define METRICS_NUMBER_MAX_INT64 20

gboolean metrics_number_parse_double (const char *text, gsize len, double *value);
gboolean metrics_number_parse_int64 (const char *text, gsize len, gint64 *value);

gsize metrics_number_print_double (char *out, double value);
gsize metrics_number_print_int64 (char *out, gint64 value);

G_END_DECLS
