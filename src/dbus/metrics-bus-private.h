/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-answer.h"
#include "dbus/metrics-bus-error.h"
#include "dbus/metrics-bus-interface.h"
#include "dbus/metrics-bus.h"
#include "store/metrics-disk.h"

G_BEGIN_DECLS

/* How many calls a caller may have in progress, and all of them. */
#define METRICS_BUS_MAX_CALLS_OF_CALLER 16
#define METRICS_BUS_MAX_CALLS 1024

/* How many of these may be in polkit at a time. */
#define METRICS_BUS_MAX_CHECKS 32

#define METRICS_TYPE_BUS_OBJECT (metrics_bus_object_get_type ())
G_DECLARE_FINAL_TYPE (MetricsBusObject, metrics_bus_object, METRICS, BUS_OBJECT, MetricsBusServiceSkeleton)

typedef struct _MetricsBusTaking MetricsBusTaking;
typedef struct _MetricsBusWatches MetricsBusWatches;

/**
 * MetricsBusCaller:
 * @name: (owned): its unique name on the bus
 * @calls: (unowned links): MetricsBusCall.link of those in progress
 * @uid: the user that it belongs to, where @has_uid says so
 * @has_uid: whether the bus was asked for it already
 * @watches: (owned) (nullable): what it watches, of metrics-bus-watch.c
 * @taking: (owned) (nullable): which answers it has yet to take, of metrics-bus-taking.c
 *
 * Someone on the bus who has called, until it leaves.
 */
typedef struct
{
  char *name;
  GQueue calls;
  uid_t uid;
  gboolean has_uid;
  MetricsBusWatches *watches;
  MetricsBusTaking *taking;
} MetricsBusCaller;

/**
 * MetricsBusObject:
 *
 * The object on the bus. It lives as long as the server serves, also while there is no bus.
 */
struct _MetricsBusObject
{
  MetricsBusServiceSkeleton parent;

  MetricsBusKind kind;
  MetricsStore *store; /* (owned) */
  MetricsBusHost host; /* what the program gives */
  MetricsDisk *disk;   /* (owned) */
  GHashTable *callers; /* (owned) (element-type utf8 MetricsBusCaller): by name */
  guint64 n_called;    /* calls that came */
  guint n_calls;       /* in progress, of all callers */
  guint n_watches;     /* of all callers */
  guint n_watchers;    /* callers that watch, or owe an answer from when they did */
  gsize n_untaken;     /* bytes of answers, of all callers, that they were not seen to take */
  guint n_asked;       /* callers that are asked whether they did */
  gboolean is_one_unasked;
  guint n_checks;        /* in polkit, under way */
  guint64 last_watch;    /* the number of the one that was begun last */
  guint n_sending;       /* answers that are being written down in another thread */
  gsize answer_bytes;    /* of all answers that are being made or written down */
  gint64 last_call;      /* monotonic time at which the last call came */
  GSourceFunc idle_func; /* (nullable): called once when nothing is in progress any more */
  gpointer idle_data;    /* (unowned) */
  guint idle_id;
  gboolean is_refusing; /* whether no call is begun any more */
};

MetricsBusObject *metrics_bus_object_new (MetricsBusKind kind,
                                          MetricsStore *store,
                                          const MetricsBusHost *host);

MetricsBusCaller *metrics_bus_object_get_caller (MetricsBusObject *self, const char *name);
void metrics_bus_object_forget_caller (MetricsBusObject *self, const char *name);
void metrics_bus_object_forget_all (MetricsBusObject *self);
gboolean metrics_bus_object_refuse_all (MetricsBusObject *self);
void metrics_bus_object_set_idle_func (MetricsBusObject *self, GSourceFunc func, gpointer user_data);
void metrics_bus_object_check_idle (MetricsBusObject *self);
gboolean metrics_bus_object_is_busy (MetricsBusObject *self);

void metrics_bus_methods_init (MetricsBusServiceIface *iface);

G_END_DECLS
