/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example-link.h"

G_BEGIN_DECLS

void example_link_ask_async (ExampleLink *self,
                             const char *request,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
char *example_link_ask_finish (ExampleLink *self, GAsyncResult *result, GError **error);

G_END_DECLS
