/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-lines.h"

#include "chat-input.h"

#include <glib/gi18n.h>

/**
 * ChatLines:
 *
 * The lines of a stream that can be sent, one after another, in bounded memory.
 */
struct ChatLines
{
  GInputStream *stream; /* (owned) */
  ChatInput input;
  gboolean is_skipping; /* the rest of a line that is too long */
  gboolean is_at_end;
};

static void next_line (ChatLines *self, GTask *task);

/* Makes the lines of a stream, which live as long as the program. */
ChatLines *
chat_lines_new (GInputStream *stream)
{
  ChatLines *self = g_new0 (ChatLines, 1);

  self->stream = stream;
  self->input.has_lines = TRUE;
  return self;
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  ChatLines *self = g_task_get_task_data (task);
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (n > 0)
    chat_input_add (&self->input, n);
  else
    {
      self->is_at_end = TRUE;
      /* The last line may lack its LF. */
      chat_input_release (&self->input, TRUE);
    }
  if (n >= 0)
    next_line (self, task);
  else
    {
      g_task_return_error (task, error);
      g_object_unref (task);
    }
}

/* Returns: the next line that is not empty, or %NULL, with ERROR set where that line cannot be sent */
static char *
take_line (ChatLines *self, GError **error)
{
  gboolean is_rest = self->is_skipping, is_line;
  gsize length;
  char *line;

  if (chat_input_is_too_long (&self->input))
    {
      self->input.length = 0;
      self->is_skipping = TRUE;
      if (!is_rest)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                             _ ("a line of more than 1023 bytes was not sent"));
      return NULL;
    }
  while ((line = chat_input_take (&self->input, &length, &is_line)) != NULL)
    {
      is_rest = self->is_skipping;
      self->is_skipping = FALSE;
      if (!is_rest && !g_utf8_validate_len (line, length, NULL))
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                               _ ("a line that is not UTF-8 was not sent"));
          g_free (line);
          return NULL;
        }
      if (!is_rest && *g_strchomp (line) != '\0')
        return line;
      g_free (line);
    }
  return NULL;
}

/* Gives the task what there is, or reads more. */
static void
next_line (ChatLines *self, GTask *task)
{
  GError *error = NULL;
  char *line = take_line (self, &error), *space;
  gsize size;

  if (line == NULL && error == NULL && !self->is_at_end)
    {
      space = chat_input_get_space (&self->input, &size);
      g_input_stream_read_async (self->stream, space, size, G_PRIORITY_DEFAULT, NULL, read_cb, task);
      return;
    }
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, line, g_free);
  g_object_unref (task);
}

/* Waits for the next line that is not empty. */
void
chat_lines_next_async (ChatLines *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, chat_lines_next_async);
  g_task_set_task_data (task, self, NULL);
  next_line (self, task);
}

/* Returns: (transfer full) (nullable): the line, without its LF; %NULL without an error at the end; with one
 * for a line that cannot be sent, behind which the next may be asked for */
char *
chat_lines_next_finish (ChatLines *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, chat_lines_next_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
