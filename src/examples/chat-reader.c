/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-input.h"
#include "chat-join.h"

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* What comes is read, then printed, and only then more is read: while standard output takes nothing, the
 * messages wait in the server, not here. */
typedef struct
{
  Example *example;
  const char *room;
  GOutputStream *output;         /* (owned) standard output */
  GSocketConnection *connection; /* (owned) (nullable) */
  GBufferedInputStream *input;   /* (owned) (nullable) what comes there */
  char *text;                    /* (owned) (nullable) what is being printed */
} Reader;

static void read_more (Reader *reader);

/* Returns: what a terminal only shows: what would be a command to it, it does not get */
static char *
make_harmless (const char *text, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  GString *result = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c < 0x20 && c != '\t')
        g_string_append_printf (result, "^%c", (char) c + '@');
      else if (g_unichar_iscntrl (c) && c != '\t')
        g_string_append_unichar (result, 0xfffd);
      else
        g_string_append_unichar (result, c);
    }
  return g_string_free (result, FALSE);
}

static void
printed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&reader->text, g_free);
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    {
      g_printerr (_ ("%s: cannot write: %s\n"), g_get_prgname (), error->message);
      example_quit (reader->example, 1);
      return;
    }
  read_more (reader);
}

static void
print (Reader *reader, char *text)
{
  reader->text = text;
  g_output_stream_write_all_async (reader->output, text, strlen (text), G_PRIORITY_DEFAULT, NULL, printed_cb,
                                   reader);
}

/* Takes a message out of the buffer. */
static void
print_message (Reader *reader, gsize length)
{
  g_autofree char *message = g_malloc (length);
  g_autofree char *harmless = NULL;

  g_input_stream_read (G_INPUT_STREAM (reader->input), message, length, NULL, NULL);
  example_report_count (example_get_report (reader->example), EXAMPLE_REQUESTS, 1);
  harmless = make_harmless (message, message[length - 1] == '\n' ? length - 1 : length);
  print (reader, g_strdup_printf (_ ("Message: %s\n"), harmless));
}

static void
filled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_buffered_input_stream_fill_finish (reader->input, result, &error);

  if (n <= 0)
    {
      chat_join_lost (reader->example, error);
      return;
    }
  example_report_count (example_get_report (reader->example), EXAMPLE_BYTES_RECEIVED, n);
  read_more (reader);
}

static void
read_more (Reader *reader)
{
  gsize available;
  const char *data = g_buffered_input_stream_peek_buffer (reader->input, &available);
  const char *end = available > 0 ? memchr (data, '\n', available) : NULL;

  if (end != NULL)
    print_message (reader, end - data + 1);
  else if (available < g_buffered_input_stream_get_buffer_size (reader->input))
    g_buffered_input_stream_fill_async (reader->input, -1, G_PRIORITY_DEFAULT, NULL, filled_cb, reader);
  else
    /* No server of ours sends that much without an LF. */
    print_message (reader, available);
}

static void
joined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;
  GInputStream *input;

  reader->connection = chat_join_finish (result, &error);
  if (reader->connection == NULL)
    {
      chat_join_lost (reader->example, error);
      return;
    }
  input = g_io_stream_get_input_stream (G_IO_STREAM (reader->connection));
  reader->input = G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (input, 2 * CHAT_MESSAGE_LIMIT));
  print (reader,
         g_strdup_printf (_ ("In room %s at %s\n"), reader->room, example_get_address (reader->example)));
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "chat-reader",
    .summary = N_ ("Prints each message of a chat room, until the server goes away."),
    .address = "localhost:25004",
    .parameters = N_ ("ROOM"),
  };
  /* What is under way when the program ends still has it. */
  static Reader reader;
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  int status;

  reader.example = example;
  reader.room = chat_join_get_room (argc, argv);
  reader.output = g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  chat_join_async (example, reader.room, joined_cb, &reader);
  status = example_run (example);
  if (reader.connection != NULL)
    example_report_count (example_get_report (example), EXAMPLE_CONNECTIONS, -1);
  return status;
}
