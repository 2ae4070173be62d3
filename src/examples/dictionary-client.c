/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-ask.h"
#include "example-line.h"

#include <glib/gi18n.h>

#define ANSWER_SECONDS 30

/* Asks for one list after the other; each step ends in a callback, which begins the next one. */
typedef struct
{
  Example *example;            /* (unowned) */
  ExampleLink *link;           /* (owned) */
  GBufferedInputStream *input; /* (owned) (nullable) where the lists come from, a line each */
  char *request;               /* (owned) (nullable) */
  int status;                  /* what the program ends with */
} Client;

static void
client_clear (Client *client)
{
  g_clear_pointer (&client->link, example_link_free);
  g_clear_object (&client->input);
  g_free (client->request);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Client, client_clear)

static void next_list (Client *client);

/* Prints a list, a word a line, and says which of them the server does not know. */
static void
print_words (Client *client, const char *answer)
{
  g_auto (GStrv) words = g_strsplit (answer, " ", -1);

  for (char **word = words; *word != NULL; word++)
    {
      g_print ("%s\n", *word);
      if (**word != '?')
        continue;
      g_printerr (_ ("%s: the dictionary does not have %s\n"), g_get_prgname (), *word + 1);
      example_report_count (example_get_report (client->example), EXAMPLE_ERRORS, 1);
      client->status = 1;
    }
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = example_link_ask_finish (client->link, result, &error);

  if (answer == NULL)
    {
      example_fail (client->example, error->message);
      return;
    }
  print_words (client, answer);
  next_list (client);
}

/* Takes over REQUEST, a line with its LF. */
static void
send_list (Client *client, char *request)
{
  g_free (client->request);
  client->request = request;
  example_link_ask_async (client->link, request, answered_cb, client);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = example_line_read_finish (client->input, result, NULL, &error);

  if (error != NULL)
    example_fail (client->example, error->message);
  else if (line == NULL)
    example_quit (client->example, client->status);
  else if (*g_strstrip (line) == '\0')
    next_list (client);
  else
    send_list (client, g_strconcat (line, "\n", NULL));
}

/* Reads another list, or ends where the command line was the only one. */
static void
next_list (Client *client)
{
  if (client->input == NULL)
    {
      example_quit (client->example, client->status);
      return;
    }
  example_line_prompt (_ ("Words in cipher: "));
  example_line_read_async (client->input, NULL, read_cb, client);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;

  if (!example_link_connect_finish (client->link, result, &error))
    example_fail (client->example, error->message);
  else if (client->request != NULL)
    send_list (client, g_steal_pointer (&client->request));
  else
    next_list (client);
}

int
main (int argc, char **argv)
{
  static char **words;
  static const GOptionEntry entries[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, N_ ("[WORD...]") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "dictionary-client",
    .summary = N_ ("Has a dictionary-server decipher these words, or those of each line of standard input."),
    .address = "localhost:12345",
    .entries = entries,
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Client) client = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);

  client.example = example;
  client.link = example_link_new (example, ANSWER_SECONDS);
  if (words != NULL)
    {
      g_autofree char *list = g_strjoinv (" ", words);

      /* What is one list stays one. */
      client.request = g_strconcat (g_strdelimit (list, "\r\n", ' '), "\n", NULL);
    }
  else
    client.input = example_line_open_input (EXAMPLE_LINE_LIMIT);
  example_link_connect_async (client.link, connected_cb, &client);
  return example_run (example);
}
