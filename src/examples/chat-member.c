/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-member.h"

#include "chat-input.h"
#include "chat-room.h"

#include <string.h>

/**
 * ChatMember:
 *
 * One client, from its coming until it leaves. What is due to it then is its outbox's.
 *
 * It is read from when its socket has something, by a source that stays: so there is never a read under way
 * that would have to be called off when the client leaves for another reason.
 */
typedef struct
{
  Example *example;
  ChatOutbox *outbox; /* (owned) */
  GSource *source;    /* (owned) calls read_cb() while there is something to read */
  int hold_msec;
  guint timer;    /* until it names a room, or while a read of it is held */
  gint64 since;   /* when something came */
  ChatRoom *room; /* (unowned) (nullable) where it is */
  GList link;     /* in that room */
  ChatInput input;
} ChatMember;

static void
leave (ChatMember *self)
{
  if (self->room != NULL)
    chat_room_leave (self->room, &self->link);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  chat_outbox_close (self->outbox);
  g_free (self);
}

/* Adds what came as one message to what goes to the room. Returns: whether the client stays */
static gboolean
take_message (ChatMember *self, const char *text, gsize length, gboolean is_line, ChatMessage *message)
{
  if (length == 0)
    return TRUE;
  example_report_count (example_get_report (self->example), EXAMPLE_REQUESTS, 1);
  if (length == strlen ("exit") && memcmp (text, "exit", length) == 0)
    return FALSE;
  if (g_utf8_validate_len (text, length, NULL))
    chat_message_add (message, text, length, is_line);
  else
    /* There are readers whose end it would be. */
    chat_outbox_refuse (self->outbox, "not UTF-8, or with a 0 in it");
  return TRUE;
}

/* Sends all messages that are there to the room. Returns: whether the client stays */
static gboolean
take_messages (ChatMember *self)
{
  g_autoptr (ChatMessage) message = chat_message_new (self->since);
  gboolean stays = TRUE, is_too_long = FALSE, is_line;
  char *text;
  gsize length;

  if (self->input.has_lines)
    chat_outbox_use_lines (self->outbox);
  while (stays && !(is_too_long = chat_input_is_too_long (&self->input))
         && (text = chat_input_take (&self->input, &length, &is_line)) != NULL)
    {
      stays = take_message (self, text, length, is_line, message);
      g_free (text);
    }
  if (message->n_messages > 0)
    chat_room_send (self->room, message);
  if (is_too_long)
    chat_outbox_refuse (self->outbox, "a message has at most 1024 bytes, with its LF");
  return stays && !is_too_long;
}

/* Returns: whether the client has named a room that there can be */
static gboolean
join (ChatMember *self, char name)
{
  self->room = chat_room_get (name);
  if (self->room == NULL)
    {
      chat_outbox_refuse (self->outbox, "the first byte names the room: a printable ASCII character");
      return FALSE;
    }
  self->link.data = self->outbox;
  chat_room_enter (self->room, &self->link);
  return TRUE;
}

static gboolean
timer_cb (gpointer user_data)
{
  ChatMember *self = user_data;

  self->timer = 0;
  if (self->room == NULL)
    chat_outbox_refuse (self->outbox, "no room was named in time");
  else
    chat_input_release (&self->input, FALSE);
  if (self->room == NULL || !take_messages (self))
    leave (self);
  return G_SOURCE_REMOVE;
}

/* What a client has sent before it ended the connection, or lost it, still counts. */
static void
ended (ChatMember *self, const GError *error)
{
  gboolean stays = TRUE;

  if (self->room != NULL)
    {
      chat_input_release (&self->input, error == NULL);
      stays = take_messages (self);
    }
  if (stays && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    chat_outbox_refuse (self->outbox, "nothing came for too long");
  else if (stays && error != NULL && !chat_outbox_has_failed (self->outbox))
    example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
  leave (self);
}

static gboolean
read_cb (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  ChatMember *self = user_data;
  g_autoptr (GError) error = NULL;
  gsize size;
  char *space = chat_input_get_space (&self->input, &size);
  gssize n
      = g_socket_receive_with_blocking (socket, space, self->room != NULL ? size : 1, FALSE, NULL, &error);
  gboolean stays;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  g_clear_handle_id (&self->timer, g_source_remove);
  self->since = g_get_monotonic_time ();
  if (n <= 0)
    {
      ended (self, error);
      return G_SOURCE_REMOVE;
    }
  example_report_count (example_get_report (self->example), EXAMPLE_BYTES_RECEIVED, n);
  if (self->room == NULL)
    stays = join (self, space[0]);
  else
    {
      chat_input_add (&self->input, n);
      stays = take_messages (self);
    }
  if (!stays)
    leave (self);
  else if (chat_input_is_held (&self->input))
    self->timer = g_timeout_add (self->hold_msec, timer_cb, self);
  return stays;
}

/* Serves a client that example_open() let in: it has JOIN_SECONDS to name a room, where that is not 0, and
 * HOLD_MSEC to send the rest of a line, as long as no line has come from it. */
void
chat_member_start (Example *example, GSocketConnection *connection, int hold_msec, int join_seconds)
{
  ChatMember *self = g_new0 (ChatMember, 1);
  GSocket *socket = g_socket_connection_get_socket (connection);

  self->example = example;
  self->hold_msec = hold_msec;
  self->outbox = chat_outbox_new (example, connection);
  self->source = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (read_cb), self, NULL);
  g_source_attach (self->source, NULL);
  if (join_seconds > 0)
    self->timer = g_timeout_add_seconds (join_seconds, timer_cb, self);
}
