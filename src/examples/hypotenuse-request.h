/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gsize hypotenuse_find_begin (const char *data, gsize length);
gsize hypotenuse_find_end (const char *data, gsize length);
gboolean hypotenuse_read_legs (const char *request, gsize length, double *a, double *b, GError **error);

G_END_DECLS
