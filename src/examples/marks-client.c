/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-client.h"

#include "marks-json.h"

static gboolean
late_cb (gpointer user_data)
{
  MarksClient *self = user_data;

  self->timer = 0;
  g_cancellable_cancel (self->late);
  return G_SOURCE_REMOVE;
}

/* Begins the time that the client has: a request, and the taking of its answer, may take as long as
 * a client may be silent. Who sends a byte now and then gains nothing. */
void
marks_client_begin_waiting (MarksClient *self)
{
  self->late = g_cancellable_new ();
  if (self->seconds > 0)
    self->timer = g_timeout_add_seconds (self->seconds, late_cb, self);
}

/* The client has done its part in time. */
void
marks_client_end_waiting (MarksClient *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_object (&self->late);
}

/* Ends the connection, when nothing is under way any more. */
void
marks_client_end (MarksClient *self)
{
  marks_client_end_waiting (self);
  example_close (self->example, self->connection);
  g_object_unref (self->connection);
  g_object_unref (self->input);
  g_clear_object (&self->output);
  if (self->refusal != NULL)
    g_string_free (self->refusal, TRUE);
  marks_head_clear (&self->head);
  g_free (self);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MarksClient *self = user_data;
  ExampleReport *report = example_get_report (self->example);
  gsize n;

  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, NULL))
    example_report_answered (report, n, self->since);
  else
    example_report_count (report, EXAMPLE_ERRORS, 1);
  marks_client_end (self);
}

/* Writes the answer, which belongs to the client, and then ends. */
void
marks_client_answer (MarksClient *self, const char *answer, gsize size)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));

  marks_client_begin_waiting (self);
  g_output_stream_write_all_async (output, answer, size, G_PRIORITY_DEFAULT, self->late, written_cb, self);
}

/* Answers what is wrong with a request that SoupServer does not get to see, and then ends. */
void
marks_client_refuse (MarksClient *self, const MarksFault *fault)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *date = soup_date_time_to_string (now, SOUP_DATE_HTTP);
  GString *body = marks_json_format_error (fault->status, fault->code, NULL, fault->reason);

  self->refusal = g_string_new (NULL);
  g_string_printf (self->refusal,
                   "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   fault->status, fault->reason, date, body->len, body->str);
  g_string_free (body, TRUE);
  example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
  marks_client_answer (self, self->refusal->str, self->refusal->len);
}
