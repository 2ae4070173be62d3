/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A mark is a whole number from 0. */
#define MARKS_BOOK_MAX_MARK 100
/* A name of a subject has so many characters. */
#define MARKS_BOOK_MAX_NAME 64

/* The subjects of students, with their marks, in memory. */
typedef struct MarksBook MarksBook;

MarksBook *marks_book_new (guint max_students);
void marks_book_free (MarksBook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MarksBook, marks_book_free)

gboolean marks_book_add (MarksBook *self, guint student, const char *subject, guint mark, GError **error);
GString *marks_book_format (MarksBook *self, guint student, const char *subject);

G_END_DECLS
