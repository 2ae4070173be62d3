/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "echo-serve.h"

#include "echo-answer.h"

/* A client that has been served, on its way back to the main loop. */
typedef struct
{
  Example *example;              /* (unowned) */
  GSocketConnection *connection; /* (owned) */
} Served;

/* Waits until the client has taken its answer, however long that is below --idle-timeout. */
static gboolean
write_answer (GSocketConnection *connection,
              EchoAnswer *answer,
              gsize size,
              GCancellable *stop,
              ExampleReport *report)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GError) error = NULL;
  gsize n;
  gboolean all = g_output_stream_write_all (output, answer->text, size, &n, stop, &error);

  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    echo_answer_count_sent (answer, n, all, report);
  return all;
}

static gboolean
served_cb (gpointer user_data)
{
  Served *served = user_data;

  example_close (served->example, served->connection);
  g_object_unref (served->connection);
  g_free (served);
  return G_SOURCE_REMOVE;
}

/* Serves a client until it ends or STOP is cancelled, and gives it back to the main loop, which closes the
 * connection. What echo.c has cut into callbacks is a loop here: the thread itself waits, for this client and
 * for nothing else. */
void
echo_serve (Example *example, GSocketConnection *connection, GCancellable *stop)
{
  ExampleReport *report = example_get_report (example);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autoptr (GError) error = NULL;
  Served *served = g_new (Served, 1);
  EchoAnswer answer;
  gssize n;

  echo_answer_init (&answer);
  while ((n = g_input_stream_read (input, answer.text + ECHO_PREFIX_SIZE, ECHO_READ_SIZE, stop, &error)) > 0)
    if (!write_answer (connection, &answer, echo_answer_make (&answer, n, report), stop, report))
      break;
  echo_answer_count_end (error, report);
  served->example = example;
  served->connection = g_object_ref (connection);
  g_idle_add_full (G_PRIORITY_DEFAULT, served_cb, served, NULL);
}
