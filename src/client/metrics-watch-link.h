/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-feed.h"
#include "client/metrics-request.h"

G_BEGIN_DECLS

MetricsWatchLink *metrics_watch_link_new (MetricsFeed *feed,
                                          const char *server,
                                          const char *const *patterns,
                                          guint timeout,
                                          gboolean reconnect);
void metrics_watch_link_shut_down (MetricsWatchLink *self);
void metrics_watch_link_unref (MetricsWatchLink *self);

/* for the channel, in the worker thread */
void metrics_watch_link_begin (MetricsWatchLink *self);
void metrics_watch_link_push (MetricsWatchLink *self, MetricsBlock *block);
void metrics_watch_link_drop (MetricsWatchLink *self, guint64 n_points);
void metrics_watch_link_end (MetricsWatchLink *self, GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsWatchLink, metrics_watch_link_unref)

G_END_DECLS
