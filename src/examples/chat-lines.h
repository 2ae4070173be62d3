/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct ChatLines ChatLines;

ChatLines *chat_lines_new (GInputStream *stream);

void chat_lines_next_async (ChatLines *self, GAsyncReadyCallback callback, gpointer user_data);
char *chat_lines_next_finish (ChatLines *self, GAsyncResult *result, GError **error);

G_END_DECLS
