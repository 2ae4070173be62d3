/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "chat-message.h"
#include "example.h"

G_BEGIN_DECLS

typedef struct ChatOutbox ChatOutbox;

ChatOutbox *chat_outbox_new (Example *example, GSocketConnection *connection);
void chat_outbox_close (ChatOutbox *self);

void chat_outbox_use_lines (ChatOutbox *self);
void chat_outbox_push (ChatOutbox *self, ChatMessage *message);
void chat_outbox_refuse (ChatOutbox *self, const char *reason);
gboolean chat_outbox_has_failed (ChatOutbox *self);

G_END_DECLS
