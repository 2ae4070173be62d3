/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-input.h"

#include <string.h>

/* How many of those bytes are there without a character at the end of which the rest has not come. What is no
 * text at all is none that could still become one. */
static gsize
whole_characters (const char *data, gsize length)
{
  const char *end;
  gsize rest;

  if (g_utf8_validate_len (data, length, &end))
    return length;
  rest = data + length - end;
  if (rest < 4 && memchr (end, '\0', rest) == NULL && g_utf8_get_char_validated (end, rest) == (gunichar) -2)
    return length - rest;
  return length;
}

/* Returns: where the next read goes to, which may bring as much as a message has; SIZE is set to that.
 * Nothing that is due has been left there. */
char *
chat_input_get_space (ChatInput *self, gsize *size)
{
  *size = CHAT_MESSAGE_LIMIT - (self->length - self->held);
  return self->buffer + self->length;
}

/* Takes note of N bytes, which a read has brought. */
void
chat_input_add (ChatInput *self, gsize n)
{
  const char *added = self->buffer + self->length;

  self->length += n;
  if (!self->has_lines && memchr (added, '\n', n) != NULL)
    {
      /* What was held is the beginning of that line. */
      self->has_lines = TRUE;
      self->held = 0;
    }
  if (!self->has_lines)
    {
      self->due = self->held;
      self->held = whole_characters (self->buffer + self->due, self->length - self->due);
    }
}

/* What is held is a message: nothing came in time, or nothing will come any more. With IS_END that holds for
 * all that is there: some clients do not end their last line, but close their side. */
void
chat_input_release (ChatInput *self, gboolean is_end)
{
  self->due = is_end ? self->length : self->held;
  self->held = 0;
}

/* Returns: whether there is a read that is a message if nothing more comes */
gboolean
chat_input_is_held (ChatInput *self)
{
  return self->held > 0;
}

/* Returns: whether the next message is a line that is too long */
gboolean
chat_input_is_too_long (ChatInput *self)
{
  return self->has_lines && self->length >= CHAT_MESSAGE_LIMIT
         && memchr (self->buffer, '\n', CHAT_MESSAGE_LIMIT) == NULL;
}

/* Takes out the next message; IS_LINE is set to whether it had an LF, LENGTH to that without it, or CR LF.
 *
 * Returns: (transfer full) (nullable): the message, with a 0 behind it; %NULL: no whole one is there */
char *
chat_input_take (ChatInput *self, gsize *length, gboolean *is_line)
{
  const char *end = memchr (self->buffer, '\n', self->length);
  char *message;

  *is_line = end != NULL;
  if (end != NULL)
    self->due = end - self->buffer + 1;
  if (self->due == 0)
    return NULL;
  *length = self->due;
  if (end != NULL)
    *length -= end > self->buffer && end[-1] == '\r' ? 2 : 1;
  message = g_malloc (*length + 1);
  memcpy (message, self->buffer, *length);
  message[*length] = '\0';
  self->length -= self->due;
  memmove (self->buffer, self->buffer + self->due, self->length);
  self->due = 0;
  return message;
}
