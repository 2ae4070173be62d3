/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-outbox.h"

#include <string.h>

/* How many may wait for a client, each at most what a read brings: 1 or 2 MB. It is more than 1000 clients
 * can say while the main loop goes round once, so only who does not read finds it full. */
#define QUEUE_LIMIT 1024
/* How many leave with one system call. */
#define WRITE_LIMIT 64
/* How long a client that leaves may take for what is still due to it. */
#define CLOSE_SECONDS 5

/**
 * ChatOutbox:
 *
 * What is due to a client, in order: at most one write is under way, and behind it waits a queue. When the
 * queue is full, what comes is lost to this client alone, who is told so in the place where it is missing:
 * nobody else ever waits for a client that reads slowly.
 */
struct ChatOutbox
{
  Example *example;
  GSocketConnection *connection; /* (owned) */
  GQueue queue; /* (owned) (element-type ChatMessage) the first n_vectors are being written */
  GOutputVector vectors[WRITE_LIMIT];
  guint n_vectors;           /* 0: no write is under way */
  guint n_lost;              /* messages that found the queue full, which has not been said yet */
  gboolean uses_lines;       /* the client wants an LF behind every message */
  gboolean has_failed;       /* nothing can be written any more */
  gboolean is_closing;       /* nothing more will come */
  GCancellable *cancellable; /* (owned) of the write */
  guint timer;
};

static void write_next (ChatOutbox *self);

/* Makes an outbox for a client that example_open() let in. */
ChatOutbox *
chat_outbox_new (Example *example, GSocketConnection *connection)
{
  ChatOutbox *self = g_new0 (ChatOutbox, 1);

  self->example = example;
  self->connection = g_object_ref (connection);
  self->cancellable = g_cancellable_new ();
  g_queue_init (&self->queue);
  return self;
}

static void
outbox_free (ChatOutbox *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_queue_clear_full (&self->queue, (GDestroyNotify) chat_message_unref);
  example_close (self->example, self->connection);
  g_object_unref (self->connection);
  g_object_unref (self->cancellable);
  g_free (self);
}

static ChatMessage *
new_message (const char *text)
{
  ChatMessage *message = chat_message_new (g_get_monotonic_time ());

  chat_message_add (message, text, strlen (text), TRUE);
  return message;
}

/* Now there is room again: says what is missing here. */
static void
tell_loss (ChatOutbox *self)
{
  g_autofree char *text = g_strdup_printf ("error: %u messages lost, read faster", self->n_lost);

  g_queue_push_tail (&self->queue, new_message (text));
  self->n_lost = 0;
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ChatOutbox *self = user_data;
  ExampleReport *report = example_get_report (self->example);
  ChatMessage *first = g_queue_peek_head (&self->queue);
  gsize n;

  if (g_output_stream_writev_all_finish (G_OUTPUT_STREAM (source), result, &n, NULL))
    example_report_answered (report, n, first->since);
  else
    {
      /* The server goes on reading from it, and learns there that it is gone. */
      self->has_failed = TRUE;
      if (!self->is_closing)
        example_report_count (report, EXAMPLE_ERRORS, 1);
    }
  for (; self->n_vectors > 0; self->n_vectors--)
    chat_message_unref (g_queue_pop_head (&self->queue));
  if (self->n_lost > 0 && self->queue.length <= QUEUE_LIMIT / 2)
    tell_loss (self);
  write_next (self);
}

/* Begins to write what waits, unless a write is under way, whose callback does it. */
static void
write_next (ChatOutbox *self)
{
  if (self->n_vectors > 0)
    return;
  if (self->has_failed)
    g_queue_clear_full (&self->queue, (GDestroyNotify) chat_message_unref);
  for (GList *l = self->queue.head; l != NULL && self->n_vectors < WRITE_LIMIT; l = l->next)
    {
      const ChatMessage *message = l->data;
      GOutputVector *vector = &self->vectors[self->n_vectors++];

      vector->buffer = message->text->str;
      vector->size = message->text->len - (message->was_line || self->uses_lines ? 0 : 1);
    }
  if (self->n_vectors > 0)
    /* What has come goes out before more is read. */
    g_output_stream_writev_all_async (g_io_stream_get_output_stream (G_IO_STREAM (self->connection)),
                                      self->vectors, self->n_vectors, G_PRIORITY_HIGH, self->cancellable,
                                      written_cb, self);
  else if (self->is_closing)
    outbox_free (self);
}

static gboolean
timer_cb (gpointer user_data)
{
  ChatOutbox *self = user_data;

  self->timer = 0;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

/* Ends the connection when what is due has been written, for which the client has some seconds, and frees the
 * outbox then. It must not be used any more. */
void
chat_outbox_close (ChatOutbox *self)
{
  self->is_closing = TRUE;
  self->timer = g_timeout_add_seconds (CLOSE_SECONDS, timer_cb, self);
  write_next (self);
}

/* From now on every message ends with LF, not only those that were sent so. */
void
chat_outbox_use_lines (ChatOutbox *self)
{
  self->uses_lines = TRUE;
}

/* Has a message written when those before have been. */
void
chat_outbox_push (ChatOutbox *self, ChatMessage *message)
{
  if (self->n_lost > 0 || self->queue.length >= QUEUE_LIMIT)
    {
      if (self->n_lost == 0)
        example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
      self->n_lost += message->n_messages;
      return;
    }
  g_queue_push_tail (&self->queue, chat_message_ref (message));
  write_next (self);
}

/* Tells the client alone what is wrong, and counts that. */
void
chat_outbox_refuse (ChatOutbox *self, const char *reason)
{
  g_autofree char *text = g_strconcat ("error: ", reason, NULL);
  g_autoptr (ChatMessage) message = new_message (text);

  example_report_count (example_get_report (self->example), EXAMPLE_ERRORS, 1);
  chat_outbox_push (self, message);
}

/* Returns: whether the client is gone, which has been counted */
gboolean
chat_outbox_has_failed (ChatOutbox *self)
{
  return self->has_failed;
}
