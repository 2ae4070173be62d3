/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-line.h"
#include "presence.h"

#define LINE_LIMIT 1024
/* What may wait for a client that does not read what it is told. */
#define UNSENT_LIMIT (64 * 1024)
/* How long it may take to read the last of that. */
#define LAST_SECONDS 5

/* Others come and go at any time, so a user may be written to while it is read from. What is to be said waits
 * in a queue; the user has gone when neither a read nor a write is under way any more. */
static void go_on (PresenceUser *self);

static gboolean
timer_cb (gpointer user_data)
{
  PresenceUser *self = user_data;

  self->timer = 0;
  if (self->is_last)
    g_socket_shutdown (g_socket_connection_get_socket (self->connection), TRUE, TRUE, NULL);
  else
    presence_user_dismiss (self, "error: you did not say who you are\n");
  return G_SOURCE_REMOVE;
}

/* The user goes when all is sent, or when it has not taken that for too long. */
static void
stop_reading (PresenceUser *self)
{
  self->is_last = TRUE;
  g_cancellable_cancel (self->ending);
  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add_seconds (LAST_SECONDS, timer_cb, self);
}

static void
user_end (PresenceUser *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  presence_room_leave (self->room, self);
  example_close (self->room->example, self->connection);
  g_object_unref (self->connection);
  g_object_unref (self->input);
  g_object_unref (self->ending);
  g_string_free (self->unsent, TRUE);
  g_free (self->name);
  g_free (self);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PresenceUser *self = user_data;
  ExampleReport *report = example_get_report (self->room->example);
  g_autoptr (GError) error = NULL;
  gsize length;
  g_autofree char *line = example_line_read_finish (self->input, result, &length, &error);

  self->reading = FALSE;
  if (self->is_last)
    ;
  else if (line != NULL)
    {
      self->since = g_get_monotonic_time ();
      example_report_count (report, EXAMPLE_REQUESTS, 1);
      example_report_count (report, EXAMPLE_BYTES_RECEIVED, length + 1);
      presence_room_take (self->room, self, line, length);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    presence_user_dismiss (self, "error: longer than 1024 bytes\n");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    presence_user_dismiss (self, "error: nothing came for too long\n");
  else
    {
      if (error != NULL)
        example_report_count (report, EXAMPLE_ERRORS, 1);
      stop_reading (self);
    }
  go_on (self);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PresenceUser *self = user_data;
  ExampleReport *report = example_get_report (self->room->example);
  gsize n;
  gboolean written = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, NULL);

  g_string_free (g_steal_pointer (&self->sending), TRUE);
  if (written && self->sending_since != 0)
    example_report_answered (report, n, self->sending_since);
  else
    example_report_count (report, EXAMPLE_BYTES_SENT, n);
  if (!written)
    {
      example_report_count (report, EXAMPLE_ERRORS, 1);
      g_string_truncate (self->unsent, 0);
      stop_reading (self);
    }
  go_on (self);
}

static void
write_unsent (PresenceUser *self)
{
  if (self->sending != NULL || self->unsent->len == 0)
    return;
  self->sending = self->unsent;
  self->unsent = g_string_new (NULL);
  self->sending_since = self->since;
  self->since = 0;
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (self->connection)),
                                   self->sending->str, self->sending->len, G_PRIORITY_DEFAULT, NULL,
                                   written_cb, self);
}

/* Behind a read or a write: begins what comes next. A request is read when the last one's answer has been
 * sent. */
static void
go_on (PresenceUser *self)
{
  write_unsent (self);
  if (self->reading || self->sending != NULL)
    return;
  if (self->is_last)
    {
      user_end (self);
      return;
    }
  self->reading = TRUE;
  example_line_read_async (self->input, self->ending, read_cb, self);
}

/* Has TEXT, one line or more, sent to the user. Whose queue is long does not read; there the socket is shut,
 * whereupon all that is under way comes to its end. */
void
presence_user_say (PresenceUser *self, const char *text)
{
  if (self->is_last)
    return;
  if (g_str_has_prefix (text, "error: "))
    example_report_count (example_get_report (self->room->example), EXAMPLE_ERRORS, 1);
  if (self->unsent->len > UNSENT_LIMIT)
    {
      stop_reading (self);
      g_socket_shutdown (g_socket_connection_get_socket (self->connection), TRUE, TRUE, NULL);
      return;
    }
  g_string_append (self->unsent, text);
  write_unsent (self);
}

/* Sends the user away; TEXT, an error, is the last that it hears. */
void
presence_user_dismiss (PresenceUser *self, const char *text)
{
  if (self->is_last)
    return;
  example_report_count (example_get_report (self->room->example), EXAMPLE_ERRORS, 1);
  g_string_append (self->unsent, text);
  write_unsent (self);
  stop_reading (self);
}

/* Begins with a client, of which nothing is known yet; or refuses it where there are too many. */
void
presence_user_start (PresenceRoom *room, GSocketConnection *connection)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  PresenceUser *self;

  if (!example_open (room->example, connection))
    return;
  /* A user may be silent for long: so the system finds out whether its machine is still there. */
  g_socket_set_keepalive (g_socket_connection_get_socket (connection), TRUE);
  self = g_new0 (PresenceUser, 1);
  self->room = room;
  self->connection = g_object_ref (connection);
  self->input = G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (input, LINE_LIMIT));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (self->input), FALSE);
  self->ending = g_cancellable_new ();
  self->unsent = g_string_new (NULL);
  self->timer = g_timeout_add_seconds (room->name_seconds, timer_cb, self);
  go_on (self);
}
