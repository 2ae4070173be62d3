/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dictionary-words.h"
#include "example-talk.h"
#include "example-text.h"

#include <glib/gi18n.h>

#define REQUEST_LIMIT 4096
/* How much of a word that is not known an answer repeats. */
#define SHOWN_CHARACTERS 64

typedef struct
{
  Example *example;  /* (unowned) */
  GHashTable *words; /* (owned) (element-type utf8 utf8) */
} Server;

static void
server_clear (Server *server)
{
  g_clear_pointer (&server->words, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)

/* A line of words is answered with a line of as many words: a word has no blanks, so that needs no other
 * brackets. A word that is not known is told, and the others are answered all the same. */
static char *
answer (const char *message, gsize length, gpointer user_data, gboolean *is_last)
{
  Server *server = user_data;
  g_autoptr (GPtrArray) words = NULL;
  g_autoptr (GString) line = g_string_new (NULL);

  if (!g_utf8_validate_len (message, length, NULL))
    return g_strdup ("error: not UTF-8\n");
  words = dictionary_split (message);
  if (words->len == 0)
    return g_strdup ("error: there are no words\n");
  for (guint i = 0; i < words->len; i++)
    {
      const char *meaning = dictionary_look_up (server->words, words->pdata[i]);

      if (i > 0)
        g_string_append_c (line, ' ');
      if (meaning != NULL)
        g_string_append (line, meaning);
      else
        {
          g_autofree char *word = example_printable (words->pdata[i], -1, SHOWN_CHARACTERS);

          g_string_append_printf (line, "%c%s", DICTIONARY_UNKNOWN, word);
          example_report_count (example_get_report (server->example), EXAMPLE_ERRORS, 1);
        }
    }
  g_string_append_c (line, '\n');
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  static const ExampleTalkClass class = {
    .message_limit = REQUEST_LIMIT,
    .find_end = example_talk_find_line,
    .answer = answer,
  };
  Server *server = user_data;

  example_talk_start (server->example, connection, &class, server);
  return TRUE;
}

int
main (int argc, char **argv)
{
  static char *path;
  static const GOptionEntry entries[] = {
    { "dictionary", 'd', 0, G_OPTION_ARG_FILENAME, &path,
      N_ ("What the words mean: a line CIPHER WORD for each (default: a few that are built in)"),
      N_ ("FILE") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "dictionary-server",
    .summary = N_ ("Takes lines of words in cipher, and answers with what they mean."),
    .address = "localhost:12345",
    .idle_seconds = 600,
    .is_server = TRUE,
    .entries = entries,
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Server) server = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GError) error = NULL;

  server.example = example;
  server.words = dictionary_load (path, &error);
  if (server.words == NULL)
    {
      g_printerr (_ ("%s: cannot use the dictionary %s: %s\n"), g_get_prgname (), path, error->message);
      return 1;
    }
  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), &server);
  if (!example_listen (example, G_SOCKET_LISTENER (service)))
    return 1;
  return example_run (example);
}
