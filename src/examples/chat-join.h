/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example-link.h"

G_BEGIN_DECLS

const char *chat_join_get_room (int argc, char **argv);

void chat_join_async (ExampleLink *link, const char *room, GAsyncReadyCallback callback, gpointer user_data);
gboolean chat_join_finish (GAsyncResult *result, GError **error);

G_END_DECLS
