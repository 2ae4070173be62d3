/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-socket-stream.h"

#include <errno.h>
#include <sys/socket.h>

/* How much is thrown away at once. */
#define PIECE 16384

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
  int fd;          /* (unowned): the socket's */
};

G_DEFINE_FINAL_TYPE (MetricsSocketStream, metrics_socket_stream, G_TYPE_INPUT_STREAM)

static gssize
metrics_socket_stream_read (GInputStream *stream,
                            void *buffer,
                            gsize count,
                            GCancellable *cancellable,
                            GError **error)
{
  /* Not checked: it is called for each request, and for no other class. */
  MetricsSocketStream *self = (MetricsSocketStream *) stream;
  gssize n;
  int saved_errno;

  /* Not g_socket_receive_with_blocking(), which looks at all that could have become of the socket first. A
   * GSocket's descriptor never blocks. */
  do
    n = recv (self->fd, buffer, count, 0);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    return n;

  saved_errno = errno;
  /* Where there is nothing, nobody reads the reason: it need not be looked up. */
  if (saved_errno == EAGAIN)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "nothing to read");
  else
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), g_strerror (saved_errno));
  return -1;
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
  self->fd = g_socket_get_fd (socket);
  return G_INPUT_STREAM (self);
}

/**
 * metrics_socket_stream_throw_away:
 * @socket: a connected socket
 *
 * Reads once, without waiting, what nobody wants any more.
 *
 * Returns: how many bytes, 0 where there is nothing now, -1 where nothing comes any more
 */
gssize
metrics_socket_stream_throw_away (GSocket *socket)
{
  char piece[PIECE];
  g_autoptr (GError) error = NULL;
  gssize n = g_socket_receive_with_blocking (socket, piece, sizeof piece, FALSE, NULL, &error);

  if (n > 0)
    return n;
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? 0 : -1;
}
