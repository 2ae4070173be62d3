/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

GFile *marks_page_find (const char *path);
void marks_page_answer (SoupServerMessage *message, GFile *page);

G_END_DECLS
