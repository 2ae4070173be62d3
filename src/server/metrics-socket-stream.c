/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-socket-stream.h"

/**
 * MetricsSocketStream:
 *
 * What a socket holds, as an input stream that never blocks: where there is nothing to read it fails with
 * %G_IO_ERROR_WOULD_BLOCK. The input stream of a #GSocketConnection waits in its synchronous read whatever
 * the socket is set to, so a #GDataInputStream on top of it could not be filled from a main loop without a
 * task for each fill.
 */
struct _MetricsSocketStream
{
  GInputStream parent;

  GSocket *socket; /* (owned) */
};

G_DEFINE_FINAL_TYPE (MetricsSocketStream, metrics_socket_stream, G_TYPE_INPUT_STREAM)

static gssize
metrics_socket_stream_read (GInputStream *stream,
                            void *buffer,
                            gsize count,
                            GCancellable *cancellable,
                            GError **error)
{
  MetricsSocketStream *self = METRICS_SOCKET_STREAM (stream);

  return g_socket_receive_with_blocking (self->socket, buffer, count, FALSE, cancellable, error);
}

static void
metrics_socket_stream_dispose (GObject *object)
{
  MetricsSocketStream *self = METRICS_SOCKET_STREAM (object);

  g_clear_object (&self->socket);

  G_OBJECT_CLASS (metrics_socket_stream_parent_class)->dispose (object);
}

static void
metrics_socket_stream_class_init (MetricsSocketStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = metrics_socket_stream_dispose;
  G_INPUT_STREAM_CLASS (klass)->read_fn = metrics_socket_stream_read;
}

static void
metrics_socket_stream_init (MetricsSocketStream *self)
{
}

/**
 * metrics_socket_stream_new:
 * @socket: a connected socket; closing the stream does not close it
 *
 * Returns: (transfer full): a stream that reads from it
 */
GInputStream *
metrics_socket_stream_new (GSocket *socket)
{
  MetricsSocketStream *self = g_object_new (METRICS_TYPE_SOCKET_STREAM, NULL);

  self->socket = g_object_ref (socket);
  return G_INPUT_STREAM (self);
}
