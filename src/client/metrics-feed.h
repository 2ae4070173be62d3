/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-answer.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* What a watch has to tell, on its way from the worker thread to the program, in bounded memory: the oldest
 * points go where they are not taken. */
typedef struct _MetricsFeed MetricsFeed;

/**
 * MetricsFeedBatch:
 * @number: its place in the order of all that the feed tells
 * @n_dropped: how many points are missing in front of it
 * @is_gap: whether the connection was away in front of it
 * @block: (owned) (nullable): the points
 * @start: the first of them that was not dropped
 *
 * Points that came together, and what is to be known of those before.
 */
typedef struct
{
  guint64 number;
  guint64 n_dropped;
  gboolean is_gap;
  MetricsBlock *block;
  guint start;
} MetricsFeedBatch;

/* What became of the connection. */
typedef enum
{
  METRICS_FEED_CONNECTED,
  METRICS_FEED_DISCONNECTED,
  METRICS_FEED_FAILED, /* the last that there is */
} MetricsFeedState;

/**
 * MetricsFeedNews:
 * @number: its place in the order of all that the feed tells
 * @state: what became of the connection
 * @is_gap: of %METRICS_FEED_CONNECTED: whether points may have been missed before
 * @error: (owned) (nullable): of the others: why
 */
typedef struct
{
  guint64 number;
  MetricsFeedState state;
  gboolean is_gap;
  GError *error;
} MetricsFeedNews;

MetricsFeed *metrics_feed_new (guint limit);
MetricsFeed *metrics_feed_ref (MetricsFeed *self);
void metrics_feed_unref (MetricsFeed *self);

/* for the worker thread */
void metrics_feed_connect (MetricsFeed *self);
void metrics_feed_disconnect (MetricsFeed *self, const GError *error);
void metrics_feed_push (MetricsFeed *self, MetricsBlock *block);
void metrics_feed_drop (MetricsFeed *self, guint64 n_points);
void metrics_feed_fail (MetricsFeed *self, const GError *error);

/* for the program */
GSource *metrics_feed_new_source (void);
void metrics_feed_set_signals (MetricsFeed *self, GSource *source);
void metrics_feed_close (MetricsFeed *self, const GError *error);
gboolean metrics_feed_is_connected (MetricsFeed *self);

gboolean metrics_feed_begin_next (MetricsFeed *self, GSource *source, GError **error);
void metrics_feed_end_next (MetricsFeed *self);
gboolean metrics_feed_poll (MetricsFeed *self, MetricsFeedBatch **batch, GError **error);
MetricsFeedBatch *metrics_feed_wait (MetricsFeed *self, GCancellable *cancellable, GError **error);
gboolean metrics_feed_take_for_signals (MetricsFeed *self,
                                        gboolean wants_points,
                                        MetricsFeedNews **news,
                                        MetricsFeedBatch **batch);

GPtrArray *metrics_feed_batch_make_samples (const MetricsFeedBatch *self);
void metrics_feed_batch_free (MetricsFeedBatch *self);
void metrics_feed_news_free (MetricsFeedNews *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsFeed, metrics_feed_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsFeedBatch, metrics_feed_batch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsFeedNews, metrics_feed_news_free)

G_END_DECLS
