/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-answer.h"
#include <gio/gio.h>
#include <metrics-glib/metrics-batch.h>

G_BEGIN_DECLS

typedef struct _MetricsChannel MetricsChannel;
typedef struct _MetricsWatchLink MetricsWatchLink;

/* How many refusals of a batch are kept with their texts. */
#define METRICS_BATCH_MAX_REFUSALS 100

/**
 * MetricsRefusal:
 * @index: which point of the batch it was
 * @text: (owned): what the server said
 */
typedef struct
{
  guint index;
  char *text;
} MetricsRefusal;

/**
 * MetricsRequest:
 * @refs: the references
 * @text: (owned) (nullable): its lines; %NULL where it is never sent, for a request that only the bus knows,
 *   and for that to close the connection
 * @n_lines: how many lines it has, each of which is answered
 * @is_batch: whether it is a batch, whose lines may each be refused
 * @is_long: whether its time starts again with every byte that moves
 * @method: (unowned) (nullable): the method that does the same on the bus
 * @arguments: (owned) (nullable): and what it is called with
 * @is_interactive: whether that may ask the user for leave
 * @timeout: how long to wait, in microseconds; 0 is for ever
 * @issued: when it was made, in microseconds of the monotonic clock
 * @cancellable: (owned) (nullable): what cancels it
 * @link: (owned) (nullable): what takes what it brings, in the worker thread, where it watches; until it is
 *   done
 *
 * @channel: (unowned) (nullable): the channel that has it
 * @n_bytes_taken: how many bytes of @text have been taken to be sent; whole lines
 * @n_lines_taken: how many lines these are
 * @n_answered: how many of them were answered
 * @is_pinged: of one that watches: whether a ping was sent behind its lines and is not answered
 * @is_done: whether its maker knows how it went; what still comes is thrown away
 * @is_queued: whether a part of it has not yet been taken to be sent
 * @is_in_flight: whether a part of it has been taken to be sent and awaits its answer
 * @queued: its link in the channel's queue of that name
 * @in_flight: its link in the channel's queue of that name
 * @cancel_source: (owned) (nullable): watches @cancellable
 *
 * @answer: what came back
 * @refusals: (owned) (element-type MetricsRefusal): the first lines of a batch that were refused
 * @n_refused: how many were, in all
 * @n_accepted: how many lines of it were known to be accepted when it was done
 * @error: (owned) (nullable): how it failed
 * @batch: (owned) (nullable): the batch that is to know what became of it, until it does
 * @task: (owned) (nullable): what completes it, where nobody waits for it in metrics_request_wait()
 *
 * @mutex: guards what follows
 * @changed: says that it has changed
 * @is_finished: whether all of the group before this is the maker's now
 * @is_stopped: whether the maker wants no more blocks
 * @blocks: (element-type MetricsBlock): blocks that came and that the maker has not taken yet
 *
 * A request and what became of it, on its way between the thread that makes it and the worker thread.
 *
 * The first group of fields is set before a channel takes the request and constant from then on. The second
 * is the worker thread's alone. The third is the worker thread's until the request is done, and then its
 * maker's.
 */
typedef struct
{
  gatomicrefcount refs;
  GBytes *text;
  guint n_lines;
  gboolean is_batch;
  gboolean is_long;
  const char *method;
  GVariant *arguments;
  gboolean is_interactive;
  gint64 timeout;
  gint64 issued;
  GCancellable *cancellable;
  MetricsWatchLink *link;

  MetricsChannel *channel;
  gsize n_bytes_taken;
  guint n_lines_taken;
  guint n_answered;
  gboolean is_pinged;
  gboolean is_done;
  gboolean is_queued;
  gboolean is_in_flight;
  GList queued;
  GList in_flight;
  GSource *cancel_source;

  MetricsAnswer answer;
  GArray *refusals;
  guint n_refused;
  guint n_accepted;
  GError *error;
  MetricsBatch *batch;
  GTask *task;

  GMutex mutex;
  GCond changed;
  gboolean is_finished;
  gboolean is_stopped;
  GQueue blocks;
} MetricsRequest;

MetricsRequest *metrics_request_new (MetricsAnswerKind kind, GBytes *text, guint n_lines);
MetricsRequest *metrics_request_new_close (void);
MetricsRequest *metrics_request_new_flush (void);
MetricsRequest *metrics_request_new_done (GError *error);
MetricsRequest *metrics_request_ref (MetricsRequest *self);
void metrics_request_unref (MetricsRequest *self);

/* for the thread that makes it */
gboolean metrics_request_wait (MetricsRequest *self, GError **error);
MetricsBlock *metrics_request_wait_block (MetricsRequest *self);
void metrics_request_stop (MetricsRequest *self);

/* for the worker thread */
void metrics_request_complete (MetricsRequest *self, GError *error);
void metrics_request_add_refusal (MetricsRequest *self, const char *text);
void metrics_request_push_block (MetricsRequest *self);
gboolean metrics_request_is_full (MetricsRequest *self);
gboolean metrics_request_is_stopped (MetricsRequest *self);
gint64 metrics_request_get_deadline (MetricsRequest *self, gint64 last_progress);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRequest, metrics_request_unref)

G_END_DECLS
