/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "presence.h"

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define DEFAULT_NAME_SECONDS 10
/* Of so many users a line stays below 4,096 bytes: as much as a pipe takes or refuses at once, without
 * waiting. */
#define SHOWN_USERS 20

typedef struct
{
  PresenceRoom room;
  GOutputStream *output; /* (owned) standard output */
  GString *printing;     /* (owned) (nullable) the line under way */
  gboolean is_stale;     /* others are there than that line says */
} Server;

static void
server_clear (Server *server)
{
  g_clear_pointer (&server->room.users, g_ptr_array_unref);
  g_clear_object (&server->output);
  if (server->printing != NULL)
    g_string_free (g_steal_pointer (&server->printing), TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)

/* Returns: (transfer full): a line that says who is there */
static GString *
describe (const PresenceRoom *room)
{
  GString *line = g_string_new (NULL);

  g_string_printf (line, _ ("connected (%u):"), room->users->len);
  for (guint i = 0; i < room->users->len && i < SHOWN_USERS; i++)
    {
      const PresenceUser *user = room->users->pdata[i];

      g_string_append_printf (line, "%s %s %u", i > 0 ? "," : "", user->name, user->age);
    }
  if (room->users->len > SHOWN_USERS)
    g_string_append (line, ", ...");
  g_string_append_c (line, '\n');
  return line;
}

static void print (gpointer user_data);

static void
printed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Server *server = user_data;
  g_autoptr (GError) error = NULL;

  g_string_free (g_steal_pointer (&server->printing), TRUE);
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    {
      /* Nobody reads any more, and that stays so. */
      g_printerr (_ ("%s: cannot print who is connected: %s\n"), g_get_prgname (), error->message);
      g_clear_object (&server->output);
    }
  else if (server->is_stale)
    print (server);
}

/* Prints who is there. Whoever reads that may be slow, and the users shall not wait for them: so one line is
 * under way at a time, and what changes meanwhile is in the next one. */
static void
print (gpointer user_data)
{
  Server *server = user_data;

  server->is_stale = server->printing != NULL;
  if (server->printing != NULL || server->output == NULL)
    return;
  server->printing = describe (&server->room);
  g_output_stream_write_all_async (server->output, server->printing->str, server->printing->len,
                                   G_PRIORITY_DEFAULT, NULL, printed_cb, server);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  presence_user_start (user_data, connection);
  return TRUE;
}

int
main (int argc, char **argv)
{
  static int name_seconds = DEFAULT_NAME_SECONDS;
  static const GOptionEntry entries[] = {
    { "name-timeout", 0, 0, G_OPTION_ARG_INT, &name_seconds,
      N_ ("How long a client may take to say who it is (default: 10)"), N_ ("SECONDS") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "presence-server",
    .summary = N_ ("Shows who is connected: each client says a name and an age, and may ask for the others."),
    .address = "localhost:5555",
    .is_server = TRUE,
    .entries = entries,
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Server) server = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();

  if (name_seconds < 1)
    {
      g_printerr (_ ("%s: --name-timeout is 1 or more\n"), g_get_prgname ());
      return 2;
    }
  server.room = (PresenceRoom){ example, name_seconds, g_ptr_array_new (), print, &server };
  server.output = g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), &server.room);
  if (!example_listen (example, G_SOCKET_LISTENER (service)))
    return 1;
  return example_run (example);
}
