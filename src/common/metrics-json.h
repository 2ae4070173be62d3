/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void metrics_json_append_string (GString *json, const char *text);
void metrics_json_append_string_len (GString *json, const char *text, gsize len);
void metrics_json_append_double (GString *json, double value);
void metrics_json_append_int64 (GString *json, gint64 value);

G_END_DECLS
