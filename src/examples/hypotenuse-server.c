/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-talk.h"
#include "hypotenuse-request.h"

#include <glib/gi18n.h>
#include <math.h>

#define REQUEST_LIMIT 1024
#define MAX_DIGITS 17
#define PLAIN_DIGITS 15

/* Returns: the number with as few digits as are read back as the same, and LF */
static char *
write_number (double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  /* So few digits never differ from the ones that are needed, and 100 does not become 1e+02. */
  gboolean is_plain = number >= 1e-4 && number < 1e15;

  for (int digits = is_plain ? PLAIN_DIGITS : 1; digits <= MAX_DIGITS; digits++)
    {
      char format[] = "%.00g";

      format[2] += digits / 10;
      format[3] += digits % 10;
      g_ascii_formatd (text, sizeof text, format, number);
      if (g_ascii_strtod (text, NULL) == number)
        break;
    }
  return g_strconcat (text, "\n", NULL);
}

/* Answers one request. What is in it may be wrong, and the next one be right: its beginning is known. */
static char *
answer (const char *message, gsize length, gpointer client, gboolean *is_last)
{
  g_autoptr (GError) error = NULL;
  double a, b, hypotenuse;

  if (message[0] != '{')
    {
      *is_last = TRUE;
      return g_strdup ("error: a request is {\"a\": NUMBER, \"b\": NUMBER}\n");
    }
  if (!hypotenuse_read_legs (message, length, &a, &b, &error))
    return g_strdup_printf ("error: %s\n", error->message);
  /* Unlike sqrt (a * a + b * b), this has no square that could be too large or too small. */
  hypotenuse = hypot (a, b);
  if (!isfinite (hypotenuse))
    return g_strdup ("error: the hypotenuse is too large\n");
  return write_number (hypotenuse);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  static const ExampleTalkClass class = {
    .message_limit = REQUEST_LIMIT,
    .find_begin = hypotenuse_find_begin,
    .find_end = hypotenuse_find_end,
    .answer = answer,
  };

  example_talk_start (user_data, connection, &class, NULL);
  return TRUE;
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "hypotenuse-server",
    .summary = N_ ("Takes the legs of right triangles, as JSON, and answers with the hypotenuse of each."),
    .address = "localhost:8000",
    .idle_seconds = 600,
    .is_server = TRUE,
  };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();

  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), example);
  if (!example_listen (example, G_SOCKET_LISTENER (service)))
    return 1;
  return example_run (example);
}
