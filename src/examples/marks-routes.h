/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "marks-book.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

void marks_routes_fail (SoupServerMessage *message,
                        guint status,
                        const char *code,
                        const char *where,
                        const char *reason);
gboolean marks_routes_allow (SoupServerMessage *message, const char *methods);
void marks_routes_answer_subjects (SoupServerMessage *message, const char *student, MarksBook *book);

G_END_DECLS
