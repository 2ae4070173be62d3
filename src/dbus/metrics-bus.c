/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus.h"

#include "common/metrics-names.h"
#include "dbus/metrics-bus-connect.h"
#include "dbus/metrics-bus-log.h"
#include "dbus/metrics-bus-private.h"

#include <glib/gi18n.h>

/* How long to wait before trying again where the system bus is gone, in seconds: each time twice as long. */
#define MIN_RETRY 1
#define MAX_RETRY 30

/* How long the bus may take for what it does at once, in milliseconds. */
#define PATIENCE 10000

/* How long it may take to tell callers that they get no answer any more, in seconds. */
#define LAST_PATIENCE 2

/* Of org.freedesktop.DBus. */
#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define REQUEST_NAME_DO_NOT_QUEUE 4
#define REQUEST_NAME_PRIMARY_OWNER 1

/**
 * MetricsBus:
 *
 * The server's place on a bus: a connection, the object, the name.
 *
 * The order in which things are said to the bus is what makes that no call is lost. The object is exported
 * before the name is asked for, so that whoever finds the name finds the object. At the end the name is given
 * back first: calls that come later have the bus start another server, and those before are all in the socket
 * when the bus confirms it, and get their answers.
 *
 * That somebody leaves the bus is asked for before the name as well: else a caller could leave unseen.
 */
struct _MetricsBus
{
  GObject parent;

  MetricsBusKind kind;
  MetricsBusObject *object;    /* (owned) */
  GDBusConnection *connection; /* (owned) (nullable): while there is one */
  GCancellable *cancellable;   /* (owned): of all that is under way */
  guint leaving_id;            /* subscription to NameOwnerChanged */
  guint retry_id;
  guint retry_seconds;
  guint finish_id;
  MetricsBusFunc release_func; /* (nullable): waits for the name to be given back */
  gpointer release_data;       /* (unowned) */
  gboolean is_finishing;
  gboolean is_finished;
};

enum
{
  SIGNAL_JOINED,
  SIGNAL_LOST,
  SIGNAL_FINISHED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (MetricsBus, metrics_bus, G_TYPE_OBJECT)

static void closed_cb (GDBusConnection *connection,
                       gboolean remote_peer_vanished,
                       GError *error,
                       gpointer user_data);

/* Leaves the bus, and forgets who has called. */
static void
disconnect (MetricsBus *self)
{
  if (self->connection == NULL)
    return;
  metrics_bus_object_forget_all (self->object);
  g_signal_handlers_disconnect_by_data (self->connection, self);
  g_dbus_connection_signal_unsubscribe (self->connection, self->leaving_id);
  self->leaving_id = 0;
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self->object)) != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->object));
  if (!g_dbus_connection_is_closed (self->connection))
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
}

static void
metrics_bus_dispose (GObject *object)
{
  MetricsBus *self = METRICS_BUS (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_handle_id (&self->finish_id, g_source_remove);
  disconnect (self);
  if (self->object != NULL)
    g_object_run_dispose (G_OBJECT (self->object));
  g_clear_object (&self->object);

  G_OBJECT_CLASS (metrics_bus_parent_class)->dispose (object);
}

static void
metrics_bus_finalize (GObject *object)
{
  MetricsBus *self = METRICS_BUS (object);

  g_object_unref (self->cancellable);

  G_OBJECT_CLASS (metrics_bus_parent_class)->finalize (object);
}

static void
metrics_bus_class_init (MetricsBusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = metrics_bus_dispose;
  object_class->finalize = metrics_bus_finalize;

  /**
   * MetricsBus::joined:
   *
   * From within metrics_bus_open(), before the name is asked for: from then on calls come.
   */
  signals[SIGNAL_JOINED]
      = g_signal_new ("joined", METRICS_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * MetricsBus::lost:
   *
   * The session is over: its bus is gone. The system bus is waited for instead.
   */
  signals[SIGNAL_LOST]
      = g_signal_new ("lost", METRICS_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * MetricsBus::finished:
   *
   * After metrics_bus_finish(): nobody is owed an answer any more.
   */
  signals[SIGNAL_FINISHED]
      = g_signal_new ("finished", METRICS_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
metrics_bus_init (MetricsBus *self)
{
  self->cancellable = g_cancellable_new ();
  self->retry_seconds = MIN_RETRY;
}

/**
 * metrics_bus_new:
 * @kind: which bus, not %METRICS_BUS_NONE
 * @store: what callers put into and read from; it has its journal already, and all that is stored
 * @host: what the program does for callers; copied
 *
 * Returns: (transfer full): what is on no bus yet
 */
MetricsBus *
metrics_bus_new (MetricsBusKind kind, MetricsStore *store, const MetricsBusHost *host)
{
  MetricsBus *self = g_object_new (METRICS_TYPE_BUS, NULL);

  g_assert (kind != METRICS_BUS_NONE);

  self->kind = kind;
  self->object = metrics_bus_object_new (kind, store, host);
  return self;
}

/**
 * metrics_bus_set_addresses:
 * @self: a bus
 * @addresses: where else the server takes clients
 */
void
metrics_bus_set_addresses (MetricsBus *self, const char *const *addresses)
{
  g_return_if_fail (METRICS_IS_BUS (self));

  metrics_bus_service_set_addresses (METRICS_BUS_SERVICE (self->object), addresses);
}

/**
 * metrics_bus_set_slice:
 * @self: a bus
 * @slice: how many units of work are done of a call from now on before it is others' turn
 */
void
metrics_bus_set_slice (MetricsBus *self, guint slice)
{
  g_return_if_fail (METRICS_IS_BUS (self));

  self->object->host.slice = slice;
}

/* Joining the bus */

static void
leaving_cb (GDBusConnection *connection,
            const char *sender,
            const char *path,
            const char *interface,
            const char *signal,
            GVariant *parameters,
            gpointer user_data)
{
  MetricsBus *self = user_data;
  const char *name, *new_owner;

  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &new_owner);
  if (name[0] == ':' && new_owner[0] == '\0')
    metrics_bus_object_forget_caller (self->object, name);
}

/* All that comes before the name. */
static gboolean
adopt_connection (MetricsBus *self, GDBusConnection *connection, GError **error)
{
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  self->connection = g_object_ref (connection);
  g_signal_connect (connection, "closed", G_CALLBACK (closed_cb), self);
  self->leaving_id
      = g_dbus_connection_signal_subscribe (connection, BUS_NAME, BUS_NAME, "NameOwnerChanged", BUS_PATH,
                                            NULL, G_DBUS_SIGNAL_FLAGS_NONE, leaving_cb, self, NULL);
  if (g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->object), connection,
                                        METRICS_BUS_PATH, error))
    return TRUE;
  disconnect (self);
  return FALSE;
}

static GVariant *
describe_request (void)
{
  return g_variant_new ("(su)", METRICS_BUS_NAME, REQUEST_NAME_DO_NOT_QUEUE);
}

static gboolean
check_owner (GVariant *reply, GError **error)
{
  guint32 result;

  g_variant_get (reply, "(u)", &result);
  if (result == REQUEST_NAME_PRIMARY_OWNER)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, _ ("another server has the name %s"), METRICS_BUS_NAME);
  return FALSE;
}

static const char *
get_bus_prefix (MetricsBus *self)
{
  return self->kind == METRICS_BUS_SESSION ? _ ("session bus: ") : _ ("system bus: ");
}

static GBusType
get_bus_type (MetricsBus *self)
{
  return self->kind == METRICS_BUS_SESSION ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM;
}

static gboolean
join (MetricsBus *self, GError **error)
{
  g_autoptr (GDBusConnection) connection = metrics_bus_connect_sync (get_bus_type (self), PATIENCE, error);
  g_autoptr (GVariant) reply = NULL;

  if (connection == NULL || !adopt_connection (self, connection, error))
    return FALSE;
  g_signal_emit (self, signals[SIGNAL_JOINED], 0);
  reply = g_dbus_connection_call_sync (connection, BUS_NAME, BUS_PATH, BUS_NAME, "RequestName",
                                       describe_request (), G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE,
                                       PATIENCE, NULL, error);
  return reply != NULL && check_owner (reply, error);
}

/**
 * metrics_bus_open:
 * @self: a bus
 * @error: return location for a #GError
 *
 * Joins the bus and takes the name, and waits for that: to be called at the start, when all else is ready.
 * Calls are answered from the next iteration of the main context on.
 *
 * Returns: %FALSE where there is no bus, or another has the name
 */
gboolean
metrics_bus_open (MetricsBus *self, GError **error)
{
  g_autoptr (GError) reason = NULL;

  g_return_val_if_fail (METRICS_IS_BUS (self), FALSE);
  g_return_val_if_fail (self->connection == NULL, FALSE);

  if (join (self, &reason))
    return TRUE;
  disconnect (self);
  g_dbus_error_strip_remote_error (reason);
  g_propagate_prefixed_error (error, g_steal_pointer (&reason), "%s", get_bus_prefix (self));
  return FALSE;
}

/* Joining it again */

static void schedule_retry (MetricsBus *self);
static void finish_now (MetricsBus *self);

static void
retry_failed (MetricsBus *self, const GError *error)
{
  g_debug ("system bus: %s", error->message);
  disconnect (self);
  if (self->is_finishing)
    finish_now (self);
  else
    schedule_retry (self);
}

static void
requested_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);
  MetricsBus *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  /* It may have gone again, which was told. */
  if (G_DBUS_CONNECTION (source_object) != self->connection)
    return;
  if (reply == NULL || !check_owner (reply, &error))
    {
      retry_failed (self, error);
      return;
    }
  self->retry_seconds = MIN_RETRY;
  metrics_bus_log_name_owned ();
}

static void
connected_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_for_address_finish (result, &error);
  MetricsBus *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection == NULL || !adopt_connection (self, connection, &error))
    {
      retry_failed (self, error);
      return;
    }
  g_dbus_connection_call (connection, BUS_NAME, BUS_PATH, BUS_NAME, "RequestName", describe_request (),
                          G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, PATIENCE, self->cancellable,
                          requested_cb, self);
}

static gboolean
retry_cb (gpointer user_data)
{
  MetricsBus *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;

  self->retry_id = 0;
  /* Of the system bus it is known, or in the environment: nothing is waited for. */
  address = g_dbus_address_get_for_bus_sync (get_bus_type (self), NULL, &error);
  if (address == NULL)
    retry_failed (self, error);
  else
    g_dbus_connection_new_for_address (address, METRICS_BUS_CONNECTION_FLAGS, NULL, self->cancellable,
                                       connected_cb, self);
  return G_SOURCE_REMOVE;
}

static void
schedule_retry (MetricsBus *self)
{
  if (self->is_finishing)
    return;
  self->retry_id = g_timeout_add_seconds (self->retry_seconds, retry_cb, self);
  self->retry_seconds = MIN (self->retry_seconds * 2, MAX_RETRY);
}

static void
finish_now (MetricsBus *self)
{
  if (self->is_finished)
    return;
  self->is_finished = TRUE;
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->finish_id, g_source_remove);
  disconnect (self);
  g_signal_emit (self, signals[SIGNAL_FINISHED], 0);
}

static void
closed_cb (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer user_data)
{
  g_autoptr (MetricsBus) self = g_object_ref (user_data);

  disconnect (self);
  if (self->is_finishing)
    finish_now (self);
  else if (self->kind == METRICS_BUS_SESSION)
    {
      metrics_bus_log_name_lost (self->kind);
      g_signal_emit (self, signals[SIGNAL_LOST], 0);
    }
  else
    {
      metrics_bus_log_name_lost (self->kind);
      schedule_retry (self);
    }
}

/* At work */

/**
 * metrics_bus_is_busy:
 * @self: a bus
 *
 * Returns: whether a call is in progress, or somebody watches
 */
gboolean
metrics_bus_is_busy (MetricsBus *self)
{
  g_return_val_if_fail (METRICS_IS_BUS (self), FALSE);

  return metrics_bus_object_is_busy (self->object);
}

/**
 * metrics_bus_get_last_call:
 * @self: a bus
 *
 * Returns: the monotonic time of the last call, or of the start
 */
gint64
metrics_bus_get_last_call (MetricsBus *self)
{
  g_return_val_if_fail (METRICS_IS_BUS (self), 0);

  return self->object->last_call;
}

/* The end */

static void
flushed_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source_object), result, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    finish_now (user_data);
}

/* The last answers are still to be written to the socket. */
static gboolean
answered_cb (gpointer user_data)
{
  MetricsBus *self = user_data;

  if (self->connection != NULL)
    g_dbus_connection_flush (self->connection, self->cancellable, flushed_cb, self);
  return G_SOURCE_REMOVE;
}

static void
released_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);
  MetricsBus *self = user_data;

  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    metrics_bus_object_set_idle_func (self->object, answered_cb, self);
}

static gboolean
finish_timeout_cb (gpointer user_data)
{
  MetricsBus *self = user_data;

  self->finish_id = 0;
  metrics_bus_abort (self);
  return G_SOURCE_REMOVE;
}

static void
call_release (MetricsBus *self, GAsyncReadyCallback callback)
{
  g_dbus_connection_call (self->connection, BUS_NAME, BUS_PATH, BUS_NAME, "ReleaseName",
                          g_variant_new ("(s)", METRICS_BUS_NAME), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, callback, self);
}

static void
given_back_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);
  MetricsBus *self = user_data;
  MetricsBusFunc func;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  func = g_steal_pointer (&self->release_func);
  if (func != NULL)
    func (self->release_data);
}

/**
 * metrics_bus_release:
 * @self: a bus
 * @func: (nullable): what to call when that is done; %NULL where nobody waits for it any more
 * @user_data: what to call it with
 *
 * Gives the name back and goes on answering: what was called by the name has begun when @func is called, and
 * who knows the unique name can call that yet. metrics_bus_finish() is to follow.
 *
 * Returns: %FALSE where there is no name, and @func is not called
 */
gboolean
metrics_bus_release (MetricsBus *self, MetricsBusFunc func, gpointer user_data)
{
  g_return_val_if_fail (METRICS_IS_BUS (self), FALSE);

  self->release_func = func;
  self->release_data = user_data;
  if (func == NULL || self->connection == NULL || self->is_finishing)
    {
      self->release_func = NULL;
      return FALSE;
    }
  call_release (self, given_back_cb);
  return TRUE;
}

/**
 * metrics_bus_finish:
 * @self: a bus
 * @timeout: seconds that calls in progress may still take
 *
 * Gives the name back, answers what was called, and leaves the bus. #MetricsBus::finished says when that is
 * done, from an iteration of the main context or, where there is no bus, from here.
 */
void
metrics_bus_finish (MetricsBus *self, guint timeout)
{
  g_return_if_fail (METRICS_IS_BUS (self));

  if (self->is_finishing)
    return;
  self->is_finishing = TRUE;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  if (self->connection == NULL)
    {
      finish_now (self);
      return;
    }
  self->finish_id = g_timeout_add_seconds (timeout, finish_timeout_cb, self);
  call_release (self, released_cb);
}

/**
 * metrics_bus_abort:
 * @self: a bus that is finishing
 *
 * Has calls in progress, and those that still come, answered by an error, and leaves the bus when that is
 * said. The second time it leaves at once, whatever is owed.
 */
void
metrics_bus_abort (MetricsBus *self)
{
  g_return_if_fail (METRICS_IS_BUS (self));

  if (!self->is_finishing || self->is_finished)
    return;
  g_clear_handle_id (&self->finish_id, g_source_remove);
  if (metrics_bus_object_refuse_all (self->object))
    self->finish_id = g_timeout_add_seconds (LAST_PATIENCE, finish_timeout_cb, self);
  else
    finish_now (self);
}
