/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "echo-answer.h"

#include <glib/gi18n.h>

/* One client: a read or a write is under way, never both, and each callback begins the other. So many clients
 * need no thread each, and who does not read is not read from. */
typedef struct
{
  Example *example;
  GSocketConnection *connection; /* (owned) */
  EchoAnswer answer;
} Client;

static void read_some (Client *client);

static void
client_end (Client *client)
{
  example_close (client->example, client->connection);
  g_object_unref (client->connection);
  g_free (client);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  gsize n;
  gboolean all = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, NULL);

  echo_answer_count_sent (&client->answer, n, all, example_get_report (client->example));
  if (all)
    read_some (client);
  else
    client_end (client);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  ExampleReport *report = example_get_report (client->example);
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (n <= 0)
    {
      echo_answer_count_end (error, report);
      client_end (client);
      return;
    }
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (client->connection)),
                                   client->answer.text, echo_answer_make (&client->answer, n, report),
                                   G_PRIORITY_DEFAULT, NULL, written_cb, client);
}

static void
read_some (Client *client)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (client->connection)),
                             client->answer.text + ECHO_PREFIX_SIZE, ECHO_READ_SIZE, G_PRIORITY_DEFAULT, NULL,
                             read_cb, client);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Example *example = user_data;
  Client *client;

  if (!example_open (example, connection))
    return TRUE;
  client = g_new (Client, 1);
  client->example = example;
  client->connection = g_object_ref (connection);
  echo_answer_init (&client->answer);
  read_some (client);
  return TRUE;
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "echo",
    .summary = N_ ("Answers GOT: and what it got: all clients on one thread, in one main loop."),
    .address = "localhost:25000",
    .idle_seconds = 600,
    .is_server = TRUE,
  };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();

  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), example);
  if (!example_listen (example, G_SOCKET_LISTENER (service)))
    return 1;
  return example_run (example);
}
