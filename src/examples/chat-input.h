/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that a message may have, with its LF. */
#define CHAT_MESSAGE_LIMIT 1024

/**
 * ChatInput:
 *
 * What a client has sent, and where a message of it ends.
 *
 * Some clients end each message with LF. Others never do: of them every read is a message. Which kind it is
 * shows with its first LF; until then a read is held for a moment, in which the rest of a line may come.
 */
typedef struct
{
  gboolean has_lines; /* an LF has come, so its messages are lines */
  gsize due;          /* bytes, the first in the buffer, that are a message */
  gsize held;         /* bytes behind them that are a message, unless an LF comes soon */
  gsize length;       /* bytes in the buffer: behind those, the beginning of a line or of a character */
  char buffer[2 * CHAT_MESSAGE_LIMIT];
} ChatInput;

char *chat_input_get_space (ChatInput *self, gsize *size);
void chat_input_add (ChatInput *self, gsize n);
void chat_input_release (ChatInput *self, gboolean is_end);

gboolean chat_input_is_held (ChatInput *self);
gboolean chat_input_is_too_long (ChatInput *self);
char *chat_input_take (ChatInput *self, gsize *length, gboolean *is_line);

G_END_DECLS
