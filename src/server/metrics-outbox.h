/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-buffer.h"

G_BEGIN_DECLS

/* A reply of up to this size leaves in one write: many clients do a single recv(1024) for an answer. */
#define METRICS_WHOLE_REPLY_MAX 1024

/* How many replies of an outbox can wait at once: those of a slice of work. */
#define METRICS_OUTBOX_MAX_HELD 4096

/**
 * MetricsOutboxWakeFunc:
 * @n_failed: how many replies have become errors
 * @user_data: what was given to metrics_outbox_set_wake_func()
 *
 * More may leave than before. Nothing of the outbox may be changed from within this function.
 */
typedef void (*MetricsOutboxWakeFunc) (guint n_failed, gpointer user_data);

/**
 * MetricsOutbox:
 *
 * The replies that a client is owed, as bytes, and which of them wait until a change is kept: these, and all
 * behind them, stay. A plain struct, zero when empty, that lives inside the object that sends; its fields are
 * its own, but the buffer, to which replies are appended.
 */
typedef struct
{
  MetricsBuffer buffer;
  guint64 n_sent;      /* bytes that have left */
  guint64 reply_start; /* of the last reply, in bytes from the first one sent */

  gsize limit;          /* bytes that it holds before nothing more is to be executed */
  gsize room;           /* the same, or 0 while no more replies can wait */
  gboolean is_gated;    /* whether replies may have to wait */
  gboolean has_changed; /* whether the last reply, not complete yet, is to a request that changed something */
  MetricsBuffer held;   /* (element-type MetricsHeldReply): in order; only their places and positions */

  MetricsOutboxWakeFunc wake_func;
  gpointer wake_data; /* (unowned) */
  GList link;         /* its link in the queue of those that wait */
  gboolean is_queued;
} MetricsOutbox;

void metrics_outbox_set_wake_func (MetricsOutbox *self, MetricsOutboxWakeFunc func, gpointer user_data);
void metrics_outbox_set_limit (MetricsOutbox *self, gsize limit);
void metrics_outbox_clear (MetricsOutbox *self);

gsize metrics_outbox_get_sendable_part (const MetricsOutbox *self, gboolean is_last_complete);
gssize metrics_outbox_send (MetricsOutbox *self, int fd, gsize n_bytes);

void metrics_outbox_hold (MetricsOutbox *self, guint64 position);
gboolean metrics_outbox_release (MetricsOutbox *self, guint64 kept);
guint metrics_outbox_fail (MetricsOutbox *self, guint64 position, const char *message);

/* Says that the reply to a request begins. */
static inline void
metrics_outbox_begin_reply (MetricsOutbox *self)
{
  self->reply_start = self->n_sent + metrics_buffer_length (&self->buffer);
}

/* Whether there is room for more replies. */
static inline gboolean
metrics_outbox_has_room (const MetricsOutbox *self)
{
  return metrics_buffer_length (&self->buffer) < self->room;
}

/* Whether a reply waits for a change to be kept. */
static inline gboolean
metrics_outbox_is_held (const MetricsOutbox *self)
{
  return metrics_buffer_length (&self->held) > 0;
}

/* How many bytes may leave now; mostly all, and it is asked several times a turn. */
static inline gsize
metrics_outbox_get_sendable (const MetricsOutbox *self, gboolean is_last_complete)
{
  if (G_LIKELY (is_last_complete && !metrics_outbox_is_held (self)))
    return metrics_buffer_length (&self->buffer);
  return metrics_outbox_get_sendable_part (self, is_last_complete);
}

G_END_DECLS
