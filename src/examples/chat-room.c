/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-room.h"

/* All clients are served by one thread, in the turns of its main loop: between two of them every room is
 * whole, and there is nothing to lock. A room with nobody in it is an empty queue, and costs nothing. */
static GQueue rooms[G_MAXINT8 + 1]; /* (element-type ChatOutbox) */

/* Returns: (nullable): the room of that name; %NULL: there is none, for it is no printable ASCII character */
ChatRoom *
chat_room_get (char name)
{
  return g_ascii_isprint (name) ? &rooms[(guchar) name] : NULL;
}

/* Adds a client, whose outbox is the data of LINK, which is the caller's: to leave costs the same however
 * many are there. */
void
chat_room_enter (ChatRoom *self, GList *link)
{
  g_queue_push_tail_link (self, link);
}

/* Takes a client out that has entered. */
void
chat_room_leave (ChatRoom *self, GList *link)
{
  g_queue_unlink (self, link);
}

/* The same to all, the sender too, and to each in the same order. Nothing is copied, and nobody is waited
 * for.
 */
void
chat_room_send (ChatRoom *self, ChatMessage *message)
{
  for (GList *l = self->head; l != NULL; l = l->next)
    chat_outbox_push (l->data, message);
}
