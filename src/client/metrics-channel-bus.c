/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-channel-private.h"

#include "client/metrics-bus.h"
#include <glib/gi18n-lib.h>
#include <unistd.h>

#define OPEN_WRITER "OpenWriter"
#define OPEN_READER "OpenReader"

/* How often a server that is about to leave is asked for a socket before that is an error. */
#define MAX_TRIES 4

/**
 * MetricsChannelCall:
 * @channel: (owned): whose it is
 * @request: (owned) (nullable): what it does; %NULL where it opens a connection
 * @method: (unowned) (static): what is called
 * @n_tries: which attempt at it this is
 * @cancellable: (owned): gives it up
 *
 * A call on the bus that is under way, in the hands of GIO.
 */
struct _MetricsChannelCall
{
  MetricsChannel *channel;
  MetricsRequest *request;
  const char *method;
  guint n_tries;
  GCancellable *cancellable;
};

static MetricsChannelCall *
call_new (MetricsChannel *channel, MetricsRequest *request, const char *method, GCancellable *cancellable)
{
  MetricsChannelCall *self = g_new0 (MetricsChannelCall, 1);

  self->channel = metrics_channel_ref (channel);
  self->request = request != NULL ? metrics_request_ref (request) : NULL;
  self->method = method;
  self->cancellable = g_object_ref (cancellable);
  return self;
}

static void
call_free (MetricsChannelCall *self)
{
  g_clear_pointer (&self->request, metrics_request_unref);
  metrics_channel_unref (self->channel);
  g_object_unref (self->cancellable);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsChannelCall, call_free)

/* Makes a connection of the socket that came with the reply, whatever else did. */
static GSocketConnection *
take_connection (GVariant *reply, GUnixFDList *fds, GError **error)
{
  g_autoptr (GSocket) socket = NULL;
  gint32 handle;
  int fd;

  g_variant_get (reply, "(h)", &handle);
  if (fds == NULL || handle < 0 || handle >= g_unix_fd_list_get_length (fds))
    {
      g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL, _ ("it handed over no socket"));
      return NULL;
    }
  fd = g_unix_fd_list_get (fds, handle, error);
  if (fd < 0)
    return NULL;
  socket = g_socket_new_from_fd (fd, NULL);
  if (socket == NULL)
    close (fd);
  if (socket == NULL || g_socket_get_socket_type (socket) != G_SOCKET_TYPE_STREAM)
    {
      g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL,
                           _ ("what it handed over is no stream socket"));
      return NULL;
    }
  return g_socket_connection_factory_create_connection (socket);
}

static void open_by (MetricsChannel *self, const char *method, guint n_tries);

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MetricsChannelCall) call = user_data;
  MetricsChannel *self = call->channel;
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = metrics_bus_call_finish (result, &fds, &error);

  /* The channel gave this attempt up, and may have made another one since. */
  if (self->connecting != call->cancellable)
    return;
  /* Opening changes nothing, and so may be asked for again. */
  if (reply == NULL && metrics_bus_is_leaving (error) && call->n_tries < MAX_TRIES)
    {
      open_by (self, call->method, call->n_tries + 1);
      return;
    }
  if (reply == NULL && g_str_equal (call->method, OPEN_WRITER) && metrics_bus_is_denied (error))
    {
      open_by (self, OPEN_READER, 1);
      return;
    }

  g_clear_object (&self->connecting);
  connection = reply != NULL ? take_connection (reply, fds, &error) : NULL;
  if (connection != NULL)
    metrics_channel_use (self, connection);
  else
    {
      g_autofree char *reason = NULL;
      MetricsError code = metrics_bus_describe (error, &reason);

      /* Nothing was asked of the server itself yet. */
      metrics_channel_fail_to_connect (self, code == METRICS_ERROR_PROTOCOL ? code : METRICS_ERROR_CONNECT,
                                       reason);
    }
  metrics_channel_settle (self);
}

static void
open_by (MetricsChannel *self, const char *method, guint n_tries)
{
  MetricsChannelCall *call = call_new (self, NULL, method, self->connecting);

  call->n_tries = n_tries;
  metrics_bus_call_async (self->bus, method, g_variant_new ("(a{sv})", NULL), "(h)", FALSE, self->connecting,
                          on_opened, call);
}

/**
 * metrics_channel_open:
 * @self: a channel of a server on a bus that is not connected, and has no attempt to connect under way
 *
 * Starts an attempt: the server is asked for a socket that can put or, where that is denied, for one that can
 * read; for that at once by who only watches. It starts where it does not run.
 */
void
metrics_channel_open (MetricsChannel *self)
{
  MetricsRequest *first = g_queue_peek_head (&self->queued);

  self->connecting = g_cancellable_new ();
  open_by (self, first != NULL && metrics_channel_is_watch (first) ? OPEN_READER : OPEN_WRITER, 1);
}

/**
 * metrics_channel_is_call:
 * @self: a channel
 * @request: a request for it
 *
 * Sockets that the system bus hands over cannot delete, whoever asked for them: the method asks who may.
 *
 * Returns: whether the request is done by a call on the bus rather than by lines to the server
 */
gboolean
metrics_channel_is_call (MetricsChannel *self, MetricsRequest *request)
{
  return request->method != NULL && (request->text == NULL || self->bus == G_BUS_TYPE_SYSTEM);
}

/**
 * metrics_channel_is_calling:
 * @self: a channel
 * @request: a request that it has
 *
 * Returns: whether the request's call is under way
 */
gboolean
metrics_channel_is_calling (MetricsChannel *self, MetricsRequest *request)
{
  return self->call != NULL && self->call->request == request;
}

static GError *
explain (MetricsChannel *self, const GError *error)
{
  g_autofree char *reason = NULL;
  MetricsError code = metrics_bus_describe (error, &reason);

  switch (code)
    {
    case METRICS_ERROR_CONNECT:
      return g_error_new (METRICS_ERROR, code, _ ("cannot connect to %s: %s"), self->address, reason);
    case METRICS_ERROR_PROTOCOL:
      return g_error_new (METRICS_ERROR, code, _ ("%s does not answer as a metrics server does: %s"),
                          self->address, reason);
    case METRICS_ERROR_CLOSED:
      return g_error_new (METRICS_ERROR, code, _ ("the connection to %s was lost: %s"), self->address,
                          reason);
    case METRICS_ERROR_REFUSED:
    case METRICS_ERROR_TIMED_OUT:
    case METRICS_ERROR_INVALID_ARGUMENT:
    default:
      return g_error_new_literal (METRICS_ERROR, code, reason);
    }
}

static const char *
get_reply_type (MetricsRequest *request)
{
  return request->answer.kind == METRICS_ANSWER_COUNT ? "(t)" : "()";
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MetricsChannelCall) call = user_data;
  MetricsChannel *self = call->channel;
  MetricsRequest *request = call->request;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = metrics_bus_call_finish (result, &fds, &error);

  if (self->call != call)
    return;

  self->call = NULL;
  if (reply != NULL && request->answer.kind == METRICS_ANSWER_COUNT)
    g_variant_get (reply, "(t)", &request->answer.count);
  metrics_request_complete (request, reply == NULL ? explain (self, error) : NULL);
  metrics_channel_withdraw (self, request);
  metrics_channel_settle (self);
}

/**
 * metrics_channel_advance_call:
 * @self: a channel
 *
 * Gives up the call that is under way where nobody waits for it any more, and starts that whose turn it is:
 * of the first request that waits, when all before it have been answered.
 */
void
metrics_channel_advance_call (MetricsChannel *self)
{
  MetricsRequest *request = g_queue_peek_head (&self->queued);
  g_autoptr (GCancellable) cancellable = NULL;

  if (self->call != NULL && self->call->request->is_done)
    {
      g_autoptr (GCancellable) given_up = g_object_ref (self->call->cancellable);

      self->call = NULL;
      g_cancellable_cancel (given_up);
    }
  if (self->call != NULL || request == NULL || !metrics_channel_is_call (self, request)
      || !g_queue_is_empty (&self->in_flight))
    return;

  cancellable = g_cancellable_new ();
  self->call = call_new (self, request, request->method, cancellable);
  metrics_bus_call_async (self->bus, request->method, request->arguments, get_reply_type (request),
                          request->is_interactive, cancellable, on_called, self->call);
}
