/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-message.h"

/* Makes one that is empty as yet. */
ChatMessage *
chat_message_new (gint64 since)
{
  ChatMessage *self = g_rc_box_new0 (ChatMessage);

  self->text = g_string_new (NULL);
  self->since = since;
  return self;
}

static void
message_clear (gpointer data)
{
  ChatMessage *self = data;

  g_string_free (self->text, TRUE);
}

ChatMessage *
chat_message_ref (ChatMessage *self)
{
  return g_rc_box_acquire (self);
}

void
chat_message_unref (ChatMessage *self)
{
  g_rc_box_release_full (self, message_clear);
}

/* Adds a message, which has no LF here; IS_LINE says whether it came with one. Before it is sent. */
void
chat_message_add (ChatMessage *self, const char *text, gsize length, gboolean is_line)
{
  g_string_append_len (self->text, text, length);
  g_string_append_c (self->text, '\n');
  self->n_messages++;
  self->was_line = is_line;
}
