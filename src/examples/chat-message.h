/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ChatMessage:
 * @text: the messages of one read, each with LF
 * @n_messages: how many
 * @was_line: whether the last one had that LF when it came
 * @since: when they came, by g_get_monotonic_time()
 *
 * What goes to everybody in a room. It has a count of references: however many queues it waits in, its bytes
 * are there once, and nobody changes them any more.
 */
typedef struct
{
  GString *text; /* (owned) */
  guint n_messages;
  gboolean was_line;
  gint64 since;
} ChatMessage;

ChatMessage *chat_message_new (gint64 since);
ChatMessage *chat_message_ref (ChatMessage *self);
void chat_message_unref (ChatMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatMessage, chat_message_unref)

void chat_message_add (ChatMessage *self, const char *text, gsize length, gboolean is_line);

G_END_DECLS
