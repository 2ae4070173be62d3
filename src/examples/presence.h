/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

/**
 * PresenceRoom:
 * @example: (unowned):
 * @name_seconds: how long a client may take to say who it is
 * @users: (owned) (element-type PresenceUser): who has said so, in the order in which they came
 * @changed: called with @user_data when these are others than before
 *
 * Who is there.
 */
typedef struct
{
  Example *example;
  int name_seconds;
  GPtrArray *users;
  void (*changed) (gpointer user_data);
  gpointer user_data;
} PresenceRoom;

/**
 * PresenceUser:
 *
 * A client, in presence-user.c; its name and age are known to the room.
 */
typedef struct PresenceUser
{
  PresenceRoom *room; /* (unowned) */
  char *name;         /* (owned) (nullable) until it has said it */
  guint age;
  gboolean watches; /* is told of who comes and goes */
  guint timer;      /* until it has a name, or has to be gone */

  GSocketConnection *connection; /* (owned) */
  GBufferedInputStream *input;   /* (owned) has room for a line */
  GCancellable *ending;          /* (owned) of the reading */
  gboolean reading;
  GString *unsent;      /* (owned) what waits behind what is being written */
  GString *sending;     /* (owned) (nullable) what is being written */
  gint64 since;         /* when the request came that is answered in unsent; 0: none */
  gint64 sending_since; /* the same for sending */
  gboolean is_last;     /* nothing is read any more, and it goes when all is sent */
} PresenceUser;

void presence_user_start (PresenceRoom *room, GSocketConnection *connection);
void presence_user_say (PresenceUser *self, const char *text);
void presence_user_dismiss (PresenceUser *self, const char *text);

void presence_room_take (PresenceRoom *self, PresenceUser *user, const char *line, gsize length);
void presence_room_leave (PresenceRoom *self, PresenceUser *user);

char *presence_read_name (const char *line, gsize length, guint *age, GError **error);

G_END_DECLS
