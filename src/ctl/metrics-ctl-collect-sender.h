/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/* When there is nothing to do for now: all is sent and @error is %NULL, or it cannot be. */
typedef void (*MetricsCollectSenderFunc) (const GError *error, gpointer user_data);

/* Sends points in order, as the server takes them, and keeps them while it does not. */
typedef struct _MetricsCollectSender MetricsCollectSender;

MetricsCollectSender *metrics_collect_sender_new (MetricsCtl *ctl,
                                                  guint capacity,
                                                  MetricsCollectSenderFunc func,
                                                  gpointer user_data);
void metrics_collect_sender_free (MetricsCollectSender *self);

void metrics_collect_sender_push (MetricsCollectSender *self, const char *key, double value, gint64 time);
void metrics_collect_sender_send (MetricsCollectSender *self);
void metrics_collect_sender_send_last (MetricsCollectSender *self);
guint64 metrics_collect_sender_get_n_refused (MetricsCollectSender *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCollectSender, metrics_collect_sender_free)

G_END_DECLS
