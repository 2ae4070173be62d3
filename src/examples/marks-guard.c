/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-guard.h"

#include "marks-client.h"

#include <string.h>

#define FIRST_SIZE 4096
#define MAX_SIZE (MARKS_HEAD_MAX_SIZE + MARKS_HEAD_MAX_BODY)
#define STATUS_PLACE strlen ("HTTP/1.1 ")

/* SoupServer waits for the end of a head and for the taking of an answer as long as a client likes, takes
 * bodies of any size, and ends some connections without a word. So it gets a stream in memory that has a
 * whole request which is right, and another one to write into; from and to the socket goes what is in this
 * file and in marks-client.c, with limits. */

static const MarksFault incomplete = { 400, "bad-head", "Incomplete request" };
static const MarksFault too_slow = { 408, "timeout", "The request took too long" };
static const MarksFault foreign = { 403, "cross-origin", "Pages of others may not ask" };
static const MarksFault misdirected = { 421, "misdirected", "This host is not served here" };
static const MarksFault unanswered = { 500, "internal", "Internal Server Error" };

static void read_request (MarksClient *client);

/* SoupServer has let go of the streams: all that it has to say is there. */
static void
answered_cb (gpointer user_data, GObject *gone)
{
  MarksClient *client = user_data;
  GMemoryOutputStream *output = G_MEMORY_OUTPUT_STREAM (client->output);
  const char *answer = g_memory_output_stream_get_data (output);
  gsize size = g_memory_output_stream_get_data_size (output);

  if (size <= STATUS_PLACE)
    {
      marks_client_refuse (client, &unanswered);
      return;
    }
  if (answer[STATUS_PLACE] >= '4')
    example_report_count (example_get_report (client->example), EXAMPLE_ERRORS, 1);
  marks_client_answer (client, answer, size);
}

/* Whether it comes from a browser that shows a page of somebody else: whoever it is, the marks are not
 * theirs. */
static gboolean
is_foreign (const MarksHead *head)
{
  g_autofree char *own = g_strconcat ("http://", head->host, NULL);

  return head->origin != NULL && g_ascii_strcasecmp (head->origin, own) != 0;
}

/* Whether the name in Host is one that this server has. Another name may belong to a page of somebody else
 * who has let it lead here, and whom a browser would then believe to be at home. */
static gboolean
is_own_host (MarksClient *client)
{
  const char *own = example_get_address (client->example);
  const char *host = client->head.host;
  g_autoptr (GSocketConnectable) own_address = g_network_address_parse (own, 0, NULL);
  g_autoptr (GSocketConnectable) address = host != NULL ? g_network_address_parse (host, 0, NULL) : NULL;
  const char *name;

  /* Old clients name none. */
  if (host == NULL)
    return TRUE;
  if (address == NULL)
    return FALSE;
  name = g_network_address_get_hostname (G_NETWORK_ADDRESS (address));
  return g_hostname_is_ip_address (name) || g_ascii_strcasecmp (name, "localhost") == 0
         || g_ascii_strcasecmp (name, g_get_host_name ()) == 0
         || g_ascii_strcasecmp (name, g_network_address_get_hostname (G_NETWORK_ADDRESS (own_address))) == 0;
}

/* Hands the request over, with those fields alone that are of use here. Old clients name no host, but
 * SoupServer looks for one. */
static void
hand_over (MarksClient *client, const char *request)
{
  const MarksHead *head = &client->head;
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GBytes) bytes = NULL;
  GString *text = g_string_new_len (request, head->first_size);

  g_string_append_printf (text, "Host: %s\r\n", head->host != NULL ? head->host : "localhost");
  if (head->content_type != NULL)
    g_string_append_printf (text, "Content-Type: %s\r\n", head->content_type);
  g_string_append_printf (text, "Content-Length: %zu\r\n\r\n", head->body_size);
  g_string_append_len (text, request + head->size, head->body_size);
  bytes = g_string_free_to_bytes (text);
  input = g_memory_input_stream_new_from_bytes (bytes);
  client->output = g_memory_output_stream_new_resizable ();
  stream = g_simple_io_stream_new (input, client->output);
  g_object_weak_ref (G_OBJECT (stream), answered_cb, client);
  soup_server_accept_iostream (client->server, stream, address, address, NULL);
}

/* Nothing more is read. */
static void
request_came (MarksClient *client, gsize n_bytes)
{
  ExampleReport *report = example_get_report (client->example);

  marks_client_end_waiting (client);
  client->since = g_get_monotonic_time ();
  example_report_count (report, EXAMPLE_REQUESTS, 1);
  example_report_count (report, EXAMPLE_BYTES_RECEIVED, n_bytes);
}

static void
filled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MarksClient *client = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_buffered_input_stream_fill_finish (client->input, result, &error);
  gsize available = g_buffered_input_stream_get_available (client->input);
  gboolean is_late = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
                     || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  if (n > 0)
    read_request (client);
  else if ((n == 0 || is_late) && available > 0)
    {
      request_came (client, available);
      marks_client_refuse (client, is_late ? &too_slow : &incomplete);
    }
  else
    {
      /* Browsers connect before they have anything to ask for: that nothing came is nothing wrong. */
      if (n < 0 && !is_late)
        example_report_count (example_get_report (client->example), EXAMPLE_ERRORS, 1);
      marks_client_end (client);
    }
}

static void
read_request (MarksClient *client)
{
  gsize available;
  const char *data = g_buffered_input_stream_peek_buffer (client->input, &available);
  const MarksFault *fault = marks_head_read (&client->head, data, available);
  gsize size = client->head.size + client->head.body_size;

  if (fault == NULL && (client->head.size == 0 || available < size))
    {
      gsize room = g_buffered_input_stream_get_buffer_size (client->input);

      if (available == room)
        g_buffered_input_stream_set_buffer_size (client->input, MIN (2 * room, MAX_SIZE));
      g_buffered_input_stream_fill_async (client->input, -1, G_PRIORITY_DEFAULT, client->late, filled_cb,
                                          client);
      return;
    }
  request_came (client, available);
  if (fault != NULL)
    marks_client_refuse (client, fault);
  else if (!is_own_host (client))
    marks_client_refuse (client, &misdirected);
  else if (is_foreign (&client->head))
    marks_client_refuse (client, &foreign);
  else
    hand_over (client, data);
}

/* Reads a request, has SERVER answer it, and ends the connection; or says why not. */
void
marks_guard_start (Example *example, GSocketConnection *connection, SoupServer *server)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GSocket *socket = g_socket_connection_get_socket (connection);
  MarksClient *client;

  if (!example_open (example, connection))
    return;
  client = g_new0 (MarksClient, 1);
  client->example = example;
  client->server = server;
  client->connection = g_object_ref (connection);
  client->input = G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (input, FIRST_SIZE));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (client->input), FALSE);
  /* For a whole step, where the socket would begin again with each byte. */
  client->seconds = g_socket_get_timeout (socket);
  g_socket_set_timeout (socket, 0);
  marks_client_begin_waiting (client);
  read_request (client);
}
