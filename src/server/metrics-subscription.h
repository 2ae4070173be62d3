/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-buffer.h"
#include "store/metrics-watcher.h"

G_BEGIN_DECLS

/**
 * MetricsSubscriptionFunc:
 * @user_data: what was given to metrics_subscription_new()
 *
 * There is something to be told, or it has become much. It is called from within a put: it may only note
 * that.
 */
typedef void (*MetricsSubscriptionFunc) (gpointer user_data);

/**
 * MetricsSubscription:
 * @watcher: (owned): where points wait
 * @func: (nullable): says that there are some
 * @user_data: (unowned): what to call it with
 * @has_points: whether there may be something that was not told
 * @is_pressed: whether it is so much that it should be told now
 * @next: monotonic time, in microseconds, before which it is not told else
 *
 * What a client watches, and when it is told of it.
 */
typedef struct
{
  MetricsWatcher *watcher;
  MetricsSubscriptionFunc func;
  gpointer user_data;
  gboolean has_points;
  gboolean is_pressed;
  gint64 next;
} MetricsSubscription;

MetricsSubscription *metrics_subscription_new (MetricsStore *store,
                                               MetricsSubscriptionFunc func,
                                               gpointer user_data);
void metrics_subscription_free (MetricsSubscription *self);

gboolean metrics_subscription_add (MetricsSubscription *self, const char *pattern, gsize len, GError **error);
void metrics_subscription_stop (MetricsSubscription *self);

gboolean metrics_subscription_is_due (const MetricsSubscription *self, gint64 now);
void metrics_subscription_tell (MetricsSubscription *self,
                                gint *budget,
                                gsize max_length,
                                gint64 now,
                                MetricsBuffer *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSubscription, metrics_subscription_free)

G_END_DECLS
