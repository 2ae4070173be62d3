/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-join.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

/* What it takes to come into a room. */
typedef struct
{
  Example *example;
  char line[2];                  /* the room, and the LF with which the server knows that lines will follow */
  GSocketConnection *connection; /* (owned) (nullable) */
} Join;

static void
join_free (gpointer data)
{
  Join *join = data;

  g_clear_object (&join->connection);
  g_free (join);
}

/* Returns: the room that the command line names; if it names none the program ends, with status 2 */
const char *
chat_join_get_room (int argc, char **argv)
{
  if (argc == 2 && strlen (argv[1]) == 1 && g_ascii_isprint (argv[1][0]))
    return argv[1];
  g_printerr (_ ("%s: behind the options stands a room: one printable ASCII character\n"), g_get_prgname ());
  exit (2);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Join *join = g_task_get_task_data (task);
  GError *error = NULL;
  gsize n;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  example_report_count (example_get_report (join->example), EXAMPLE_BYTES_SENT, n);
  example_report_count (example_get_report (join->example), EXAMPLE_CONNECTIONS_ACCEPTED, 1);
  example_report_count (example_get_report (join->example), EXAMPLE_CONNECTIONS, 1);
  g_task_return_pointer (task, g_steal_pointer (&join->connection), g_object_unref);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Join *join = g_task_get_task_data (task);
  GError *error = NULL;

  join->connection = g_socket_client_connect_to_host_finish (G_SOCKET_CLIENT (source), result, &error);
  if (join->connection == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (join->connection)), join->line,
                                   sizeof join->line, G_PRIORITY_DEFAULT, NULL, written_cb,
                                   g_steal_pointer (&task));
}

/* Connects to the server that the command line says, and names the room. Two steps, of which each callback
 * begins the next; the caller sees one. */
void
chat_join_async (Example *example, const char *room, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Join *join = g_new0 (Join, 1);

  g_task_set_source_tag (task, chat_join_async);
  g_task_set_task_data (task, join, join_free);
  join->example = example;
  join->line[0] = room[0];
  join->line[1] = '\n';
  g_socket_client_connect_to_host_async (client, example_get_address (example), 0, NULL, connected_cb, task);
}

/* Returns: (transfer full): the connection, or %NULL with ERROR set */
GSocketConnection *
chat_join_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, chat_join_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Ends the program, since its server cannot be reached or has gone: ERROR, or %NULL where the server has
 * ended the connection, says why. */
void
chat_join_lost (Example *example, const GError *error)
{
  g_printerr (_ ("%s: the server at %s has gone: %s\n"), g_get_prgname (), example_get_address (example),
              error != NULL ? error->message : _ ("it has ended the connection"));
  example_report_count (example_get_report (example), EXAMPLE_ERRORS, 1);
  example_quit (example, 1);
}
