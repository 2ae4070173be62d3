/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-input.h"
#include "chat-join.h"
#include "example-line.h"

#include <glib/gi18n.h>
#include <string.h>

/* How long the server may take to end the connection after "exit". */
#define EXIT_SECONDS 20

/* Two things are waited for at once, without a thread: the next line of standard input, and the server, which
 * says when it goes. */
typedef struct
{
  Example *example;            /* (unowned) */
  ExampleLink *link;           /* (owned) */
  GBufferedInputStream *input; /* (owned) */
  char *line;                  /* (owned) (nullable) what is being sent */
  char *heard; /* (owned) (nullable) what goes to the room comes here as well: the last of it */
  guint n_heard;
  gboolean is_leaving;
  int status;
} Writer;

static void
writer_clear (Writer *writer)
{
  g_clear_pointer (&writer->link, example_link_free);
  g_clear_object (&writer->input);
  g_free (writer->line);
  g_free (writer->heard);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Writer, writer_clear)

static void read_line (Writer *writer);

static gboolean
exit_timeout_cb (gpointer user_data)
{
  Writer *writer = user_data;

  g_printerr (_ ("%s: the server does not end the connection\n"), g_get_prgname ());
  example_quit (writer->example, 1);
  return G_SOURCE_REMOVE;
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;

  if (!example_link_send_finish (writer->link, result, &error))
    example_fail (writer->example, error->message);
  else if (writer->is_leaving)
    /* The server ends the connection when it has got everything. */
    g_timeout_add_seconds (EXIT_SECONDS, exit_timeout_cb, writer);
  else
    read_line (writer);
}

/* Sends a line with an LF; the next one is not read before. */
static void
send_line (Writer *writer, const char *line)
{
  g_free (writer->line);
  writer->line = g_strconcat (line, "\n", NULL);
  writer->is_leaving = strcmp (line, "exit") == 0;
  example_link_send_async (writer->link, writer->line, sent_cb, writer);
}

/* Says why a line is not sent; the program goes on, and ends with status 1. */
static void
refuse_line (Writer *writer, const char *reason)
{
  g_printerr ("%s: %s\n", g_get_prgname (), reason);
  example_report_count (example_get_report (writer->example), EXAMPLE_ERRORS, 1);
  writer->status = 1;
  read_line (writer);
}

static void
typed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;
  gsize length;
  g_autofree char *line = example_line_read_finish (writer->input, result, &length, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    refuse_line (writer, _ ("a line of more than 1023 bytes was not sent"));
  else if (error != NULL)
    example_fail (writer->example, error->message);
  else if (line == NULL)
    /* The end of the input is the end of the talk. */
    send_line (writer, "exit");
  else if (!g_utf8_validate_len (line, length, NULL))
    refuse_line (writer, _ ("a line that is not UTF-8 was not sent"));
  else if (*g_strchomp (line) == '\0')
    read_line (writer);
  else
    send_line (writer, line);
}

static void
read_line (Writer *writer)
{
  example_line_prompt (_ ("Your message: "));
  example_line_read_async (writer->input, NULL, typed_cb, writer);
}

/* Whether the server has said nothing but that this client is one too many. All else may be a message, which
 * may begin like an error. */
static gboolean
was_refused (const Writer *writer)
{
  g_autofree char *line = g_strconcat (writer->n_heard == 1 ? writer->heard : "", "\n", NULL);

  return strcmp (line, EXAMPLE_REFUSAL) == 0;
}

/* What comes is not shown, but it is received: the server need not keep it, and its end is noticed at once.
 */
static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;
  char *line = example_link_receive_finish (writer->link, result, &error);

  if (line != NULL)
    {
      g_free (writer->heard);
      writer->heard = line;
      writer->n_heard++;
      example_link_receive_async (writer->link, received_cb, writer);
    }
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    example_fail (writer->example, error->message);
  else if (writer->is_leaving && !was_refused (writer))
    example_quit (writer->example, writer->status);
  else if (writer->heard != NULL && g_str_has_prefix (writer->heard, "error: "))
    /* It has said why, and that came last. */
    example_fail (writer->example, writer->heard);
  else
    example_fail (writer->example, error->message);
}

static void
joined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Writer *writer = user_data;
  g_autoptr (GError) error = NULL;

  if (!chat_join_finish (result, &error))
    {
      example_fail (writer->example, error->message);
      return;
    }
  example_link_receive_async (writer->link, received_cb, writer);
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
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Writer) writer = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  const char *room = chat_join_get_room (argc, argv);

  writer.example = example;
  writer.link = example_link_new (example, 0);
  writer.input = example_line_open_input (CHAT_MESSAGE_LIMIT);
  chat_join_async (writer.link, room, joined_cb, &writer);
  return example_run (example);
}
