/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char **even_numbers_protect (int *argc, char **argv);
gint64 *even_numbers_parse (char *const *texts, GError **error);

G_END_DECLS
