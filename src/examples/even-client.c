/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "even-numbers.h"
#include "even.h"

#include <glib/gi18n.h>

/* How many calls are under way at most: a bus keeps places for some hundred answers. */
#define MAX_CALLS 32

static gboolean use_system;
static char **texts; /* (owned) (nullable) the numbers as they were given */

static const GOptionEntry entries[] = {
  { "system", 0, 0, G_OPTION_ARG_NONE, &use_system, N_ ("Ask on the system bus, not on the session bus"),
    NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &texts, NULL, N_ ("NUMBER...") },
  { NULL },
};

typedef enum
{
  UNKNOWN,
  ODD,
  EVEN,
} Answer;

/* All numbers are asked for at once, or as many as the bus takes. The answers may come in any order: each
 * waits for those before it. */
typedef struct
{
  Example *example;
  GCancellable *cancellable;   /* (owned) */
  GDBusConnection *connection; /* (owned) (nullable) */
  gint64 *numbers;
  Answer *answers;
  guint n; /* of both */
  guint n_asked;
  guint n_shown;
  guint n_busy; /* what is under way */
} Client;

typedef struct
{
  Client *client;
  guint index;
  gint64 since;
} Call;

static void ask (Client *self);

static void
fail (Client *self, GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN))
    g_printerr (_ ("%s: nobody on the bus has the name %s\n"), g_get_prgname (), EVEN_NAME);
  else
    {
      g_dbus_error_strip_remote_error (error);
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
    }
  /* One is enough: the others would say the same. */
  g_cancellable_cancel (self->cancellable);
  example_quit (self->example, 1);
}

static void
show_answers (Client *self)
{
  for (; self->n_shown < self->n && self->answers[self->n_shown] != UNKNOWN; self->n_shown++)
    g_print (_ ("%s is even: %s\n"), texts[self->n_shown],
             self->answers[self->n_shown] == EVEN ? _ ("True") : _ ("False"));
  if (self->n_shown == self->n)
    example_quit (self->example, 0);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  Client *self = call->client;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (self->connection, result, &error);
  gboolean even;

  self->n_busy--;
  if (reply == NULL)
    {
      fail (self, error);
      return;
    }
  example_report_answered (example_get_report (self->example), 0, call->since);
  g_variant_get (reply, "(b)", &even);
  self->answers[call->index] = even ? EVEN : ODD;
  show_answers (self);
  ask (self);
}

/* Asks for as many as may be asked for now; the others follow when answers come. */
static void
ask (Client *self)
{
  for (; self->n_asked < self->n && self->n_busy < MAX_CALLS; self->n_asked++, self->n_busy++)
    {
      Call *call = g_new (Call, 1);

      *call = (Call){ self, self->n_asked, g_get_monotonic_time () };
      example_report_count (example_get_report (self->example), EXAMPLE_REQUESTS, 1);
      g_dbus_connection_call (self->connection, EVEN_NAME, EVEN_PATH, EVEN_INTERFACE, "IsEven",
                              g_variant_new ("(x)", self->numbers[self->n_asked]), G_VARIANT_TYPE ("(b)"),
                              G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, answered_cb, call);
    }
}

static void
bus_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *self = user_data;
  g_autoptr (GError) error = NULL;

  self->n_busy--;
  self->connection = g_bus_get_finish (result, &error);
  if (self->connection == NULL)
    {
      g_prefix_error (&error, "%s", _ ("cannot reach the bus: "));
      fail (self, error);
      return;
    }
  /* GDBus would end the process without a word: the calls fail, and say why. */
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  ask (self);
}

static int
client_run (Client *self)
{
  int status;

  self->cancellable = g_cancellable_new ();
  self->n_busy = 1;
  g_bus_get (use_system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, self->cancellable, bus_cb, self);
  status = example_run (self->example);
  g_cancellable_cancel (self->cancellable);
  while (self->n_busy > 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_object (&self->connection);
  g_object_unref (self->cancellable);
  return status;
}

int
main (int argc, char **argv)
{
  static const ExampleInfo info = {
    .name = "even-client",
    .summary = N_ ("Asks on D-Bus whether numbers are even."),
    .entries = entries,
  };
  g_autofree char **words = even_numbers_protect (&argc, argv);
  g_autoptr (Example) example = example_new (&info, &argc, &words);
  g_autofree gint64 *numbers = NULL;
  g_autofree Answer *answers = NULL;
  g_autoptr (GError) error = NULL;
  Client client = { .example = example };
  int status = 2;

  if (texts == NULL)
    g_printerr (_ ("%s: which number?\n"), g_get_prgname ());
  else if ((numbers = even_numbers_parse (texts, &error)) == NULL)
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  else
    {
      client.n = g_strv_length (texts);
      client.numbers = numbers;
      client.answers = answers = g_new0 (Answer, client.n);
      status = client_run (&client);
    }
  g_strfreev (texts);
  return status;
}
