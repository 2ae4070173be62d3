/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-line.h"
#include "example-link.h"

#include <glib/gi18n.h>
#include <string.h>

/* A user: says who it is, asks who is there, and stays. From then on a line of the server and a line of
 * standard input are waited for at once. */
typedef struct
{
  Example *example;            /* (unowned) */
  ExampleLink *link;           /* (owned) */
  GBufferedInputStream *input; /* (owned) */
  char *request;               /* (owned) (nullable) */
  gint64 since;                /* when it was sent; 0: it is answered */
  gboolean sending;            /* it is being sent */
  gboolean reading;            /* standard input is waited for */
  gboolean watches;            /* it has been asked to tell of others */
  guint64 n_listed;            /* users of a list that are still to come */
} Client;

static void
client_clear (Client *client)
{
  g_clear_pointer (&client->link, example_link_free);
  g_clear_object (&client->input);
  g_free (client->request);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Client, client_clear)

static void go_on (Client *client);

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;

  client->sending = FALSE;
  if (example_link_send_finish (client->link, result, &error))
    go_on (client);
  else
    example_fail (client->example, error->message);
}

/* Sends a line. The one before has been sent and answered. */
static void
send_line (Client *client, const char *line)
{
  g_free (client->request);
  client->request = g_strconcat (line, "\n", NULL);
  client->since = g_get_monotonic_time ();
  client->sending = TRUE;
  example_link_send_async (client->link, client->request, sent_cb, client);
}

/* Returns: whether the answer is one to go on with */
static gboolean
take_answer (Client *client, const char *line)
{
  if (client->since != 0)
    example_report_answered (example_get_report (client->example), 0, client->since);
  client->since = 0;
  if (!client->watches)
    return strcmp (line, "ok") == 0;
  if (!g_str_has_prefix (line, "error: "))
    return g_str_has_prefix (line, "ok ")
           && g_ascii_string_to_unsigned (line + 3, 10, 0, G_MAXUINT32, &client->n_listed, NULL);
  g_printerr ("%s: %s\n", g_get_prgname (), line);
  return TRUE;
}

/* Returns: whether a server says that line */
static gboolean
take_line (Client *client, const char *line)
{
  if (client->n_listed > 0)
    {
      g_print (_ ("%s is here\n"), line);
      client->n_listed--;
    }
  else if (g_str_has_prefix (line, "joined "))
    g_print (_ ("%s has come\n"), line + strlen ("joined "));
  else if (g_str_has_prefix (line, "left "))
    g_print (_ ("%s has gone\n"), line + strlen ("left "));
  else
    return take_answer (client, line);
  return TRUE;
}

static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = example_link_receive_finish (client->link, result, &error);

  if (line == NULL || !take_line (client, line))
    {
      example_fail (client->example, line != NULL ? line : error->message);
      return;
    }
  go_on (client);
  example_link_receive_async (client->link, received_cb, client);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *who = g_steal_pointer (&client->request);

  if (!example_link_connect_finish (client->link, result, &error))
    {
      example_fail (client->example, error->message);
      return;
    }
  send_line (client, who);
  example_link_receive_async (client->link, received_cb, client);
}

/* Begins with who this is, NAME and AGE in a line. Takes it over. */
static void
begin (Client *client, char *who)
{
  client->request = g_strdelimit (who, "\r\n", ' ');
  example_link_connect_async (client->link, connected_cb, client);
}

/* A person, or a file, has said something: who this is, or a question. */
static void
typed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = example_line_read_finish (client->input, result, NULL, &error);

  client->reading = FALSE;
  if (error != NULL)
    example_fail (client->example, error->message);
  else if (line == NULL)
    example_quit (client->example, 0);
  else if (client->watches)
    send_line (client, *line != '\0' ? line : "who");
  else
    begin (client, g_steal_pointer (&line));
}

/* Does what comes next when all that was asked for has come. */
static void
go_on (Client *client)
{
  if (client->sending || client->reading || client->since != 0 || client->n_listed > 0)
    return;
  if (client->watches)
    {
      client->reading = TRUE;
      example_line_read_async (client->input, NULL, typed_cb, client);
      return;
    }
  client->watches = TRUE;
  send_line (client, "watch");
}

int
main (int argc, char **argv)
{
  static char **words;
  static const GOptionEntry entries[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, N_ ("[NAME AGE]") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "presence-client",
    .summary
    = N_ ("Says a name and an age to a presence-server, and shows who else is there, comes and goes."),
    .address = "localhost:5555",
    .entries = entries,
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Client) client = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);

  client.example = example;
  client.link = example_link_new (example, 0);
  client.input = example_line_open_input (EXAMPLE_LINE_LIMIT);
  if (words != NULL)
    begin (&client, g_strjoinv (" ", words));
  else
    {
      example_line_prompt (_ ("Name and age: "));
      example_line_read_async (client.input, NULL, typed_cb, &client);
    }
  return example_run (example);
}
