/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-text.h"
#include "example.h"
#include "greeting.h"

#include <glib/gi18n.h>
#include <string.h>

/* How many datagrams of one socket are taken before it is the turn of whatever else the main loop has to do.
 */
#define SLICE 64
/* Room for any datagram: that one is too long is known by its size. */
#define BUFFER_SIZE 65536

/* There are no clients here: each datagram says where its answer goes. */
typedef struct
{
  Example *example;
  GreetingLog *log;
  char buffer[BUFFER_SIZE];
} Server;

/* What the sender of a datagram is told; NULL: nothing.
 *
 * A sender's address can be forged, so that the answer hits somebody else. That must not be worth the
 * trouble: an answer has 32 bytes at most, and any datagram costs its sender the 28 of its headers. And two
 * servers that were told to greet each other would never end: what may be an answer is not answered. */
static const char *
answer_to (const char *data, gsize length)
{
  const gsize error_size = strlen (GREETING_ERROR);

  if (length >= error_size && memcmp (data, GREETING_ERROR, error_size) == 0)
    return NULL;
  if (length == strlen (GREETING_ANSWER) && memcmp (data, GREETING_ANSWER, length) == 0)
    return NULL;
  if (length == 0)
    return GREETING_ERROR "nothing in it";
  if (length > GREETING_LIMIT)
    return GREETING_ERROR "over 1024 bytes";
  if (!g_utf8_validate_len (data, length, NULL))
    return GREETING_ERROR "not text in UTF-8";
  return GREETING_ANSWER;
}

static void
show (Server *self, GSocketAddress *from, gsize length)
{
  g_autofree char *address = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (from));
  g_autofree char *text = example_printable (self->buffer, length, GREETING_SHOWN_CHARACTERS);
  g_autofree char *line = g_strdup_printf ("%s: %s", address, text);

  greeting_log_add (self->log, line);
}

/* Answers the datagram that is in the buffer. */
static void
answer (Server *self, GSocket *socket, GSocketAddress *to, gsize length)
{
  ExampleReport *report = example_get_report (self->example);
  gint64 since = g_get_monotonic_time ();
  const char *text = answer_to (self->buffer, length);
  gssize n;

  example_report_count (report, EXAMPLE_REQUESTS, 1);
  example_report_count (report, EXAMPLE_BYTES_RECEIVED, length);
  if (text == NULL || g_str_has_prefix (text, GREETING_ERROR))
    example_report_count (report, EXAMPLE_ERRORS, 1);
  if (text == NULL)
    return;
  n = g_socket_send_to (socket, to, text, strlen (text), NULL, NULL);
  if (n >= 0)
    example_report_answered (report, n, since);
  else
    /* Where it would have to wait, it is lost: as any datagram may be, and whoever wants it asks again. */
    example_report_count (report, EXAMPLE_ERRORS, 1);
}

/* Returns: whether there was one */
static gboolean
take_datagram (Server *self, GSocket *socket)
{
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GError) error = NULL;
  gssize n = g_socket_receive_from (socket, &from, self->buffer, sizeof self->buffer, NULL, &error);

  if (n < 0)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
      return FALSE;
    }
  answer (self, socket, from, n);
  show (self, from, n);
  return TRUE;
}

/* There is something to read: all of it is taken, or a slice. What is left makes the source ready again. */
static gboolean
readable_cb (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  for (guint i = 0; i < SLICE && take_datagram (user_data, socket); i++)
    ;
  return G_SOURCE_CONTINUE;
}

/* Makes a socket with that address, which the main loop watches from then on. */
static GSocketAddress *
listen_cb (gpointer user_data, GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                                             G_SOCKET_PROTOCOL_UDP, error);
  g_autoptr (GSource) source = NULL;

  if (socket == NULL || !g_socket_bind (socket, address, FALSE, error))
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  source = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (readable_cb), user_data, NULL);
  /* The context keeps the source, and the source its socket. */
  g_source_attach (source, NULL);
  return g_socket_get_local_address (socket, error);
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "greeting-server",
    .summary = N_ ("Shows the datagrams that come, and answers each: Hello client."),
    .address = "localhost:8000",
    .is_server = TRUE,
    .is_datagram = TRUE,
  };
  static Server server;
  g_autoptr (GreetingLog) log = greeting_log_new ();
  g_autoptr (Example) example = example_new (&info, &argc, &argv);

  server.example = example;
  server.log = log;
  if (!example_listen_by (example, listen_cb, &server))
    return 1;
  return example_run (example);
}
