/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "daemon/metrics-config.h"
#include "daemon/metrics-http-host.h"
#include "daemon/metrics-roller.h"
#include "daemon/metrics-sweeper.h"
#include "dbus/metrics-bus.h"
#include "server/metrics-service.h"

G_BEGIN_DECLS

/**
 * MetricsParts:
 * @store: its store
 * @storage: (nullable): what keeps it
 * @service: its service
 * @bus: (nullable): its bus
 * @http: (nullable): its HTTP
 * @sweeper: what sweeps it
 * @roller: (nullable): what rolls it up
 *
 * The parts of a server that a configuration is about.
 */
typedef struct
{
  MetricsStore *store;
  MetricsStorage *storage;
  MetricsService *service;
  MetricsBus *bus;
  MetricsHttpFront *http;
  MetricsSweeper *sweeper;
  MetricsRoller *roller;
} MetricsParts;

void metrics_live_keep_fixed (MetricsConfig *config, MetricsConfig *running, const MetricsParts *parts);
void metrics_live_apply (const MetricsConfig *config,
                         const MetricsConfig *running,
                         const MetricsParts *parts);

G_END_DECLS
