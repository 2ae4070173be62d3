/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-channel-private.h"

#include "client/metrics-worker.h"
#include "common/metrics-address.h"
#include "common/metrics-names.h"
#include <glib/gi18n-lib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* So many bytes are given to the socket at once, and at most so many times before others have their turn. */
#define WRITE_SIZE (128 * 1024)
#define MAX_WRITES 8

typedef struct
{
  MetricsChannel *channel;   /* (owned) */
  GCancellable *cancellable; /* (owned): the channel's, while it waits for this attempt */
} Attempt;

static Attempt *
attempt_new (MetricsChannel *channel)
{
  Attempt *attempt = g_new0 (Attempt, 1);

  attempt->channel = metrics_channel_ref (channel);
  attempt->cancellable = g_object_ref (channel->connecting);
  return attempt;
}

static void
attempt_free (Attempt *attempt)
{
  metrics_channel_unref (attempt->channel);
  g_object_unref (attempt->cancellable);
  g_free (attempt);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Attempt, attempt_free)

/**
 * metrics_channel_use:
 * @self: a channel that is not connected
 * @connection: a fresh connection to its server
 *
 * Makes it the channel's connection.
 */
void
metrics_channel_use (MetricsChannel *self, GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);

  g_socket_set_blocking (socket, FALSE);
  /* A request is written whole: holding it back until the one before is acknowledged only makes it late. */
  if (g_socket_get_family (socket) != G_SOCKET_FAMILY_UNIX)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);

  self->connection = g_object_ref (connection);
  self->socket = socket;
  self->is_write_broken = FALSE;
  self->was_used = FALSE;
  self->is_paused = FALSE;
  self->last_progress = g_get_monotonic_time ();
}

/**
 * metrics_channel_fail_to_connect:
 * @self: a channel whose attempt to connect has failed
 * @code: what happened
 * @reason: the same in words, as they came
 *
 * Fails all requests that have not been sent.
 */
void
metrics_channel_fail_to_connect (MetricsChannel *self, MetricsError code, const char *reason)
{
  /* It may repeat the path of the socket. */
  g_autofree char *valid = g_utf8_make_valid (reason, -1);
  g_autofree char *message = g_strdup_printf (_ ("cannot connect to %s: %s"), self->address, valid);

  metrics_channel_fail_queued (self, code, message);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Attempt) attempt = user_data;
  g_autoptr (GError) error = NULL;
  MetricsChannel *self = attempt->channel;
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  /* The channel gave this attempt up, and may have made another one since; it can have succeeded all the
   * same. */
  if (self->connecting != attempt->cancellable)
    return;

  g_clear_object (&self->connecting);
  if (connection != NULL)
    metrics_channel_use (self, connection);
  else
    metrics_channel_fail_to_connect (self, METRICS_ERROR_CONNECT, error->message);
  metrics_channel_settle (self);
}

/**
 * metrics_channel_connect:
 * @self: a channel that is not connected
 *
 * Starts an attempt to connect, where none is under way; where the address is none, everything that is queued
 * fails instead.
 */
void
metrics_channel_connect (MetricsChannel *self)
{
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnectable) server = NULL;
  g_autoptr (GError) error = NULL;

  if (self->connecting != NULL)
    return;
  if (self->bus != G_BUS_TYPE_NONE)
    {
      metrics_channel_open (self);
      return;
    }

  server = metrics_address_parse (self->server, METRICS_DEFAULT_PORT, &error);
  if (server == NULL)
    {
      g_autofree char *reason = g_utf8_make_valid (error->message, -1);
      g_autofree char *message = g_strdup_printf (_ ("cannot connect to '%s': %s"), self->address, reason);

      metrics_channel_fail_queued (self, METRICS_ERROR_INVALID_ARGUMENT, message);
      return;
    }

  client = g_socket_client_new ();
  /* Proxies are for what lies in other networks, and finding out about them asks the desktop's settings. */
  g_socket_client_set_enable_proxy (client, FALSE);
  self->connecting = g_cancellable_new ();
  g_socket_client_connect_async (client, server, self->connecting, on_connected, attempt_new (self));
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/**
 * metrics_channel_disconnect:
 * @self: a channel
 *
 * Closes the connection, or ends the attempt to make one, where there is one. Nobody is told.
 */
void
metrics_channel_disconnect (MetricsChannel *self)
{
  if (self->connecting != NULL)
    {
      g_cancellable_cancel (self->connecting);
      g_clear_object (&self->connecting);
    }
  clear_source (&self->read_source);
  clear_source (&self->write_source);
  if (self->socket != NULL)
    g_socket_close (self->socket, NULL);
  self->socket = NULL;
  g_clear_object (&self->connection);
  metrics_buffer_clear (&self->input);
  metrics_buffer_clear (&self->output);
  metrics_answer_reader_clear (&self->reader);
}

/**
 * metrics_channel_is_stale:
 * @self: a channel that is connected
 *
 * A server that restarts, or that closes connections on which nothing happens, has ended the connection
 * before the worker thread could notice. A request that went into it would be lost for no good reason.
 *
 * Returns: whether the connection was used, awaits no answer, and yet there is something to read: its end
 */
gboolean
metrics_channel_is_stale (MetricsChannel *self)
{
  /* A fresh connection is never stale: what a server says at once, that it has too many of them for example,
   * is for the request that it was made for. */
  return self->was_used && g_queue_is_empty (&self->in_flight)
         && g_socket_condition_check (self->socket, G_IO_IN | G_IO_HUP | G_IO_ERR) != 0;
}

/* Takes lines of a request to be sent: all of them, or about as many as @n_bytes are. */
static void
take_lines (MetricsChannel *self, MetricsRequest *request, gsize n_bytes)
{
  gsize size;
  const char *text = g_bytes_get_data (request->text, &size);
  const char *start = text + request->n_bytes_taken;
  const char *end = text + size;
  const char *at = start;

  while (at < end && (gsize) (at - start) < n_bytes)
    {
      at = (const char *) memchr (at, '\n', end - at) + 1;
      request->n_lines_taken++;
    }
  metrics_buffer_append (&self->output, start, at - start);
  request->n_bytes_taken = at - text;
}

/* Whether there are lines that wait for being sent. */
static gboolean
has_lines (MetricsChannel *self)
{
  MetricsRequest *request = g_queue_peek_head (&self->queued);

  return request != NULL && !metrics_channel_is_call (self, request);
}

static void
fill_output (MetricsChannel *self)
{
  gsize length;

  while ((length = metrics_buffer_length (&self->output)) < WRITE_SIZE && has_lines (self))
    {
      MetricsRequest *request = g_queue_peek_head (&self->queued);

      take_lines (self, request, WRITE_SIZE - length);
      metrics_channel_take_off (self, request);
    }
}

static void
flush (MetricsChannel *self)
{
  for (guint i = 0; i < MAX_WRITES && !self->is_write_broken; i++)
    {
      g_autoptr (GError) error = NULL;
      gssize n_bytes;

      fill_output (self);
      if (metrics_buffer_length (&self->output) == 0)
        return;

      self->was_used = TRUE;
      n_bytes = g_socket_send (self->socket, self->output.data + self->output.start,
                               metrics_buffer_length (&self->output), NULL, &error);
      if (n_bytes >= 0)
        {
          metrics_buffer_consume (&self->output, n_bytes);
          self->last_progress = g_get_monotonic_time ();
        }
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return;
      else
        /* Why the server hangs up may still be read; reading will also find that it has. */
        self->is_write_broken = TRUE;
    }
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  MetricsChannel *self = user_data;

  metrics_channel_read (self);
  metrics_channel_settle (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_writable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  metrics_channel_settle (user_data);
  return G_SOURCE_CONTINUE;
}

static void
watch (MetricsChannel *self,
       GSource **source,
       GIOCondition condition,
       gboolean wanted,
       GSocketSourceFunc callback)
{
  if (!wanted)
    clear_source (source);
  else if (*source == NULL)
    {
      *source = g_socket_create_source (self->socket, condition, NULL);
      g_source_set_callback (*source, G_SOURCE_FUNC (callback), self, NULL);
      g_source_attach (*source, metrics_worker_get_context ());
    }
}

/**
 * metrics_channel_transfer:
 * @self: a channel that is connected
 *
 * Sends what can be sent at once, and sees to it that the worker thread reads, and writes the rest, when the
 * socket is ready for it. Reading never waits for writing: a server that answers while it is still being
 * written to has its answers taken.
 *
 * Returns: whether reading goes on with this call, after it had been paused
 */
gboolean
metrics_channel_transfer (MetricsChannel *self)
{
  gboolean was_paused = self->is_paused;
  MetricsRequest *first;
  gboolean is_unsent;

  flush (self);
  first = g_queue_peek_head (&self->in_flight);
  is_unsent = metrics_buffer_length (&self->output) > 0 || has_lines (self);
  self->is_paused = first != NULL && metrics_request_is_full (first);

  watch (self, &self->read_source, G_IO_IN, !self->is_paused, on_readable);
  watch (self, &self->write_source, G_IO_OUT, is_unsent && !self->is_write_broken, on_writable);

  if (!was_paused || self->is_paused)
    return FALSE;
  self->last_progress = g_get_monotonic_time ();
  return TRUE;
}
