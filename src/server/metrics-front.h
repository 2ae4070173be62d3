/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"
#include "server/metrics-limits.h"

G_BEGIN_DECLS

/**
 * MetricsFrontFuncs:
 * @accept: serves a client, closes its socket, and calls @released then, once, from the main context; where
 * it returns %FALSE, it does not
 * @finish: answers what was asked, and lets all clients go
 * @abort: closes all connections at once
 * @foreach_figure: tells what it counts
 * @user_data: what they are called with
 *
 * Who serves clients of another protocol.
 */
typedef struct
{
  gboolean (*accept) (GSocketConnection *stream,
                      MetricsRights rights,
                      gboolean is_over_limit,
                      void (*released) (gpointer released_data),
                      gpointer released_data,
                      GError **error,
                      gpointer user_data);
  void (*finish) (gpointer user_data);
  void (*abort) (gpointer user_data);
  MetricsFrontFiguresFunc foreach_figure;
  gpointer user_data;
} MetricsFrontFuncs;

/**
 * MetricsFront:
 * @n_clients: how many clients it has
 * @n_refused: how many of those over the limit are being told so
 *
 * What a service knows of those clients. All fields are the front's own, to be read. Zero where there is
 * none.
 */
typedef struct
{
  MetricsFrontFuncs funcs;
  guint n_clients;
  guint n_refused;
  void (*gone) (gpointer user_data);
  gpointer gone_data; /* (unowned) */
} MetricsFront;

void metrics_front_init (MetricsFront *self,
                         const MetricsFrontFuncs *funcs,
                         void (*gone) (gpointer user_data),
                         gpointer gone_data);
gboolean metrics_front_accept (MetricsFront *self,
                               GSocketConnection *stream,
                               MetricsRights rights,
                               gboolean is_over_limit,
                               GError **error);
void metrics_front_finish (MetricsFront *self);
void metrics_front_abort (MetricsFront *self);

G_END_DECLS
