/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-service.h"

#include "server/metrics-connection.h"
#include "server/metrics-gate.h"
#include "server/metrics-recorder.h"

G_BEGIN_DECLS

/* Clients over the limit that are being told so at the same time; while there are that many, nobody is
 * accepted. */
#define MAX_REFUSED 16

/**
 * MetricsService:
 *
 * Accepts clients and looks after their connections.
 *
 * Each listening socket has a #GSocketService of its own. One with several sockets would lose clients: where
 * two come to different sockets in the same iteration of the main context, GLib before 2.86 completes the
 * same task twice.
 */
struct _MetricsService
{
  GObject parent;

  MetricsStore *store; /* (owned) */
  MetricsGate *gate;   /* (owned) */
  MetricsLimits limits;
  MetricsFigures figures;
  MetricsRecorder *recorder; /* (owned) (nullable) */
  MetricsPoller *poller;     /* (owned) */
  GSource *guard;            /* (owned) */

  GPtrArray *listeners;    /* (owned) (element-type MetricsListener) */
  GPtrArray *acceptors;    /* (owned) (element-type GSocketService): one for each listening socket */
  GHashTable *connections; /* (owned) (element-type MetricsConnection): a set */
  GHashTable *refused;     /* (owned) (element-type MetricsConnection): a set of those over the limit */
  MetricsFront front;      /* who serves clients of another protocol */

  guint n_most_free;  /* how many descriptors were free when there was no client */
  gboolean finishing; /* whether it stops */
  gint64 quiet_since; /* monotonic time at which the last client went, or of the start */
  guint finish_timeout_id;
  guint drain_id;
};

static inline guint
metrics_service_get_n_clients (MetricsService *self)
{
  return g_hash_table_size (self->connections) + self->front.n_clients;
}

static inline guint
metrics_service_get_n_refused (MetricsService *self)
{
  return g_hash_table_size (self->refused) + self->front.n_refused;
}

void metrics_service_install_signals (void);
void metrics_service_foreach_connection (MetricsService *self, void (*func) (MetricsConnection *));
void metrics_service_close_acceptors (MetricsService *self);
void metrics_service_check_finished (MetricsService *self);

G_END_DECLS
