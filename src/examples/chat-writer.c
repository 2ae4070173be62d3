/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-join.h"
#include "chat-lines.h"

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* How long the server may take to end the connection after "exit". */
#define EXIT_SECONDS 20

/* Two things are waited for at once, without a thread: the next line of standard input, and the server, which
 * says when it goes. */
typedef struct
{
  Example *example;
  ChatLines *lines;              /* (owned) of standard input */
  GSocketConnection *connection; /* (owned) (nullable) */
  char *line;                    /* (owned) (nullable) what is being sent */
  gint64 since;
  gboolean is_leaving;
  int status;
  guint n_reads;
  char received[4096]; /* what goes to the room comes here as well; what came last, with a 0 behind it */
} Writer;

static void read_line (Writer *writer);
static void receive (Writer *writer);

static gboolean
exit_timeout_cb (gpointer user_data)
{
  Writer *writer = user_data;

  g_printerr (_ ("%s: the server does not end the connection\n"), g_get_prgname ());
  example_quit (writer->example, 1);
  return G_SOURCE_REMOVE;
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;
  gsize n;

  g_clear_pointer (&writer->line, g_free);
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, &error))
    {
      chat_join_lost (writer->example, error);
      return;
    }
  example_report_answered (example_get_report (writer->example), n, writer->since);
  if (writer->is_leaving)
    /* The server ends the connection when it has got everything. */
    g_timeout_add_seconds (EXIT_SECONDS, exit_timeout_cb, writer);
  else
    read_line (writer);
}

/* Sends a line with an LF; the next one is not read before. */
static void
send_line (Writer *writer, const char *line)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (writer->connection));

  writer->line = g_strconcat (line, "\n", NULL);
  writer->is_leaving = strcmp (line, "exit") == 0;
  writer->since = g_get_monotonic_time ();
  example_report_count (example_get_report (writer->example), EXAMPLE_REQUESTS, 1);
  g_output_stream_write_all_async (output, writer->line, strlen (writer->line), G_PRIORITY_DEFAULT, NULL,
                                   written_cb, writer);
}

static void
line_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = chat_lines_next_finish (writer->lines, result, &error);

  if (error != NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      example_report_count (example_get_report (writer->example), EXAMPLE_ERRORS, 1);
      writer->status = 1;
      read_line (writer);
    }
  else
    /* The end of the input is the end of the talk. */
    send_line (writer, line != NULL ? line : "exit");
}

static void
read_line (Writer *writer)
{
  if (isatty (STDIN_FILENO))
    g_print (_ ("Your message: "));
  chat_lines_next_async (writer->lines, line_cb, writer);
}

/* Whether the server has said nothing but that this client is one too many. All else may be a message, which
 * may begin like an error. */
static gboolean
was_refused (const Writer *writer)
{
  return writer->n_reads == 1 && strcmp (writer->received, EXAMPLE_REFUSAL) == 0;
}

static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (n > 0)
    {
      writer->received[n] = '\0';
      writer->n_reads++;
      example_report_count (example_get_report (writer->example), EXAMPLE_BYTES_RECEIVED, n);
      receive (writer);
    }
  else if (n == 0 && writer->is_leaving && !was_refused (writer))
    example_quit (writer->example, writer->status);
  else
    {
      /* If it has said why, that came last. */
      if (n == 0 && g_str_has_prefix (writer->received, "error: "))
        g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_FAILED, g_strchomp (writer->received));
      chat_join_lost (writer->example, error);
    }
}

/* What comes is not shown, but it is read: the server need not keep it, and its end is noticed at once. */
static void
receive (Writer *writer)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (writer->connection)),
                             writer->received, sizeof writer->received - 1, G_PRIORITY_DEFAULT, NULL,
                             received_cb, writer);
}

static void
joined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;

  writer->connection = chat_join_finish (result, &error);
  if (writer->connection == NULL)
    {
      chat_join_lost (writer->example, error);
      return;
    }
  receive (writer);
  read_line (writer);
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "chat-writer",
    .summary
    = N_ ("Sends each line of standard input to a chat room; exit or the end of the input leaves it."),
    .address = "localhost:25004",
    .parameters = N_ ("ROOM"),
  };
  /* What is under way when the program ends still has it. */
  static Writer writer;
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  int status;

  writer.example = example;
  writer.lines = chat_lines_new (g_unix_input_stream_new (STDIN_FILENO, FALSE));
  chat_join_async (example, chat_join_get_room (argc, argv), joined_cb, &writer);
  status = example_run (example);
  if (writer.connection != NULL)
    example_report_count (example_get_report (example), EXAMPLE_CONNECTIONS, -1);
  return status;
}
