/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "echo-answer.h"

#include <string.h>

/* Prepares the first answer to a client: each read goes behind the prefix, where it is answered from. */
void
echo_answer_init (EchoAnswer *self)
{
  memcpy (self->text, ECHO_PREFIX, ECHO_PREFIX_SIZE);
}

/* Counts a request of so many bytes, which has been read. Returns: the size of its answer */
gsize
echo_answer_make (EchoAnswer *self, gsize n_read, ExampleReport *report)
{
  self->since = g_get_monotonic_time ();
  example_report_count (report, EXAMPLE_REQUESTS, 1);
  example_report_count (report, EXAMPLE_BYTES_RECEIVED, n_read);
  return ECHO_PREFIX_SIZE + n_read;
}

/* Counts what was given to the client's socket: ALL of the answer, or less because the client was lost. */
void
echo_answer_count_sent (EchoAnswer *self, gsize n_written, gboolean all, ExampleReport *report)
{
  if (all)
    {
      example_report_answered (report, n_written, self->since);
      return;
    }
  example_report_count (report, EXAMPLE_BYTES_SENT, n_written);
  example_report_count (report, EXAMPLE_ERRORS, 1);
}

/* Counts why nothing more is read, if that was wrong: a client may close (no ERROR), or be silent for too
 * long, and the server may stop. */
void
echo_answer_count_end (const GError *error, ExampleReport *report)
{
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    example_report_count (report, EXAMPLE_ERRORS, 1);
}
