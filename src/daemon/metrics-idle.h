/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus.h"
#include "server/metrics-service.h"
#include "storage/metrics-storage.h"

G_BEGIN_DECLS

/**
 * MetricsIdleParts:
 * @store: (unowned): the store
 * @service: (unowned): who looks after clients
 * @storage: (unowned): where points last
 * @bus: (unowned) (nullable): the server's place on a bus
 *
 * What has to have nothing to do. All of them have to live as long as the #MetricsIdle.
 */
typedef struct
{
  MetricsStore *store;
  MetricsService *service;
  MetricsStorage *storage;
  MetricsBus *bus;
} MetricsIdleParts;

/**
 * MetricsIdleFuncs:
 * @leaving: (nullable): called when it is certain that the server will leave, before the name is given back
 * @leave: called when it is to stop; it may free the #MetricsIdle
 * @user_data: what both are called with
 *
 * What is done when there is nothing to do.
 */
typedef struct
{
  void (*leaving) (gpointer user_data);
  void (*leave) (gpointer user_data);
  gpointer user_data;
} MetricsIdleFuncs;

typedef struct _MetricsIdle MetricsIdle;

MetricsIdle *metrics_idle_new (const MetricsIdleParts *parts, guint seconds, const MetricsIdleFuncs *funcs);
void metrics_idle_free (MetricsIdle *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsIdle, metrics_idle_free)

G_END_DECLS
