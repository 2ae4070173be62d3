/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-answer-reader.h"
#include "client/metrics-channel.h"
#include "common/metrics-buffer.h"
#include <gio/gio.h>
#include <metrics-glib/metrics-error.h>

G_BEGIN_DECLS

typedef struct _MetricsChannelCall MetricsChannelCall;

/**
 * MetricsChannel:
 * @refs: the references: the client's, that of @wake_source, that of a connection attempt
 * @server: (owned): where the server is, byte for byte: the path of a socket need not be UTF-8
 * @address: (owned): the same as valid UTF-8, for messages
 * @bus: the bus that it is reached over; %G_BUS_TYPE_NONE for none
 *
 * @mutex: guards this group
 * @incoming: (owned) (element-type MetricsRequest): requests that the worker thread has not seen yet
 * @is_woken: whether the worker thread has been asked to look again
 * @is_shut_down: whether the client is gone
 * @wake_source: (owned): runs the channel in the worker thread, when it is woken or time is over
 *
 * @queued: (owned) (element-type MetricsRequest): requests of which a part is still to be sent, in order
 * @in_flight: (owned) (element-type MetricsRequest): requests of which a part was sent and awaits its answer,
 * in order; at most the last one is in @queued too
 * @call: (unowned) (nullable): the call on the bus that does the first request of @queued, which has no lines
 *   to send; until it has returned nothing behind it is sent
 * @connecting: (owned) (nullable): cancels the attempt to connect that is under way
 * @connection: (owned) (nullable): the connection
 * @socket: (unowned) (nullable): that of @connection
 * @read_source: (owned) (nullable): waits for bytes to read
 * @write_source: (owned) (nullable): waits for room to write
 * @is_write_broken: whether nothing can be written any more; answers may still come
 * @is_paused: whether nothing is read until the maker of the first request of @in_flight has taken blocks
 * @was_used: whether a request went over this connection
 * @input: bytes that came and are not yet a line
 * @output: lines that have been taken and not yet sent
 * @reader: how far the answer to the first request of @in_flight has come
 * @discard: takes the lines of answers that nobody waits for
 * @last_progress: when bytes moved last, in microseconds of the monotonic clock
 * @timer: when to look for requests whose time is over, in the same; no later than the first of them
 *
 * All requests of a client, on their way over one connection. But for the second group everything is the
 * worker thread's alone.
 */
struct _MetricsChannel
{
  gatomicrefcount refs;
  char *server;
  char *address;
  GBusType bus;

  GMutex mutex;
  GQueue incoming;
  gboolean is_woken;
  gboolean is_shut_down;
  GSource *wake_source;

  GQueue queued;
  GQueue in_flight;
  MetricsChannelCall *call;
  GCancellable *connecting;
  GSocketConnection *connection;
  GSocket *socket;
  GSource *read_source;
  GSource *write_source;
  gboolean is_write_broken;
  gboolean is_paused;
  gboolean was_used;
  MetricsBuffer input;
  MetricsBuffer output;
  MetricsAnswerReader reader;
  MetricsAnswer discard;
  gint64 last_progress;
  gint64 timer;
};

MetricsChannel *metrics_channel_ref (MetricsChannel *self);
void metrics_channel_unref (MetricsChannel *self);

/* metrics-channel.c: requests and their makers */
void metrics_channel_take_off (MetricsChannel *self, MetricsRequest *request);
void metrics_channel_withdraw (MetricsChannel *self, MetricsRequest *request);
void metrics_channel_land (MetricsChannel *self, MetricsRequest *request);
void metrics_channel_fail (MetricsChannel *self,
                           MetricsRequest *request,
                           MetricsError code,
                           const char *message);
void metrics_channel_fail_queued (MetricsChannel *self, MetricsError code, const char *message);
void metrics_channel_lose (MetricsChannel *self, const char *message);
void metrics_channel_settle (MetricsChannel *self);

/* metrics-channel-connection.c: the connection */
void metrics_channel_connect (MetricsChannel *self);
void metrics_channel_use (MetricsChannel *self, GSocketConnection *connection);
void metrics_channel_fail_to_connect (MetricsChannel *self, MetricsError code, const char *reason);
void metrics_channel_disconnect (MetricsChannel *self);
gboolean metrics_channel_is_stale (MetricsChannel *self);
gboolean metrics_channel_transfer (MetricsChannel *self);

/* metrics-channel-bus.c: a connection that comes over the bus, and requests that are calls there */
void metrics_channel_open (MetricsChannel *self);
gboolean metrics_channel_is_call (MetricsChannel *self, MetricsRequest *request);
gboolean metrics_channel_is_calling (MetricsChannel *self, MetricsRequest *request);
void metrics_channel_advance_call (MetricsChannel *self);

/* metrics-channel-watch.c: a request that watches, and so is never answered to its end */
gboolean metrics_channel_is_watch (MetricsRequest *request);
gboolean metrics_channel_can_hand_over (MetricsRequest *request);
const char *metrics_channel_take_watched (MetricsChannel *self, MetricsRequest *request, gboolean refused);
gboolean metrics_channel_ping_watched (MetricsChannel *self, MetricsRequest *request);

/* metrics-channel-input.c: what comes over it */
void metrics_channel_read (MetricsChannel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsChannel, metrics_channel_unref)

G_END_DECLS
