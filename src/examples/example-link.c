/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-link.h"

#include "example-line.h"
#include "example-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* For a connection to be there. */
#define CONNECT_SECONDS 30
#define ANSWER_LIMIT (256 * 1024)

struct ExampleLink
{
  Example *example; /* (unowned) */
  guint answer_seconds;
  GSocketConnection *connection; /* (owned) (nullable) */
  GBufferedInputStream *input;   /* (owned) (nullable) */
};

/* Makes a link that is not connected yet. A server that says nothing for ANSWER_SECONDS is taken for lost; 0:
 * it may be silent for ever. */
ExampleLink *
example_link_new (Example *example, guint answer_seconds)
{
  ExampleLink *self = g_new0 (ExampleLink, 1);

  self->example = example;
  self->answer_seconds = answer_seconds;
  return self;
}

/* Hangs up, and frees the link. Its callbacks come no more: the main loop has ended. */
void
example_link_free (ExampleLink *self)
{
  g_clear_object (&self->input);
  g_clear_object (&self->connection);
  g_free (self);
}

/* Returns: (transfer none): what it was made for */
Example *
example_link_get_example (ExampleLink *self)
{
  return self->example;
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ExampleLink *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->connection = g_socket_client_connect_to_host_finish (G_SOCKET_CLIENT (source), result, &error);
  if (self->connection == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  /* Until the program ends: the last report takes it off again. */
  example_report_count (example_get_report (self->example), EXAMPLE_CONNECTIONS_ACCEPTED, 1);
  example_report_count (example_get_report (self->example), EXAMPLE_CONNECTIONS, 1);
  g_socket_set_timeout (g_socket_connection_get_socket (self->connection), self->answer_seconds);
  self->input = G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (
      g_io_stream_get_input_stream (G_IO_STREAM (self->connection)), ANSWER_LIMIT));
  g_task_return_boolean (task, TRUE);
}

/* Begins to connect to the server of the command line. */
void
example_link_connect_async (ExampleLink *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, example_link_connect_async);
  g_task_set_task_data (task, self, NULL);
  g_socket_client_set_timeout (client, CONNECT_SECONDS);
  /* The server is where --address says; the settings of a desktop are not asked for. */
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_connect_to_host_async (client, example_get_address (self->example), 0, NULL, connected_cb,
                                         task);
}

/* Returns: whether it is connected */
gboolean
example_link_connect_finish (ExampleLink *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ExampleLink *self = g_task_get_task_data (task);
  GError *error = NULL;
  gsize n;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  example_report_count (example_get_report (self->example), EXAMPLE_REQUESTS, 1);
  example_report_count (example_get_report (self->example), EXAMPLE_BYTES_SENT, n);
  g_task_return_boolean (task, TRUE);
}

/* Begins to send REQUEST, which is kept until then. */
void
example_link_send_async (ExampleLink *self,
                         const char *request,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, example_link_send_async);
  g_task_set_task_data (task, self, NULL);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (self->connection)), request,
                                   strlen (request), G_PRIORITY_DEFAULT, NULL, sent_cb, task);
}

/* Returns: whether all of it was given to the socket */
gboolean
example_link_send_finish (ExampleLink *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ExampleLink *self = g_task_get_task_data (task);
  GError *error = NULL;
  gsize length;
  g_autofree char *line = example_line_read_finish (self->input, result, &length, &error);

  if (line != NULL)
    {
      example_report_count (example_get_report (self->example), EXAMPLE_BYTES_RECEIVED, length + 1);
      g_task_return_pointer (task, example_printable (line, length, ANSWER_LIMIT), g_free);
    }
  else if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, _ ("the server has hung up"));
}

/* Begins to receive a line. */
void
example_link_receive_async (ExampleLink *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, example_link_receive_async);
  g_task_set_task_data (task, self, NULL);
  example_line_read_async (self->input, NULL, received_cb, task);
}

/* Returns: (transfer full): the line without its end, fit to be shown; NULL with ERROR, also where the server
 * has hung up */
char *
example_link_receive_finish (ExampleLink *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Says what went wrong, and ends the program with status 1. */
void
example_fail (Example *example, const char *message)
{
  example_report_count (example_get_report (example), EXAMPLE_ERRORS, 1);
  g_printerr ("%s: %s\n", g_get_prgname (), message);
  example_quit (example, 1);
}
