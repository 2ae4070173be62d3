/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-talk.h"

#include <string.h>

/* One client, from its coming to its end: read a message, write its answer, and again. At any time one of the
 * two is under way, whose callback begins the next; so a client that does not read its answers is not read
 * from either. */
typedef struct
{
  Example *example;              /* (unowned) */
  const ExampleTalkClass *class; /* (unowned) */
  GSocketConnection *connection; /* (owned) */
  GBufferedInputStream *input;   /* (owned) has room for one message */
  gpointer client;               /* what the class keeps for it */
  char *answer;                  /* (owned) (nullable) the one under way */
  gint64 since;                  /* when its message was there */
  gboolean is_last;              /* nothing follows that answer */
} Talk;

static void read_message (Talk *talk);

static void
talk_end (Talk *talk)
{
  if (talk->class->left != NULL)
    talk->class->left (talk->client);
  example_close (talk->example, talk->connection);
  g_object_unref (talk->input);
  g_object_unref (talk->connection);
  g_free (talk->answer);
  g_free (talk);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Talk *talk = user_data;
  gsize n;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, &n, NULL))
    {
      example_report_count (example_get_report (talk->example), EXAMPLE_ERRORS, 1);
      talk_end (talk);
      return;
    }
  example_report_answered (example_get_report (talk->example), n, talk->since);
  g_clear_pointer (&talk->answer, g_free);
  if (talk->is_last)
    talk_end (talk);
  else
    read_message (talk);
}

static void
write_answer (Talk *talk, char *answer)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (talk->connection));

  talk->answer = answer;
  if (g_str_has_prefix (answer, "error: "))
    example_report_count (example_get_report (talk->example), EXAMPLE_ERRORS, 1);
  g_output_stream_write_all_async (output, answer, strlen (answer), G_PRIORITY_DEFAULT, NULL, written_cb,
                                   talk);
}

/* Takes a message out of the buffer and answers it. */
static void
take_message (Talk *talk, gsize length)
{
  ExampleReport *report = example_get_report (talk->example);
  g_autofree char *message = g_malloc (length + 1);
  char *answer;

  /* All of it is in the buffer. */
  g_input_stream_read (G_INPUT_STREAM (talk->input), message, length, NULL, NULL);
  message[length] = '\0';
  talk->since = g_get_monotonic_time ();
  example_report_count (report, EXAMPLE_REQUESTS, 1);
  example_report_count (report, EXAMPLE_BYTES_RECEIVED, length);
  answer = talk->class->answer (message, length, talk->client, &talk->is_last);
  if (answer != NULL)
    write_answer (talk, answer);
  else
    talk_end (talk);
}

static void
filled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Talk *talk = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_buffered_input_stream_fill_finish (talk->input, result, &error);

  if (n > 0)
    {
      read_message (talk);
      return;
    }
  talk->is_last = TRUE;
  talk->since = g_get_monotonic_time ();
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    write_answer (talk, g_strdup ("error: nothing came for too long\n"));
  else if (n == 0 && g_buffered_input_stream_get_available (talk->input) > 0)
    /* Some clients send no end, but close their side. */
    take_message (talk, g_buffered_input_stream_get_available (talk->input));
  else
    {
      if (n < 0)
        example_report_count (example_get_report (talk->example), EXAMPLE_ERRORS, 1);
      talk_end (talk);
    }
}

/* What stands between messages is no part of one, and needs no room. */
static void
skip_to_message (Talk *talk)
{
  gsize available;
  const char *data = g_buffered_input_stream_peek_buffer (talk->input, &available);
  gsize n = talk->class->find_begin != NULL && available > 0 ? talk->class->find_begin (data, available) : 0;

  if (n == 0)
    return;
  example_report_count (example_get_report (talk->example), EXAMPLE_BYTES_RECEIVED, n);
  g_input_stream_skip (G_INPUT_STREAM (talk->input), n, NULL, NULL);
}

static void
read_message (Talk *talk)
{
  const char *data;
  gsize available, length;

  skip_to_message (talk);
  data = g_buffered_input_stream_peek_buffer (talk->input, &available);
  length = available > 0 ? talk->class->find_end (data, available) : 0;
  if (length > 0)
    take_message (talk, length);
  else if (available < talk->class->message_limit)
    g_buffered_input_stream_fill_async (talk->input, -1, G_PRIORITY_DEFAULT, NULL, filled_cb, talk);
  else
    {
      /* Where the next message would begin is not known. */
      talk->is_last = TRUE;
      talk->since = g_get_monotonic_time ();
      write_answer (talk, g_strdup_printf ("error: longer than %zu bytes\n", talk->class->message_limit));
    }
}

/* Talks with a client until one of the two has enough, or refuses it where there are too many. */
void
example_talk_start (Example *example,
                    GSocketConnection *connection,
                    const ExampleTalkClass *class,
                    gpointer user_data)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  Talk *talk;

  if (!example_open (example, connection))
    return;
  talk = g_new0 (Talk, 1);
  talk->example = example;
  talk->class = class;
  talk->connection = g_object_ref (connection);
  talk->input = G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (input, class->message_limit));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (talk->input), FALSE);
  talk->client = class->joined != NULL ? class->joined (user_data) : user_data;
  read_message (talk);
}

/* Where messages are lines. Returns: the size of the first one with its LF, or 0 */
gsize
example_talk_find_line (const char *data, gsize length)
{
  const char *end = memchr (data, '\n', length);

  return end != NULL ? end - data + 1 : 0;
}
