/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

const char *chat_join_get_room (int argc, char **argv);

void chat_join_async (Example *example, const char *room, GAsyncReadyCallback callback, gpointer user_data);
GSocketConnection *chat_join_finish (GAsyncResult *result, GError **error);

void chat_join_lost (Example *example, const GError *error);

G_END_DECLS
