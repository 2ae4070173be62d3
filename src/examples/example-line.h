/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a line of standard input may have, where nothing else is said. */
#define EXAMPLE_LINE_LIMIT 4096

GBufferedInputStream *example_line_open_input (gsize limit);
void example_line_prompt (const char *text);

void example_line_read_async (GBufferedInputStream *input,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
char *example_line_read_finish (GBufferedInputStream *input,
                                GAsyncResult *result,
                                gsize *length,
                                GError **error);

G_END_DECLS
