/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

/**
 * ExampleTalkClass:
 * @message_limit: bytes that a message may have, with its end
 * @find_begin: (nullable): how many of the first of so many bytes stand between messages, and belong to none
 * @find_end: the size of the first message in so many bytes, with its end; 0 where the end has not come yet
 * @answer: (transfer full): the answer to a message, which has a 0 behind it; what begins with "error: "
 * counts as an error. %NULL: that was the last message, and needs no answer. @is_last may be set: the client
 * is sent away with this answer. @client is what @joined returned
 * @joined: (nullable): called when a client has come; returns what belongs to it, else that is the user_data
 * of example_talk_start()
 * @left: (nullable): called when a client has gone, with what belongs to it
 *
 * A protocol in which a client sends messages and gets an answer to each.
 */
typedef struct
{
  gsize message_limit;
  gsize (*find_begin) (const char *data, gsize length);
  gsize (*find_end) (const char *data, gsize length);
  char *(*answer) (const char *message, gsize length, gpointer client, gboolean *is_last);
  gpointer (*joined) (gpointer user_data);
  void (*left) (gpointer client);
} ExampleTalkClass;

void example_talk_start (Example *example,
                         GSocketConnection *connection,
                         const ExampleTalkClass *class,
                         gpointer user_data);

gsize example_talk_find_line (const char *data, gsize length);

G_END_DECLS
