/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-line.h"

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Set on a stream of whose line the rest is still to come: it was too long. */
#define IS_SKIPPING "example-line-is-skipping"

static void read_on (GTask *task);

/* Returns: (transfer full): standard input, for lines of at most LIMIT bytes with their LF */
GBufferedInputStream *
example_line_open_input (gsize limit)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);

  return G_BUFFERED_INPUT_STREAM (g_buffered_input_stream_new_sized (input, limit));
}

/* Asks the person at standard input for a line; where there is none, nothing is printed. */
void
example_line_prompt (const char *text)
{
  if (!isatty (STDIN_FILENO))
    return;
  g_print ("%s", text);
  fflush (stdout);
}

/* Takes so many bytes out of the buffer, all of which are there, and returns them without LF or CR LF. */
static void
return_line (GTask *task, gsize length)
{
  GInputStream *input = g_task_get_source_object (task);
  char *line = g_malloc (length + 1);

  g_input_stream_read (input, line, length, NULL, NULL);
  if (length > 0 && line[length - 1] == '\n')
    length--;
  if (length > 0 && line[length - 1] == '\r')
    length--;
  line[length] = '\0';
  g_task_set_task_data (task, GSIZE_TO_POINTER (length), NULL);
  g_task_return_pointer (task, line, g_free);
}

static void
filled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GBufferedInputStream *input = G_BUFFERED_INPUT_STREAM (source);
  gsize available = g_buffered_input_stream_get_available (input);
  GError *error = NULL;
  gssize n = g_buffered_input_stream_fill_finish (input, result, &error);

  if (n < 0)
    g_task_return_error (task, error);
  else if (n > 0)
    read_on (g_steal_pointer (&task));
  else if (available > 0)
    /* The last line may have no end. */
    return_line (task, available);
  else
    g_task_return_pointer (task, NULL, NULL);
}

/* Returns: how long the line is with its LF, which is in the buffer; 0: that is not there */
static gsize
find_line (GBufferedInputStream *input, gsize *available)
{
  const char *data = g_buffered_input_stream_peek_buffer (input, available);
  const char *end = *available > 0 ? memchr (data, '\n', *available) : NULL;

  return end != NULL ? end - data + 1 : 0;
}

/* Drops the rest of a line that was too long, as far as it has come. */
static void
skip_rest (GBufferedInputStream *input)
{
  gsize available, length = find_line (input, &available);

  g_input_stream_skip (G_INPUT_STREAM (input), length > 0 ? length : available, NULL, NULL);
  if (length > 0)
    g_object_set_data (G_OBJECT (input), IS_SKIPPING, NULL);
}

/* Takes over TASK. */
static void
read_on (GTask *task)
{
  GBufferedInputStream *input = g_task_get_source_object (task);
  gsize size = g_buffered_input_stream_get_buffer_size (input);
  gsize available, length;

  if (g_object_get_data (G_OBJECT (input), IS_SKIPPING) != NULL)
    skip_rest (input);
  length = find_line (input, &available);
  if (length == 0 && available < size)
    {
      g_buffered_input_stream_fill_async (input, -1, G_PRIORITY_DEFAULT, g_task_get_cancellable (task),
                                          filled_cb, task);
      return;
    }
  if (length > 0)
    return_line (task, length);
  else
    {
      g_object_set_data (G_OBJECT (input), IS_SKIPPING, input);
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, _ ("longer than %u bytes"),
                               (guint) size);
    }
  g_object_unref (task);
}

/* Begins to read a line, which has at most as many bytes as the buffer of INPUT. A GDataInputStream has no
 * such limit: who never sends LF has it take all memory. A longer one is a G_IO_ERROR_MESSAGE_TOO_LARGE, and
 * the line behind it can be read next. */
void
example_line_read_async (GBufferedInputStream *input,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task = g_task_new (input, cancellable, callback, user_data);

  g_task_set_source_tag (task, example_line_read_async);
  read_on (task);
}

/* Ends to read a line. LENGTH (out) (optional): its bytes, among which may be a 0.
 *
 * Returns: (transfer full): the line without its end; NULL with ERROR, or without one where no more comes */
char *
example_line_read_finish (GBufferedInputStream *input, GAsyncResult *result, gsize *length, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, input), NULL);

  if (length != NULL)
    *length = GPOINTER_TO_SIZE (g_task_get_task_data (G_TASK (result)));
  return g_task_propagate_pointer (G_TASK (result), error);
}
