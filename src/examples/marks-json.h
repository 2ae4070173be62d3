/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void marks_json_append_string (GString *json, const char *text);
GString *marks_json_format_error (guint status, const char *code, const char *where, const char *message);

G_END_DECLS
