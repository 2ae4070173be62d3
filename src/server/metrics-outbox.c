/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-outbox.h"

#include "protocol/metrics-reply.h"

#include <errno.h>
#include <sys/socket.h>

/* What is kept of a buffer while it is empty. Thousands of clients that once had a large answer would
 * otherwise hold its memory. */
#define IDLE_BUFFER_MAX 512

/* A reply that waits. They are many where a client sends without waiting, so there is no more of each than
 * has to be: it ends where a reply ends, with its empty line. */
typedef struct
{
  guint64 start;    /* in bytes from the first one sent */
  guint64 position; /* of the journal, that has to be kept */
} MetricsHeldReply;

/**
 * metrics_outbox_set_wake_func:
 * @self: an outbox
 * @func: what to call when what waited may leave
 * @user_data: what to call it with
 */
void
metrics_outbox_set_wake_func (MetricsOutbox *self, MetricsOutboxWakeFunc func, gpointer user_data)
{
  self->wake_func = func;
  self->wake_data = user_data;
  self->link.data = self;
}

/**
 * metrics_outbox_clear:
 * @self: an outbox that waits in no queue
 *
 * Forgets all that is owed.
 */
void
metrics_outbox_clear (MetricsOutbox *self)
{
  g_assert (!self->is_queued);

  metrics_buffer_clear (&self->buffer);
  metrics_buffer_clear (&self->held);
}

static void
trim (MetricsBuffer *buffer)
{
  if (metrics_buffer_length (buffer) == 0 && buffer->size > IDLE_BUFFER_MAX)
    metrics_buffer_clear (buffer);
}

static MetricsHeldReply *
get_first_held (const MetricsOutbox *self)
{
  /* Allocated, and only ever moved by whole elements: so it is aligned. */
  return (MetricsHeldReply *) (void *) (self->held.data + self->held.start);
}

static guint
get_n_held (const MetricsOutbox *self)
{
  return metrics_buffer_length (&self->held) / sizeof (MetricsHeldReply);
}

static gboolean
is_full (const MetricsOutbox *self)
{
  return get_n_held (self) >= METRICS_OUTBOX_MAX_HELD;
}

/**
 * metrics_outbox_set_limit:
 * @self: an outbox
 * @limit: how many bytes it may hold before it has no room for more replies
 */
void
metrics_outbox_set_limit (MetricsOutbox *self, gsize limit)
{
  /* A reply that can still be a small one has to be able to end, or to become a large one. */
  self->limit = MAX (limit, METRICS_WHOLE_REPLY_MAX + 1);
  if (!is_full (self))
    self->room = self->limit;
}

/**
 * metrics_outbox_get_sendable_part:
 * @self: an outbox
 * @is_last_complete: whether the last reply is complete
 *
 * How much may leave now: nothing that waits, and not the beginning of a reply that can still become a small
 * one.
 *
 * Returns: how many bytes
 */
gsize
metrics_outbox_get_sendable_part (const MetricsOutbox *self, gboolean is_last_complete)
{
  gsize length = metrics_buffer_length (&self->buffer);

  if (!is_last_complete)
    {
      guint64 unfinished = self->n_sent + length - self->reply_start;

      if (unfinished <= METRICS_WHOLE_REPLY_MAX)
        length -= MIN (unfinished, length);
    }
  if (metrics_outbox_is_held (self))
    length = MIN (length, get_first_held (self)->start - self->n_sent);
  return length;
}

/**
 * metrics_outbox_send:
 * @self: an outbox
 * @fd: a socket that does not block
 * @n_bytes: how many bytes, not more than may leave
 *
 * Writes once.
 *
 * Returns: how many have left, 0 where the socket takes none now, -1 with errno set where it never will
 */
gssize
metrics_outbox_send (MetricsOutbox *self, int fd, gsize n_bytes)
{
  gssize n;

  do
    n = send (fd, self->buffer.data + self->buffer.start, n_bytes, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? 0 : -1;

  metrics_buffer_consume (&self->buffer, n);
  self->n_sent += n;
  trim (&self->buffer);
  return n;
}

/**
 * metrics_outbox_hold:
 * @self: an outbox that is not full
 * @position: a position of the journal, not before those of the replies that wait
 *
 * Says that the last reply, complete now, and what comes behind it wait until the journal has kept all up to
 * there.
 */
void
metrics_outbox_hold (MetricsOutbox *self, guint64 position)
{
  MetricsHeldReply reply = { .start = self->reply_start, .position = position };

  g_assert (!is_full (self));

  metrics_buffer_append (&self->held, (const char *) &reply, sizeof reply);
  if (is_full (self))
    self->room = 0;
}

static void
drop_held (MetricsOutbox *self, guint n)
{
  metrics_buffer_consume (&self->held, n * sizeof (MetricsHeldReply));
  trim (&self->held);
  if (!is_full (self))
    self->room = self->limit;
}

static guint
count_held (const MetricsOutbox *self, guint64 position)
{
  const MetricsHeldReply *replies = get_first_held (self);
  guint n_held = get_n_held (self);
  guint n = 0;

  while (n < n_held && replies[n].position <= position)
    n++;
  return n;
}

/**
 * metrics_outbox_release:
 * @self: an outbox
 * @kept: the position up to which the journal has kept all
 *
 * Returns: whether more may leave than before
 */
gboolean
metrics_outbox_release (MetricsOutbox *self, guint64 kept)
{
  guint n = count_held (self, kept);

  drop_held (self, n);
  return n > 0;
}

/* Where the reply that begins at @p ends. Its lines have something in them, so that the first empty one is
 * its last. */
static const char *
find_end (const char *p, const char *end)
{
  const char *last = g_strstr_len (p, end - p, "\n\n");

  g_assert (last != NULL);
  return last + 2;
}

/**
 * metrics_outbox_fail:
 * @self: an outbox
 * @position: a position of the journal
 * @message: one line of English
 *
 * Replies that wait for changes up to there become errors and wait no more.
 *
 * Returns: how many
 */
guint
metrics_outbox_fail (MetricsOutbox *self, guint64 position, const char *message)
{
  guint n = count_held (self, position);
  MetricsHeldReply *replies = get_first_held (self);
  const char *p = self->buffer.data + self->buffer.start;
  const char *end = self->buffer.data + self->buffer.end;
  const char *start = p;
  MetricsBuffer changed = { 0 };
  gint64 growth;

  if (n == 0)
    return 0;

  for (guint i = 0; i < n; i++)
    {
      const char *reply = start + (replies[i].start - self->n_sent);

      if (reply > p)
        metrics_buffer_append (&changed, p, reply - p);
      metrics_reply_error (&changed, message);
      p = find_end (reply, end);
    }
  metrics_buffer_append (&changed, p, end - p);

  growth = (gint64) metrics_buffer_length (&changed) - (gint64) metrics_buffer_length (&self->buffer);
  for (guint i = n; i < get_n_held (self); i++)
    replies[i].start += growth;
  self->reply_start += growth;
  metrics_buffer_clear (&self->buffer);
  self->buffer = changed;
  drop_held (self, n);
  return n;
}
