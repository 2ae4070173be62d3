/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-watch.h"

#include "common/metrics-key.h"
#include "common/metrics-names.h"
#include "dbus/metrics-bus-arguments.h"
#include "store/metrics-watcher.h"

#include <string.h>

/* What callers watch.
 *
 * A signal says nothing of whether anybody takes it: GDBus and the bus queue what a stopped reader does not
 * read, the bus up to a limit (127 MiB for a receiver of the system bus, 1 GB for one of the session's) at
 * which it drops messages or the receiver. So each signal is followed by a Ping, which is answered behind it,
 * by the same thread of the reader that takes signals; only then comes the next one. What is put meanwhile
 * waits in the watcher's queue, of which the oldest go. An error is an answer, too: where the policy of a bus
 * allows no Ping, the bus says so itself.
 *
 * The bus keeps a place for each answer that is owed to this process, 128 on the system bus, until it comes
 * or until who owes it leaves; that the question is called off here changes nothing there. So a caller owes
 * one answer at most, whatever it watches and stops to watch, and few callers may owe one. */

/* After how many seconds a Ping is sent again for which the bus had no place. */
#define PING_RETRY 1

/* Often enough for a human, and seldom enough that a signal costs little beside what it brings. */
#define MIN_INTERVAL 100
#define MAX_INTERVAL (60 * 60 * 1000)

/* How many bytes wait for a caller that does not take them; and how many points and bytes a signal has at
 * most, so that it is written down in less than a millisecond. What is more comes MIN_INTERVAL later. */
#define QUEUE_LIMIT (256 << 10)
#define MAX_POINTS 2000
#define MAX_BYTES (64 << 10)

typedef struct
{
  MetricsBusWatches *owner; /* (unowned) */
  GList link;               /* in MetricsBusWatches.watches */
  guint64 id;
  MetricsWatcher *watcher; /* (owned) */
  guint interval;          /* in milliseconds */
  gint64 next;             /* monotonic time at which the next signal may go */
  guint source_id;         /* until then; 0 where there is nothing to be sent, or the last one is not taken */
  gboolean is_waiting;     /* whether there is something to be sent when the last Ping is answered */
} Watch;

struct _MetricsBusWatches
{
  MetricsBusObject *object; /* (unowned): it gives up its callers before it goes */
  MetricsBusCaller *caller; /* (unowned): it owns this */
  GQueue watches;           /* (owned) (element-type Watch) */
  GCancellable *ping;       /* (owned) (nullable): behind the last signal, while it is not answered */
  guint retry_id;           /* until that Ping is sent again */
};

static void schedule (Watch *self);
static void send_ping (MetricsBusWatches *self, GDBusConnection *connection);

static void
watch_free (Watch *self)
{
  g_clear_handle_id (&self->source_id, g_source_remove);
  metrics_watcher_free (self->watcher);
  g_queue_unlink (&self->owner->watches, &self->link);
  g_free (self);
}

static GDBusConnection *
get_connection (MetricsBusWatches *self)
{
  return g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self->object));
}

/* Who watches nothing is forgotten, but not as long as it owes an answer: else it could come to owe many. */
static void
check_needed (MetricsBusWatches *self)
{
  if (self->watches.length == 0 && self->ping == NULL)
    g_clear_pointer (&self->caller->watches, metrics_bus_watches_free);
}

static gboolean
retry_cb (gpointer user_data)
{
  MetricsBusWatches *self = user_data;
  GDBusConnection *connection = get_connection (self);

  self->retry_id = 0;
  if (connection != NULL)
    send_ping (self, connection);
  return G_SOURCE_REMOVE;
}

static void
ping_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  MetricsBusWatches *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);

  /* The caller has left. What it sends itself can look the same. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) && !g_dbus_error_is_remote_error (error))
    return;
  /* The bus had no place for one more question: nothing is known. */
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED))
    {
      self->retry_id = g_timeout_add_seconds (PING_RETRY, retry_cb, self);
      return;
    }
  g_clear_object (&self->ping);
  for (GList *l = self->watches.head; l != NULL; l = l->next)
    if (((Watch *) l->data)->is_waiting)
      schedule (l->data);
  check_needed (self);
}

static void
send_ping (MetricsBusWatches *self, GDBusConnection *connection)
{
  if (self->ping == NULL)
    self->ping = g_cancellable_new ();
  g_dbus_connection_call (connection, self->caller->name, METRICS_BUS_PATH, "org.freedesktop.DBus.Peer",
                          "Ping", NULL, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, self->ping, ping_cb,
                          self);
}

/* Takes what a signal may have. Returns: (transfer floating) (nullable): the signal, or NULL where there is
 * nothing to be said; @more: whether there may be more of it */
static GVariant *
take_points (Watch *self, gboolean *more)
{
  guint64 n_dropped = metrics_watcher_take_n_dropped (self->watcher);
  GVariantBuilder builder;
  MetricsWatchRow row;
  gsize n_bytes = 0;
  guint n = 0;

  *more = TRUE;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sdx)"));
  while (n < MAX_POINTS && n_bytes < MAX_BYTES)
    {
      char key[METRICS_KEY_MAX + 1];

      if (!metrics_watcher_take (self->watcher, &row))
        {
          *more = FALSE;
          break;
        }
      memcpy (key, row.key, row.key_len);
      key[row.key_len] = '\0';
      g_variant_builder_add (&builder, "(sdx)", key, row.point.value, row.point.time);
      n_bytes += sizeof row.point + row.key_len;
      n++;
    }
  if (n == 0 && n_dropped == 0)
    {
      g_variant_builder_clear (&builder);
      return NULL;
    }
  return g_variant_new ("(ta(sdx)t)", self->id, &builder, n_dropped);
}

static void
send_points (Watch *self, GDBusConnection *connection, GVariant *points, gboolean more)
{
  g_dbus_connection_emit_signal (connection, self->owner->caller->name, METRICS_BUS_PATH,
                                 METRICS_BUS_INTERFACE, "Points", points, NULL);
  self->next = g_get_monotonic_time () + (more ? MIN_INTERVAL : self->interval) * G_TIME_SPAN_MILLISECOND;
  self->is_waiting = more;
  send_ping (self->owner, connection);
}

static gboolean
send_cb (gpointer user_data)
{
  Watch *self = user_data;
  GDBusConnection *connection = get_connection (self->owner);
  gboolean more;
  GVariant *points;

  self->source_id = 0;
  /* Another watch of the caller has sent something: it goes on when that is taken. */
  if (self->owner->ping != NULL)
    return G_SOURCE_REMOVE;
  self->is_waiting = FALSE;
  /* It is being left, and so are all who watch. */
  if (connection == NULL)
    return G_SOURCE_REMOVE;
  points = take_points (self, &more);
  if (points != NULL)
    send_points (self, connection, points, more);
  return G_SOURCE_REMOVE;
}

/* Has points sent as soon as may be. */
static void
schedule (Watch *self)
{
  gint64 wait = self->next - g_get_monotonic_time ();

  self->is_waiting = TRUE;
  if (self->owner->ping != NULL || self->source_id != 0)
    return;
  self->source_id = g_timeout_add_full (G_PRIORITY_DEFAULT, wait > 0 ? wait / G_TIME_SPAN_MILLISECOND + 1 : 0,
                                        send_cb, self, NULL);
}

static void
wake_cb (MetricsWatcher *watcher, gpointer user_data)
{
  schedule (user_data);
}

static gboolean
check_watch (MetricsBusObject *object,
             const MetricsBusCaller *caller,
             const char *pattern,
             guint interval,
             GError **error)
{
  if (!metrics_bus_arguments_check_pattern (pattern, error))
    return FALSE;
  if (interval < MIN_INTERVAL || interval > MAX_INTERVAL)
    g_set_error (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT,
                 "the interval is not from %d to %d milliseconds", MIN_INTERVAL, MAX_INTERVAL);
  else if ((caller->watches != NULL && caller->watches->watches.length >= METRICS_BUS_MAX_WATCHES_OF_CALLER)
           || object->n_watches >= METRICS_BUS_MAX_WATCHES)
    g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_LIMIT_REACHED, "too many watches");
  else if (caller->watches == NULL && object->n_watchers >= METRICS_BUS_MAX_WATCHERS)
    g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_LIMIT_REACHED,
                         "too many callers that watch");
  else
    return TRUE;
  return FALSE;
}

static Watch *
add_watch (MetricsBusObject *object,
           MetricsBusCaller *caller,
           const char *pattern,
           guint interval,
           GError **error)
{
  g_autoptr (GError) store_error = NULL;
  MetricsWatcher *watcher;
  Watch *self = g_new0 (Watch, 1);

  watcher = metrics_watcher_new (object->store, QUEUE_LIMIT, wake_cb, self);
  if (!metrics_watcher_add (watcher, pattern, strlen (pattern), &store_error))
    {
      g_propagate_error (error, metrics_bus_error_from_store (store_error));
      metrics_watcher_free (watcher);
      g_free (self);
      return NULL;
    }
  if (caller->watches == NULL)
    {
      caller->watches = g_new0 (MetricsBusWatches, 1);
      caller->watches->object = object;
      caller->watches->caller = caller;
      object->n_watchers++;
    }
  self->owner = caller->watches;
  self->watcher = watcher;
  self->id = ++object->last_watch;
  self->interval = interval;
  self->link.data = self;
  g_queue_push_tail_link (&caller->watches->watches, &self->link);
  object->n_watches++;
  return self;
}

static void
drop_watch (Watch *self)
{
  self->owner->object->n_watches--;
  watch_free (self);
}

/**
 * metrics_bus_watch_handle_watch:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @pattern: what to watch
 * @interval_ms: how often to tell of it
 * @options: there are none yet
 *
 * Begins a watch for the caller.
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_watch_handle_watch (MetricsBusService *service,
                                GDBusMethodInvocation *invocation,
                                const char *pattern,
                                guint interval_ms,
                                GVariant *options)
{
  MetricsBusObject *object = METRICS_BUS_OBJECT (service);
  MetricsBusCaller *caller;
  GError *error = NULL;
  Watch *watch = NULL;

  if (metrics_bus_arguments_check_options (options, &error))
    {
      caller = metrics_bus_object_get_caller (object, g_dbus_method_invocation_get_sender (invocation));
      if (check_watch (object, caller, pattern, interval_ms, &error))
        watch = add_watch (object, caller, pattern, interval_ms, &error);
    }
  if (watch == NULL)
    g_dbus_method_invocation_take_error (invocation, error);
  else
    metrics_bus_service_complete_watch (service, invocation, watch->id);
  return TRUE;
}

static Watch *
find_watch (const MetricsBusCaller *caller, guint64 id)
{
  for (GList *l = caller->watches != NULL ? caller->watches->watches.head : NULL; l != NULL; l = l->next)
    if (((Watch *) l->data)->id == id)
      return l->data;
  return NULL;
}

/**
 * metrics_bus_watch_handle_unwatch:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @id: the number of a watch
 * @options: there are none yet
 *
 * Ends a watch of the caller; what it was not told of yet is dropped.
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_watch_handle_unwatch (MetricsBusService *service,
                                  GDBusMethodInvocation *invocation,
                                  guint64 id,
                                  GVariant *options)
{
  MetricsBusObject *object = METRICS_BUS_OBJECT (service);
  MetricsBusCaller *caller;
  GError *error = NULL;
  Watch *watch;

  if (!metrics_bus_arguments_check_options (options, &error))
    {
      g_dbus_method_invocation_take_error (invocation, error);
      return TRUE;
    }
  caller = metrics_bus_object_get_caller (object, g_dbus_method_invocation_get_sender (invocation));
  watch = find_watch (caller, id);
  if (watch == NULL)
    {
      g_dbus_method_invocation_return_error (invocation, METRICS_BUS_ERROR, METRICS_BUS_ERROR_NOT_FOUND,
                                             "there is no watch %" G_GUINT64_FORMAT, id);
      return TRUE;
    }
  drop_watch (watch);
  check_needed (caller->watches);
  metrics_bus_service_complete_unwatch (service, invocation);
  return TRUE;
}

/**
 * metrics_bus_watches_free:
 * @self: (transfer full) (nullable): what a caller watches
 *
 * To be called when the caller has left the bus.
 */
void
metrics_bus_watches_free (MetricsBusWatches *self)
{
  if (self == NULL)
    return;
  while (self->watches.head != NULL)
    drop_watch (self->watches.head->data);
  g_clear_handle_id (&self->retry_id, g_source_remove);
  if (self->ping != NULL)
    g_cancellable_cancel (self->ping);
  g_clear_object (&self->ping);
  self->object->n_watchers--;
  g_free (self);
}
