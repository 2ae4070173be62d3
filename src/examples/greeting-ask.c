/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "greeting-ask.h"

#include "example-text.h"
#include "greeting.h"

#include <glib/gi18n.h>
#include <string.h>

/* A question under way. It has a source for each of the two things that may happen: the socket has something,
 * or the time is over. Whichever comes first says how it goes on. */
typedef struct
{
  char *greeting;
  int tries;             /* that are left */
  guint wait_msec;       /* for the next answer */
  ExampleReport *report; /* (unowned) */
  GSocket *socket;       /* (owned) (nullable) */
  GSource *source;       /* (owned) (nullable) */
  guint timer;
  gint64 since; /* when it was last asked */
} Ask;

static void
ask_stop (Ask *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

static void
ask_free (gpointer data)
{
  Ask *self = data;

  ask_stop (self);
  g_clear_object (&self->socket);
  g_free (self->greeting);
  g_free (self);
}

/* Ends the question, which has failed or is no longer wanted; the reference to TASK was its own. */
static void
fail (GTask *task, GError *error)
{
  Ask *self = g_task_get_task_data (task);

  ask_stop (self);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    example_report_count (self->report, EXAMPLE_ERRORS, 1);
  g_task_return_error (task, error);
  g_object_unref (task);
}

static gboolean timeout_cb (gpointer user_data);

static void
send_greeting (GTask *task)
{
  Ask *self = g_task_get_task_data (task);
  GError *error = NULL;
  gssize n = g_socket_send (self->socket, self->greeting, strlen (self->greeting), NULL, &error);

  /* One that would have to wait is lost, as any datagram may be. */
  if (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      fail (task, error);
      return;
    }
  g_clear_error (&error);
  example_report_count (self->report, EXAMPLE_REQUESTS, 1);
  example_report_count (self->report, EXAMPLE_BYTES_SENT, MAX (n, 0));
  self->since = g_get_monotonic_time ();
  self->tries--;
  self->timer = g_timeout_add (self->wait_msec, timeout_cb, task);
  /* A server that has much to do is not asked faster than it answers. */
  self->wait_msec *= 2;
}

/* The greeting was lost, or its answer was, or it is late. It may be said again, for who hears it twice does
 * nothing else than who hears it once; and of two answers the first one is enough. */
static gboolean
timeout_cb (gpointer user_data)
{
  GTask *task = user_data;
  Ask *self = g_task_get_task_data (task);

  self->timer = 0;
  if (self->tries > 0)
    send_greeting (task);
  else
    fail (task, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _ ("no answer came in time")));
  return G_SOURCE_REMOVE;
}

static gboolean
readable_cb (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  GTask *task = user_data;
  Ask *self = g_task_get_task_data (task);
  char buffer[GREETING_LIMIT];
  GError *error = NULL;
  gssize n = g_socket_receive (socket, buffer, sizeof buffer, g_task_get_cancellable (task), &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      /* One came whose checksum was wrong. */
      g_error_free (error);
      return G_SOURCE_CONTINUE;
    }
  if (n < 0)
    {
      fail (task, error);
      return G_SOURCE_REMOVE;
    }
  ask_stop (self);
  example_report_count (self->report, EXAMPLE_BYTES_RECEIVED, n);
  example_report_answered (self->report, 0, self->since);
  g_task_return_pointer (task, example_printable (buffer, n, GREETING_SHOWN_CHARACTERS), g_free);
  g_object_unref (task);
  return G_SOURCE_REMOVE;
}

/* Says GREETING to ADDRESS up to TRIES times, until an answer comes: first it waits for that so many
 * milliseconds, then twice as long each time. What it sends and gets is counted by REPORT, which lives as
 * long as this is under way.
 *
 * The socket is connected. For datagrams that sends nothing, but then what comes is from that address alone,
 * and the socket gets an error when the other machine says that nobody listens there. */
void
greeting_ask_async (GSocketAddress *address,
                    const char *greeting,
                    int tries,
                    guint wait_msec,
                    ExampleReport *report,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GTask *task = g_task_new (address, cancellable, callback, user_data);
  Ask *self = g_new0 (Ask, 1);
  GError *error = NULL;

  g_task_set_source_tag (task, greeting_ask_async);
  g_task_set_task_data (task, self, ask_free);
  self->greeting = g_strdup (greeting);
  self->tries = tries;
  self->wait_msec = wait_msec;
  self->report = report;
  self->socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, &error);
  if (self->socket == NULL || !g_socket_connect (self->socket, address, NULL, &error))
    {
      fail (task, error);
      return;
    }
  g_socket_set_blocking (self->socket, FALSE);
  self->source = g_socket_create_source (self->socket, G_IO_IN, cancellable);
  g_source_set_callback (self->source, G_SOURCE_FUNC (readable_cb), task, NULL);
  g_source_attach (self->source, NULL);
  send_greeting (task);
}

/* Returns: (transfer full): the answer, as text that may be shown; NULL: none, and ERROR is set */
char *
greeting_ask_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
