/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-store.h"
#include "store/metrics-watch-queue.h"

G_BEGIN_DECLS

typedef struct _MetricsWatcher MetricsWatcher;

/* How many steps it may take to match the longest key against all patterns of a watcher, see
 * metrics_pattern_get_cost(). */
#define METRICS_WATCHER_MAX_COST (128 << 10)

/**
 * MetricsWatcherFunc:
 * @self: a watcher of which nothing was to be taken
 * @user_data: what was given to metrics_watcher_new()
 *
 * There is something to be taken now. It is called from within a put: it may only note that, and neither take
 * nor put nor free anything. It is called again when metrics_watcher_take() has said that there is no more;
 * and once before, where a good part of what can wait is used up: who gathers points should take them now.
 */
typedef void (*MetricsWatcherFunc) (MetricsWatcher *self, gpointer user_data);

MetricsWatcher *metrics_watcher_new (MetricsStore *store,
                                     gsize queue_limit,
                                     MetricsWatcherFunc func,
                                     gpointer user_data);
void metrics_watcher_free (MetricsWatcher *self);

void metrics_watcher_stop (MetricsWatcher *self);
gboolean metrics_watcher_add (MetricsWatcher *self, const char *pattern, gsize len, GError **error);
gboolean metrics_watcher_take (MetricsWatcher *self, MetricsWatchRow *row);
guint64 metrics_watcher_take_n_dropped (MetricsWatcher *self);
gboolean metrics_watcher_keep (MetricsWatcher *self, gsize n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsWatcher, metrics_watcher_free)

G_END_DECLS
