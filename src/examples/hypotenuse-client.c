/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-ask.h"
#include "example-line.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define ANSWER_SECONDS 30

/* One question, from the legs to the answer: each step ends in a callback, which begins the next one. */
typedef struct
{
  Example *example;            /* (unowned) */
  ExampleLink *link;           /* (owned) */
  GBufferedInputStream *input; /* (owned) (nullable) where the legs come from */
  char *request;               /* (owned) (nullable) */
} Client;

static void
client_clear (Client *client)
{
  g_clear_pointer (&client->link, example_link_free);
  g_clear_object (&client->input);
  g_free (client->request);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Client, client_clear)

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
  g_print (_ ("Hypotenuse = %s\n"), answer);
  example_quit (client->example, 0);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;

  if (!example_link_connect_finish (client->link, result, &error))
    {
      example_fail (client->example, error->message);
      return;
    }
  example_link_ask_async (client->link, client->request, answered_cb, client);
}

/* Begins with the two legs as they were written. Returns: whether they are numbers; which ones serve is for
 * the server to say */
static gboolean
begin (Client *client, char *const *legs)
{
  char numbers[2][G_ASCII_DTOSTR_BUF_SIZE];

  if (g_strv_length ((char **) legs) != 2)
    return FALSE;
  for (int i = 0; i < 2; i++)
    {
      char *end;
      double leg = g_ascii_strtod (g_strstrip (legs[i]), &end);

      /* It reads hexadecimal numbers as well, which are none in JSON. */
      if (end == legs[i] || strpbrk (legs[i], "xX") != NULL || *end != '\0' || !isfinite (leg))
        return FALSE;
      g_ascii_dtostr (numbers[i], sizeof numbers[i], leg);
    }
  /* So little is written by hand: json-glib would write 1e+30 as 1e+30.0, which is no JSON. */
  client->request = g_strdup_printf ("{\"a\": %s, \"b\": %s}", numbers[0], numbers[1]);
  example_link_connect_async (client->link, connected_cb, client);
  return TRUE;
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = example_line_read_finish (client->input, result, NULL, &error);
  g_auto (GStrv) legs = line != NULL ? g_strsplit (line, ",", 3) : NULL;

  if (error != NULL)
    example_fail (client->example, error->message);
  else if (legs == NULL)
    example_fail (client->example, _ ("there are no legs"));
  else if (!begin (client, legs))
    example_fail (client->example, _ ("the legs are two numbers with a comma between, as in 3, 4"));
}

static void
ask (Client *client)
{
  example_line_prompt (_ ("Legs of the right triangle: "));
  client->input = example_line_open_input (EXAMPLE_LINE_LIMIT);
  example_line_read_async (client->input, NULL, read_cb, client);
}

int
main (int argc, char **argv)
{
  static char **legs;
  static const GOptionEntry entries[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &legs, NULL, N_ ("[A B]") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "hypotenuse-client",
    .summary
    = N_ ("Asks a hypotenuse-server for the hypotenuse of a right triangle with these legs; without them, "
          "standard input has them in a line: 3, 4."),
    .address = "localhost:8000",
    .entries = entries,
  };
  /* Outlives the example, whose end may still run callbacks. */
  g_auto (Client) client = { 0 };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);

  client.example = example;
  client.link = example_link_new (example, ANSWER_SECONDS);
  if (legs == NULL)
    ask (&client);
  else if (!begin (&client, legs))
    {
      g_printerr (_ ("%s: the legs are two numbers, as in 3 4\n"), g_get_prgname ());
      return 2;
    }
  return example_run (example);
}
