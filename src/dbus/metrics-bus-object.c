/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-call.h"
#include "dbus/metrics-bus-taking.h"
#include "dbus/metrics-bus-watch.h"

#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>

/* The object on the bus: its properties, and who calls it. */

static void
metrics_bus_object_iface_init (MetricsBusServiceIface *iface)
{
  metrics_bus_methods_init (iface);
}

G_DEFINE_FINAL_TYPE_WITH_CODE (MetricsBusObject,
                               metrics_bus_object,
                               METRICS_BUS_TYPE_SERVICE_SKELETON,
                               G_IMPLEMENT_INTERFACE (METRICS_BUS_TYPE_SERVICE,
                                                      metrics_bus_object_iface_init))

static void
caller_free (gpointer data)
{
  MetricsBusCaller *caller = data;

  g_clear_pointer (&caller->watches, metrics_bus_watches_free);
  g_clear_pointer (&caller->taking, metrics_bus_taking_leave);
  while (caller->calls.head != NULL)
    metrics_bus_call_free (caller->calls.head->data);
  g_free (caller->name);
  g_free (caller);
}

/* What changes all the time is not kept up to date, but looked up when somebody asks. */
static void
metrics_bus_object_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  MetricsBusObject *self = METRICS_BUS_OBJECT (object);

  if (g_str_equal (pspec->name, "series-count"))
    g_value_set_uint64 (value, metrics_store_get_n_series (self->store));
  else if (g_str_equal (pspec->name, "point-count"))
    g_value_set_uint64 (value, metrics_store_get_n_points (self->store));
  else
    G_OBJECT_CLASS (metrics_bus_object_parent_class)->get_property (object, property_id, value, pspec);
}

static void
metrics_bus_object_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  G_OBJECT_CLASS (metrics_bus_object_parent_class)->set_property (object, property_id, value, pspec);
}

static void
metrics_bus_object_dispose (GObject *object)
{
  MetricsBusObject *self = METRICS_BUS_OBJECT (object);

  self->idle_func = NULL;
  if (self->callers != NULL)
    metrics_bus_object_forget_all (self);
  g_clear_handle_id (&self->idle_id, g_source_remove);
  g_clear_pointer (&self->disk, metrics_disk_free);

  G_OBJECT_CLASS (metrics_bus_object_parent_class)->dispose (object);
}

static void
metrics_bus_object_finalize (GObject *object)
{
  MetricsBusObject *self = METRICS_BUS_OBJECT (object);

  g_hash_table_unref (self->callers);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (metrics_bus_object_parent_class)->finalize (object);
}

static GDBusInterfaceVTable *
get_parent_vtable (GDBusInterfaceSkeleton *skeleton)
{
  return G_DBUS_INTERFACE_SKELETON_CLASS (metrics_bus_object_parent_class)->get_vtable (skeleton);
}

/* No method takes descriptors. Those that come with a call would count as the server's as long as that is in
 * progress, and a few callers whom polkit keeps waiting could have all that there are. */
static void
close_descriptors (GDBusMethodInvocation *invocation)
{
  GUnixFDList *list = g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  g_autofree int *fds = NULL;
  int n = 0;

  if (list == NULL)
    return;
  fds = g_unix_fd_list_steal_fds (list, &n);
  for (int i = 0; i < n; i++)
    g_close (fds[i], NULL);
}

/* Comes before each method, those included that are answered at once, or refused. The skeleton has a hook for
 * that, g_authorize_method, but who takes it has all calls go through other threads first: then they come in
 * any order, and after the bus has confirmed that the name is given back. */
static void
call_method (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *method,
             GVariant *parameters,
             GDBusMethodInvocation *invocation,
             gpointer user_data)
{
  MetricsBusObject *self = METRICS_BUS_OBJECT (user_data);

  close_descriptors (invocation);
  self->n_called++;
  self->last_call = g_get_monotonic_time ();
  get_parent_vtable (user_data)->method_call (connection, sender, path, interface, method, parameters,
                                              invocation, user_data);
}

static GDBusInterfaceVTable *
metrics_bus_object_get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  static GDBusInterfaceVTable vtable;

  vtable = *get_parent_vtable (skeleton);
  vtable.method_call = call_method;
  return &vtable;
}

static void
metrics_bus_object_class_init (MetricsBusObjectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = metrics_bus_object_get_property;
  object_class->set_property = metrics_bus_object_set_property;
  object_class->dispose = metrics_bus_object_dispose;
  object_class->finalize = metrics_bus_object_finalize;
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = metrics_bus_object_get_vtable;

  /* With the same numbers as in the parent class, which they are passed on to. */
  metrics_bus_service_override_properties (object_class, 1);
}

static void
metrics_bus_object_init (MetricsBusObject *self)
{
  self->callers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, caller_free);
  self->last_call = g_get_monotonic_time ();
}

/**
 * metrics_bus_object_new:
 * @kind: on which bus it is to be
 * @store: what callers put into and read from; it has its journal already
 * @host: what the program does for it; copied
 *
 * Returns: (transfer full): an object that is on no bus yet
 */
MetricsBusObject *
metrics_bus_object_new (MetricsBusKind kind, MetricsStore *store, const MetricsBusHost *host)
{
  MetricsBusObject *self = g_object_new (METRICS_TYPE_BUS_OBJECT, NULL);

  self->kind = kind;
  self->store = g_object_ref (store);
  self->host = *host;
  self->disk = metrics_disk_new (store);
  metrics_bus_service_set_version (METRICS_BUS_SERVICE (self), PACKAGE_VERSION);
  return self;
}

/**
 * metrics_bus_object_get_caller:
 * @self: an object
 * @name: the unique name of who calls
 *
 * Returns: (transfer none): what is known of it, until it leaves the bus
 */
MetricsBusCaller *
metrics_bus_object_get_caller (MetricsBusObject *self, const char *name)
{
  MetricsBusCaller *caller = g_hash_table_lookup (self->callers, name);

  if (caller == NULL)
    {
      caller = g_new0 (MetricsBusCaller, 1);
      caller->name = g_strdup (name);
      g_hash_table_insert (self->callers, caller->name, caller);
    }
  return caller;
}

/**
 * metrics_bus_object_forget_caller:
 * @self: an object
 * @name: the unique name of someone who has left the bus
 *
 * Gives up what was done for it.
 */
void
metrics_bus_object_forget_caller (MetricsBusObject *self, const char *name)
{
  g_hash_table_remove (self->callers, name);
}

/**
 * metrics_bus_object_forget_all:
 * @self: an object
 *
 * Gives up all calls and watches: the bus is gone.
 */
void
metrics_bus_object_forget_all (MetricsBusObject *self)
{
  g_hash_table_remove_all (self->callers);
}

static void
refuse_calls (gpointer name, gpointer value, gpointer user_data)
{
  MetricsBusCaller *caller = value;

  while (caller->calls.head != NULL)
    metrics_bus_call_fail (caller->calls.head->data, METRICS_BUS_ERROR_STOPPING, METRICS_BUS_STOPPING);
}

/**
 * metrics_bus_object_refuse_all:
 * @self: an object
 *
 * Has all calls in progress fail, and from now on those that cannot be answered at once: nobody waits for
 * them any more.
 *
 * Returns: %FALSE where that was said before
 */
gboolean
metrics_bus_object_refuse_all (MetricsBusObject *self)
{
  if (self->is_refusing)
    return FALSE;
  self->is_refusing = TRUE;
  g_hash_table_foreach (self->callers, refuse_calls, NULL);
  return TRUE;
}

static gboolean
idle_cb (gpointer user_data)
{
  MetricsBusObject *self = user_data;
  GSourceFunc func = g_steal_pointer (&self->idle_func);

  self->idle_id = 0;
  if (func != NULL)
    func (self->idle_data);
  return G_SOURCE_REMOVE;
}

/**
 * metrics_bus_object_set_idle_func:
 * @self: an object
 * @func: (nullable): called once when nothing is in progress, never from within this function
 * @user_data: what to call it with
 */
void
metrics_bus_object_set_idle_func (MetricsBusObject *self, GSourceFunc func, gpointer user_data)
{
  self->idle_func = func;
  self->idle_data = user_data;
  metrics_bus_object_check_idle (self);
}

/**
 * metrics_bus_object_check_idle:
 * @self: an object
 *
 * To be called when something is not in progress any more.
 */
void
metrics_bus_object_check_idle (MetricsBusObject *self)
{
  if (self->idle_func != NULL && self->idle_id == 0 && self->n_calls + self->n_sending == 0)
    self->idle_id = g_idle_add_full (G_PRIORITY_DEFAULT, idle_cb, self, NULL);
}

/**
 * metrics_bus_object_is_busy:
 * @self: an object
 *
 * Returns: whether a call is in progress, or somebody watches
 */
gboolean
metrics_bus_object_is_busy (MetricsBusObject *self)
{
  return self->n_calls + self->n_sending + self->n_watches > 0;
}
