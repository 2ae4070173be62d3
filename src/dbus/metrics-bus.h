/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"
#include "store/metrics-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsBusKind:
 * @METRICS_BUS_NONE: no bus
 * @METRICS_BUS_SESSION: that of a user, who may do everything
 * @METRICS_BUS_SYSTEM: that of the machine, where it depends on who calls
 *
 * Which bus.
 */
typedef enum
{
  METRICS_BUS_NONE,
  METRICS_BUS_SESSION,
  METRICS_BUS_SYSTEM,
} MetricsBusKind;

/**
 * MetricsBusFigureFunc:
 * @name: the name of a figure
 * @value: the figure
 * @user_data: what was given with the function
 */
typedef void (*MetricsBusFigureFunc) (const char *name, guint64 value, gpointer user_data);

/**
 * MetricsBusFunc:
 * @user_data: what was given with the function
 */
typedef void (*MetricsBusFunc) (gpointer user_data);

/**
 * MetricsBusHost:
 * @adopt: serves a client of the line protocol, who has a name for the log, with some rights; %FALSE and an
 * error where it is one too many
 * @foreach_figure: tells the figures of `stats`
 * @slice: how many units of work, see metrics_query_next(), are done of a call before it is others' turn
 * @user_data: what both are called with
 *
 * What the program does for its object on the bus.
 */
typedef struct
{
  gboolean (*adopt) (GSocketConnection *stream,
                     const char *name,
                     MetricsRights rights,
                     GError **error,
                     gpointer user_data);
  void (*foreach_figure) (MetricsBusFigureFunc func, gpointer func_data, gpointer user_data);
  guint slice;
  gpointer user_data;
} MetricsBusHost;

#define METRICS_TYPE_BUS (metrics_bus_get_type ())
G_DECLARE_FINAL_TYPE (MetricsBus, metrics_bus, METRICS, BUS, GObject)

MetricsBus *metrics_bus_new (MetricsBusKind kind, MetricsStore *store, const MetricsBusHost *host);
void metrics_bus_set_slice (MetricsBus *self, guint slice);
void metrics_bus_set_addresses (MetricsBus *self, const char *const *addresses);

gboolean metrics_bus_open (MetricsBus *self, GError **error);
gboolean metrics_bus_is_busy (MetricsBus *self);
gint64 metrics_bus_get_last_call (MetricsBus *self);
gboolean metrics_bus_release (MetricsBus *self, MetricsBusFunc func, gpointer user_data);
void metrics_bus_finish (MetricsBus *self, guint timeout);
void metrics_bus_abort (MetricsBus *self);

G_END_DECLS
