/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GBufferedInputStream *example_line_open_input (void);
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
