/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-join.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

/* Returns: the room that the command line names; if it names none the program ends, with status 2 */
const char *
chat_join_get_room (int argc, char **argv)
{
  if (argc == 2 && strlen (argv[1]) == 1 && g_ascii_isprint (argv[1][0]))
    return argv[1];
  g_printerr (_ ("%s: behind the options stands a room: one printable ASCII character\n"), g_get_prgname ());
  exit (2);
}

/* What it takes to come into a room. */
typedef struct
{
  ExampleLink *link; /* (unowned) */
  char line[3];      /* the room, and the LF with which the server knows that lines will follow */
} Join;

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Join *join = g_task_get_task_data (task);
  GError *error = NULL;

  if (example_link_send_finish (join->link, result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Join *join = g_task_get_task_data (task);
  GError *error = NULL;

  if (example_link_connect_finish (join->link, result, &error))
    {
      example_link_send_async (join->link, join->line, sent_cb, task);
      return;
    }
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Connects, and names the room. Two steps, of which the callback of the first begins the second; the caller
 * sees one. */
void
chat_join_async (ExampleLink *link, const char *room, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Join *join = g_new0 (Join, 1);

  g_task_set_source_tag (task, chat_join_async);
  g_task_set_task_data (task, join, g_free);
  join->link = link;
  join->line[0] = room[0];
  join->line[1] = '\n';
  example_link_connect_async (link, connected_cb, task);
}

/* Returns: whether the room was named; the server need not have read it yet */
gboolean
chat_join_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, chat_join_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
