/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-join.h"

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* A message is received, then printed, and only then the next one is received: while standard output takes
 * nothing, the messages wait in the server, and but a few of them here. */
typedef struct
{
  Example *example;      /* (unowned) */
  ExampleLink *link;     /* (owned) */
  const char *room;      /* (unowned) */
  GOutputStream *output; /* (owned) standard output */
  char *text;            /* (owned) (nullable) what is being printed */
} Reader;

static void received_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
printed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;

  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    {
      example_link_receive_async (reader->link, received_cb, reader);
      return;
    }
  g_printerr (_ ("%s: cannot write: %s\n"), g_get_prgname (), error->message);
  example_quit (reader->example, 1);
}

/* Takes over TEXT. */
static void
print (Reader *reader, char *text)
{
  g_free (reader->text);
  reader->text = text;
  g_output_stream_write_all_async (reader->output, text, strlen (text), G_PRIORITY_DEFAULT, NULL, printed_cb,
                                   reader);
}

static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *message = example_link_receive_finish (reader->link, result, &error);

  if (message != NULL)
    print (reader, g_strdup_printf (_ ("Message: %s\n"), message));
  else
    example_fail (reader->example, error->message);
}

static void
joined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reader *reader = user_data;
  const char *address = example_get_address (reader->example);
  g_autoptr (GError) error = NULL;

  if (chat_join_finish (result, &error))
    print (reader, g_strdup_printf (_ ("In room %s at %s\n"), reader->room, address));
  else
    example_fail (reader->example, error->message);
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
  /* What is under way when the program ends still has it: a file is written to by a thread. */
  static Reader reader;
  g_autoptr (Example) example = example_new (&info, &argc, &argv);

  reader.example = example;
  reader.room = chat_join_get_room (argc, argv);
  reader.output = g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  /* A room may be silent for ever. */
  reader.link = example_link_new (example, 0);
  chat_join_async (reader.link, reader.room, joined_cb, &reader);
  return example_run (example);
}
