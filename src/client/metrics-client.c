/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-client.h>

#include "client/metrics-client-private.h"
#include "client/metrics-texts.h"
#include "common/metrics-address.h"
#include "common/metrics-names.h"
#include <string.h>

/**
 * MetricsClient:
 *
 * A connection to a metrics server.
 *
 * A server keeps points (a key, a value, a timestamp) and gives them back. A client puts points with
 * [method@Client.put] or, when they are many, [method@Client.put_batch], and reads them with
 * [method@Client.get], [method@Client.last], [method@Client.range] and others. A key is 1 to 1024 bytes of
 * UTF-8 without white space or control characters, and not `*`. A *pattern* is a glob over whole keys: `*` is
 * any number of characters, `?` is one, and `\` makes the next one literal.
 *
 * ```c
 * g_autoptr (MetricsClient) client = metrics_client_new (NULL);
 * g_autoptr (GPtrArray) samples = NULL;
 * g_autoptr (GError) error = NULL;
 *
 * if (!metrics_client_put_now (client, "room.temperature", 21.5, NULL, &error))
 *   g_printerr ("%s\n", error->message);
 * samples = metrics_client_get (client, "room.temperature", NULL, &error);
 * ```
 *
 * ## The connection
 *
 * A client connects when its first request is made, and stays connected. The requests of one client go over
 * one connection, in the order in which they were made, without one waiting for the answer to another; a
 * client for each of several tasks that must not wait for each other costs a connection each. When the
 * connection has ended, the next request makes a new one. A request that was under way then fails with
 * %METRICS_ERROR_CLOSED, and is never sent again by the library: whether the server has carried it out is not
 * known, and only the program can tell whether it may be carried out twice (a put of the same point may, as
 * long as nobody else puts to that key and timestamp).
 *
 * ## Threads and main contexts
 *
 * A client may be used from any thread, and from several at once. A thread of the library's own, one for all
 * clients of the process, does all input and output; no code of the program ever runs in it.
 *
 * The synchronous methods block the calling thread and do not iterate any main context. The asynchronous ones
 * call back in the thread-default main context ([method@GLib.MainContext.push_thread_default]) of the thread
 * that made the request, as all of GIO does.
 *
 * A process that forks must not use its clients in the child.
 *
 * ## The bus
 *
 * With `bus:session` or `bus:system` as its address, a client reaches the server that has the name
 * `org.metricsd.Metrics1` there: the user's own, or that of the machine. The bus starts it where it does not
 * run. The client asks it for a socket that can put or, where that is denied, for one that can only read, and
 * talks over that as over any other: only the connecting goes over the bus. A server that was not needed for
 * a while may have ended, and the connection with it; the next request starts it again.
 *
 * On the system bus, deleting and [method@Client.flush] are for administrators. They are calls on the bus,
 * made when all requests before them have been answered, and those behind them wait. The server asks polkit;
 * where [property@Client:interactive] is set, that may ask the user. Such a request that is cancelled or out
 * of time is not waited for any more, though the server may still carry it out after those behind it.
 *
 * ## Time
 *
 * Each request has [property@Client:timeout] from the moment at which it is made, which includes the time to
 * connect and the time that it waits behind others. For [method@Client.put_batch] and
 * [method@Client.foreach], which may well take long, it is the time in which nothing at all happens on the
 * connection. When it is over, the request fails with %METRICS_ERROR_TIMED_OUT. If no request before it still
 * waits with time left, the connection is then given up, and those behind it fail with %METRICS_ERROR_CLOSED.
 *
 * A request that is cancelled fails with %G_IO_ERROR_CANCELLED at once. Where it was already sent, the server
 * may still carry it out; its answer is thrown away when it comes, and the other requests do not notice. Of a
 * batch, what was not sent is not sent any more.
 *
 * ## Errors
 *
 * All methods that talk to the server can fail with any code of [error@Error], and with
 * %G_IO_ERROR_CANCELLED. An argument that cannot be a key, a pattern or a value is
 * %METRICS_ERROR_INVALID_ARGUMENT, before anything is sent. Answers are checked strictly: whatever is not one
 * is %METRICS_ERROR_PROTOCOL and ends the connection. An answer of more than 67,108,864 samples is not kept
 * but fails so too; [method@Client.foreach] has no such limit.
 *
 * Since: 0.1
 */
struct _MetricsClient
{
  GObject parent_instance;

  char *address;           /* (owned): as it was given until construction is over; then valid UTF-8 */
  int timeout;             /* (atomic) a guint of milliseconds */
  int interactive;         /* (atomic) a gboolean */
  MetricsChannel *channel; /* (owned) */
};

typedef enum
{
  PROP_ADDRESS = 1,
  PROP_TIMEOUT,
  PROP_INTERACTIVE,
} MetricsClientProperty;

static GParamSpec *properties[PROP_INTERACTIVE + 1];

#define DEFAULT_TIMEOUT 30000

G_DEFINE_FINAL_TYPE (MetricsClient, metrics_client, G_TYPE_OBJECT)

static void
metrics_client_constructed (GObject *object)
{
  MetricsClient *self = METRICS_CLIENT (object);
  char *shown;

  G_OBJECT_CLASS (metrics_client_parent_class)->constructed (object);

  if (self->address == NULL)
    self->address = g_strdup (metrics_address_get_default ());
  self->channel = metrics_channel_new (self->address);
  /* Only the channel needs the very bytes of a path; programs show what they read here. */
  shown = g_utf8_make_valid (self->address, -1);
  g_free (self->address);
  self->address = shown;
}

static void
metrics_client_finalize (GObject *object)
{
  MetricsClient *self = METRICS_CLIENT (object);

  metrics_channel_shut_down (self->channel);
  g_free (self->address);
  G_OBJECT_CLASS (metrics_client_parent_class)->finalize (object);
}

static void
metrics_client_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MetricsClient *self = METRICS_CLIENT (object);

  switch ((MetricsClientProperty) id)
    {
    case PROP_ADDRESS:
      g_value_set_string (value, metrics_client_get_address (self));
      break;
    case PROP_TIMEOUT:
      g_value_set_uint (value, metrics_client_get_timeout (self));
      break;
    case PROP_INTERACTIVE:
      g_value_set_boolean (value, metrics_client_get_interactive (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
metrics_client_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  MetricsClient *self = METRICS_CLIENT (object);

  switch ((MetricsClientProperty) id)
    {
    case PROP_ADDRESS:
      self->address = g_value_dup_string (value);
      break;
    case PROP_TIMEOUT:
      metrics_client_set_timeout (self, g_value_get_uint (value));
      break;
    case PROP_INTERACTIVE:
      metrics_client_set_interactive (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
metrics_client_class_init (MetricsClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  metrics_texts_bind ();

  object_class->constructed = metrics_client_constructed;
  object_class->finalize = metrics_client_finalize;
  object_class->get_property = metrics_client_get_property;
  object_class->set_property = metrics_client_set_property;

  /**
   * MetricsClient:address: (getter get_address)
   *
   * Where the server is: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`, an absolute path, `bus:session` or
   * `bus:system`. The port is 8888 where none is given. A path may be any bytes; what is read of this
   * property is always UTF-8, with U+FFFD for bytes that are not.
   *
   * %NULL at construction stands for the environment variable `METRICSD_ADDRESS` or, where that is not set or
   * empty, `127.0.0.1:8888`. A text that is no address is told by the first request, which fails with
   * %METRICS_ERROR_INVALID_ARGUMENT.
   *
   * Since: 0.1
   */
  properties[PROP_ADDRESS]
      = g_param_spec_string ("address", NULL, NULL, NULL,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * MetricsClient:timeout: (getter get_timeout) (setter set_timeout)
   *
   * How long a request may take, in milliseconds; 0 is for ever.
   *
   * Since: 0.1
   */
  properties[PROP_TIMEOUT]
      = g_param_spec_uint ("timeout", NULL, NULL, 0, G_MAXUINT, DEFAULT_TIMEOUT,
                           G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * MetricsClient:interactive: (getter get_interactive) (setter set_interactive)
   *
   * Whether the user may be asked for leave, by a password say, where a request on the system bus needs an
   * administrator: see [class@Client]. [property@Client:timeout] has to leave the time for it.
   *
   * Since: 0.1
   */
  properties[PROP_INTERACTIVE]
      = g_param_spec_boolean ("interactive", NULL, NULL, FALSE,
                              G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
metrics_client_init (MetricsClient *self)
{
  self->timeout = DEFAULT_TIMEOUT;
}

/**
 * metrics_client_new:
 * @address: (nullable): where the server is, see [property@Client:address]
 *
 * Makes a client. It does not connect yet, and so cannot fail.
 *
 * Returns: (transfer full): the client
 *
 * Since: 0.1
 */
MetricsClient *
metrics_client_new (const char *address)
{
  return g_object_new (METRICS_TYPE_CLIENT, "address", address, NULL);
}

/**
 * metrics_client_new_for_bus: (constructor)
 * @bus_type: %G_BUS_TYPE_SESSION or %G_BUS_TYPE_SYSTEM
 *
 * Makes a client of the server on a bus: of the user's own, or of the machine's. The same as
 * [ctor@Client.new] with `bus:session` or `bus:system`. It does not connect yet, and so cannot fail.
 *
 * Returns: (transfer full): the client
 *
 * Since: 0.1
 */
MetricsClient *
metrics_client_new_for_bus (GBusType bus_type)
{
  g_return_val_if_fail (bus_type == G_BUS_TYPE_SESSION || bus_type == G_BUS_TYPE_SYSTEM, NULL);

  return metrics_client_new (bus_type == G_BUS_TYPE_SESSION ? METRICS_BUS_ADDRESS_SESSION
                                                            : METRICS_BUS_ADDRESS_SYSTEM);
}

/**
 * metrics_client_get_address: (get-property address)
 * @self: a client
 *
 * Gets where the server is: what was given at construction, or what stood for it.
 *
 * Returns: (transfer none): the address
 *
 * Since: 0.1
 */
const char *
metrics_client_get_address (MetricsClient *self)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), NULL);

  return self->address;
}

/**
 * metrics_client_get_timeout: (get-property timeout)
 * @self: a client
 *
 * Gets how long a request may take.
 *
 * Returns: milliseconds; 0 is for ever
 *
 * Since: 0.1
 */
guint
metrics_client_get_timeout (MetricsClient *self)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), 0);

  return (guint) g_atomic_int_get (&self->timeout);
}

/**
 * metrics_client_set_timeout: (set-property timeout)
 * @self: a client
 * @milliseconds: how long a request may take; 0 is for ever
 *
 * Sets how long the requests that are made from now on may take.
 *
 * Since: 0.1
 */
void
metrics_client_set_timeout (MetricsClient *self, guint milliseconds)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  if (metrics_client_get_timeout (self) == milliseconds)
    return;
  g_atomic_int_set (&self->timeout, (int) milliseconds);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIMEOUT]);
}

/**
 * metrics_client_get_interactive: (get-property interactive)
 * @self: a client
 *
 * Gets whether the user may be asked for leave.
 *
 * Returns: whether it is so
 *
 * Since: 0.1
 */
gboolean
metrics_client_get_interactive (MetricsClient *self)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (self), FALSE);

  return g_atomic_int_get (&self->interactive);
}

/**
 * metrics_client_set_interactive: (set-property interactive)
 * @self: a client
 * @interactive: whether the user may be asked for leave
 *
 * Sets whether the user may be asked for leave by the requests that are made from now on.
 *
 * Since: 0.1
 */
void
metrics_client_set_interactive (MetricsClient *self, gboolean interactive)
{
  g_return_if_fail (METRICS_IS_CLIENT (self));

  if (metrics_client_get_interactive (self) == !!interactive)
    return;
  g_atomic_int_set (&self->interactive, !!interactive);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INTERACTIVE]);
}

/**
 * metrics_client_close:
 * @self: a client
 *
 * Closes the connection, where there is one. Requests that were made before and are not answered yet fail
 * with %METRICS_ERROR_CLOSED; a request that is made afterwards connects anew. Does not block.
 *
 * A client that is freed closes its connection by itself.
 *
 * Since: 0.1
 */
void
metrics_client_close (MetricsClient *self)
{
  g_autoptr (MetricsRequest) request = NULL;

  g_return_if_fail (METRICS_IS_CLIENT (self));

  request = metrics_request_new_close ();
  metrics_channel_submit (self->channel, request);
}

/**
 * metrics_client_get_channel:
 * @self: a client
 *
 * Returns: (transfer none): its channel
 */
MetricsChannel *
metrics_client_get_channel (MetricsClient *self)
{
  return self->channel;
}

/**
 * metrics_client_issue:
 * @self: a client
 * @request: a request that can be made
 * @cancellable: (nullable): what cancels it
 *
 * Has the request made. Its time runs from here.
 */
void
metrics_client_issue (MetricsClient *self, MetricsRequest *request, GCancellable *cancellable)
{
  g_assert (!request->is_done);

  request->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  request->timeout = metrics_client_get_timeout (self) * (G_TIME_SPAN_SECOND / 1000);
  request->is_interactive = metrics_client_get_interactive (self);
  request->issued = g_get_monotonic_time ();
  metrics_channel_submit (self->channel, request);
}

/**
 * metrics_client_run:
 * @self: a client
 * @request: a request
 * @cancellable: (nullable): what cancels it
 * @error: return location for a #GError
 *
 * Has the request made and blocks until it is done.
 *
 * Returns: whether it succeeded
 */
gboolean
metrics_client_run (MetricsClient *self, MetricsRequest *request, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!request->is_done)
    metrics_client_issue (self, request, cancellable);
  return metrics_request_wait (request, error);
}

/**
 * metrics_client_start:
 * @self: a client
 * @request: (transfer full): a request
 * @tag: the public function that makes it
 * @cancellable: (nullable): what cancels it
 * @callback: (nullable): what to call when it is done
 * @user_data: what to call it with
 *
 * Has the request made and returns at once.
 */
void
metrics_client_start (MetricsClient *self,
                      MetricsRequest *request,
                      gpointer tag,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (MetricsRequest) owned = request;
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tag);
  /* Whether it was cancelled or answered first is decided in one place, the worker thread. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, metrics_request_ref (owned), (GDestroyNotify) metrics_request_unref);

  if (owned->is_done && owned->error != NULL)
    g_task_return_error (task, g_steal_pointer (&owned->error));
  else if (owned->is_done)
    g_task_return_boolean (task, TRUE);
  if (owned->is_done)
    return;

  owned->task = g_steal_pointer (&task);
  metrics_client_issue (self, owned, cancellable);
}

/**
 * metrics_client_finish:
 * @self: a client
 * @result: what the callback was given
 * @tag: the public function that made the request
 * @error: return location for a #GError
 *
 * Returns: (transfer none) (nullable): the request where it succeeded; it lives as long as @result
 */
MetricsRequest *
metrics_client_finish (MetricsClient *self, GAsyncResult *result, gpointer tag, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, tag), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_boolean (G_TASK (result), error) ? g_task_get_task_data (G_TASK (result)) : NULL;
}

/**
 * metrics_client_run_for_rows:
 * @self: a client
 * @request: (transfer full): a request whose answer is rows
 * @cancellable: (nullable): what cancels it
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable): the rows
 */
GPtrArray *
metrics_client_run_for_rows (MetricsClient *self,
                             MetricsRequest *request,
                             GCancellable *cancellable,
                             GError **error)
{
  g_autoptr (MetricsRequest) owned = request;

  return metrics_client_run (self, owned, cancellable, error) ? g_steal_pointer (&owned->answer.rows) : NULL;
}

/**
 * metrics_client_finish_rows:
 * @self: a client
 * @result: what the callback was given
 * @tag: the public function that made the request
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable): the rows
 */
GPtrArray *
metrics_client_finish_rows (MetricsClient *self, GAsyncResult *result, gpointer tag, GError **error)
{
  MetricsRequest *request = metrics_client_finish (self, result, tag, error);

  return request != NULL ? g_steal_pointer (&request->answer.rows) : NULL;
}
