/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example.h"
#include "greeting-ask.h"
#include "greeting.h"

#include <glib/gi18n.h>

#define MAX_TRIES 10
#define MAX_WAIT_MSEC 60000

static int tries = 4;
static int wait_msec = 500;
static char **words; /* (owned) (nullable) */

static const GOptionEntry entries[] = {
  { "tries", 0, 0, G_OPTION_ARG_INT, &tries, N_ ("How often each address is asked (default: 4)"), N_ ("N") },
  { "wait", 0, 0, G_OPTION_ARG_INT, &wait_msec,
    N_ ("How long to wait for the first answer; twice as long each time (default: 500)"),
    N_ ("MILLISECONDS") },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, N_ ("[GREETING]") },
  { NULL },
};

/* A name may stand for several addresses: each is asked, until one answers. */
typedef struct
{
  Example *example;
  char *greeting;
  GSocketAddressEnumerator *addresses; /* (owned) those that are left */
  GSocketAddress *address;             /* (owned) (nullable) the one that is asked */
  GCancellable *cancellable;           /* (owned) */
  GError *error;                       /* (owned) (nullable) what was wrong with the last one */
  gboolean busy;                       /* something is under way */
} Client;

static void address_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
ask_next_address (Client *self)
{
  g_clear_object (&self->address);
  g_socket_address_enumerator_next_async (self->addresses, self->cancellable, address_cb, self);
}

static void
client_end (Client *self, int status)
{
  self->busy = FALSE;
  example_quit (self->example, status);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *self = user_data;
  g_autofree char *address = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (self->address));
  g_autofree char *answer = NULL;

  g_clear_error (&self->error);
  answer = greeting_ask_finish (result, &self->error);
  if (answer == NULL)
    ask_next_address (self);
  else if (g_str_has_prefix (answer, GREETING_ERROR))
    {
      example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
      g_printerr (_ ("%s: %s answers: %s\n"), g_get_prgname (), address, answer);
      client_end (self, 1);
    }
  else
    {
      g_print (_ ("%s answers: %s\n"), address, answer);
      client_end (self, 0);
    }
}

static void
address_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *self = user_data;
  g_autoptr (GError) error = NULL;

  self->address = g_socket_address_enumerator_next_finish (self->addresses, result, &error);
  if (self->address != NULL)
    {
      greeting_ask_async (self->address, self->greeting, tries, wait_msec, example_get_report (self->example),
                          self->cancellable, answered_cb, self);
      return;
    }
  if (error == NULL)
    error = g_steal_pointer (&self->error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_printerr (_ ("%s: nobody answers at %s: %s\n"), g_get_prgname (), example_get_address (self->example),
                error != NULL ? error->message : _ ("it has no address"));
  client_end (self, 1);
}

/* Asks until there is an answer, no address is left, or a signal ends the program. */
static int
client_run (Client *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) host
      = g_network_address_parse (example_get_address (self->example), 0, &error);
  int status;

  if (host == NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return 2;
    }
  self->addresses = g_socket_connectable_enumerate (host);
  self->cancellable = g_cancellable_new ();
  self->busy = TRUE;
  ask_next_address (self);
  status = example_run (self->example);
  g_cancellable_cancel (self->cancellable);
  while (self->busy)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (self->addresses);
  g_object_unref (self->cancellable);
  g_clear_object (&self->address);
  g_clear_error (&self->error);
  return status;
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "greeting-client",
    .summary = N_ ("Greets a server by a datagram, and shows what it answers."),
    .address = "localhost:8000",
    .entries = entries,
  };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autofree char *greeting = words != NULL ? g_strjoinv (" ", words) : g_strdup (GREETING);
  Client client = { .example = example, .greeting = greeting };

  g_strfreev (words);
  if (tries < 1 || tries > MAX_TRIES || wait_msec < 1 || wait_msec > MAX_WAIT_MSEC)
    {
      g_printerr (_ ("%s: --tries is 1 to %d, --wait 1 to %d\n"), g_get_prgname (), MAX_TRIES, MAX_WAIT_MSEC);
      return 2;
    }
  return client_run (&client);
}
