/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *example_printable (const char *text, gssize length, glong max_characters);

G_END_DECLS
