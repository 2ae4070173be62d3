/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "chat-outbox.h"

G_BEGIN_DECLS

/* Who is in a room: its outboxes, in the order in which they came. */
typedef GQueue ChatRoom;

ChatRoom *chat_room_get (char name);
void chat_room_enter (ChatRoom *self, GList *link);
void chat_room_leave (ChatRoom *self, GList *link);
void chat_room_send (ChatRoom *self, ChatMessage *message);

G_END_DECLS
