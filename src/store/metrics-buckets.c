/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-buckets.h"

/* Reads a series and reduces it to one point a bucket, in steps that are bounded whatever the buckets hold. A
 * percentile of many points takes more than one reading: the reader goes back to where the bucket began, and
 * stands where it ended when it has read it again. */

typedef enum
{
  PHASE_FEED,   /* reads points into buckets */
  PHASE_REREAD, /* reads the points of the bucket again */
  PHASE_SELECT, /* finds the value of the bucket */
} BucketsPhase;

struct _MetricsBuckets
{
  MetricsReader *reader; /* (unowned) (nullable): of the series that is read */
  BucketsPhase phase;
  MetricsBucket bucket;
  MetricsReaderMark begin; /* of the bucket */
  gboolean was_reread;     /* whether the reader has gone back: the window is not its last one then */
  guint64 n_left;          /* of the points to be read again */

  MetricsWindow window;
  MetricsReaderMark window_mark; /* where it begins */
  guint64 at;                    /* how many of its points have been used */
};

/**
 * metrics_buckets_new:
 * @aggregation: what a bucket is reduced to
 * @step: how long it is, at least 1
 *
 * Returns: (transfer full): a new object
 */
MetricsBuckets *
metrics_buckets_new (MetricsAggregation aggregation, gint64 step)
{
  MetricsBuckets *self = g_new0 (MetricsBuckets, 1);

  metrics_bucket_init (&self->bucket, aggregation, step);
  return self;
}

/**
 * metrics_buckets_free:
 * @self: (transfer full) (nullable): an object
 */
void
metrics_buckets_free (MetricsBuckets *self)
{
  if (self == NULL)
    return;
  metrics_bucket_clear (&self->bucket);
  g_free (self);
}

/**
 * metrics_buckets_needs_before:
 * @self: an object
 *
 * Returns: whether the point before the first one is wanted: increases begin there
 */
gboolean
metrics_buckets_needs_before (const MetricsBuckets *self)
{
  return self->bucket.aggregation == METRICS_AGGREGATION_RATE;
}

/**
 * metrics_buckets_begin:
 * @self: an object
 * @reader: the points of a series; it has to stay until they are read
 *
 * Begins a series.
 */
void
metrics_buckets_begin (MetricsBuckets *self, MetricsReader *reader)
{
  self->reader = reader;
  self->phase = PHASE_FEED;
  self->begin = (MetricsReaderMark){ 0 };
  self->window.n = self->at = 0;
  metrics_bucket_begin_series (&self->bucket);
}

/**
 * metrics_buckets_wants_chunk:
 * @self: an object
 *
 * Returns: whether the next step reads the reader's chunk, if it has one
 */
gboolean
metrics_buckets_wants_chunk (const MetricsBuckets *self)
{
  return self->phase == PHASE_REREAD || (self->phase == PHASE_FEED && self->at == self->window.n);
}

/**
 * metrics_buckets_get_begin:
 * @self: an object
 *
 * Returns: where in the series the bucket begins that was begun last: what is before is not read again
 */
MetricsReaderMark
metrics_buckets_get_begin (const MetricsBuckets *self)
{
  return self->begin;
}

static MetricsReaderMark
get_mark (const MetricsBuckets *self)
{
  MetricsReaderMark mark = self->window_mark;

  mark.at += self->at;
  return mark;
}

/* A constant window of that length has no more buckets than there is room for points. */
static guint64
get_span (const MetricsBuckets *self)
{
  const guint64 n = METRICS_WINDOW_MAX_POINTS - 1;

  if (metrics_bucket_selects (&self->bucket) || metrics_buckets_needs_before (self))
    return 0;
  return (guint64) self->bucket.step <= G_MAXUINT64 / n ? (guint64) self->bucket.step * n : G_MAXUINT64;
}

static void
read_window (MetricsBuckets *self, guint64 n, gint *budget)
{
  n = MIN (n, (guint64) CLAMP (*budget, 1, METRICS_WINDOW_MAX_POINTS));
  metrics_reader_read_window (self->reader, n, get_span (self), &self->window);
  self->window_mark = metrics_reader_get_window (self->reader);
  self->at = 0;
  *budget -= self->window.kind == METRICS_WINDOW_CONSTANT ? 1 : (gint) self->window.n;
}

static void
close_bucket (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  if (metrics_bucket_close (&self->bucket, points + *n_points))
    {
      (*n_points)++;
      (*budget)--;
    }
}

static void
follow_selection (MetricsBuckets *self,
                  MetricsSelectState state,
                  gint *budget,
                  MetricsPoint *points,
                  guint *n_points)
{
  switch (state)
    {
    case METRICS_SELECT_READ:
      self->phase = PHASE_REREAD;
      self->was_reread = TRUE;
      self->n_left = self->bucket.n;
      metrics_reader_seek (self->reader, self->begin);
      break;
    case METRICS_SELECT_WORK:
      self->phase = PHASE_SELECT;
      break;
    case METRICS_SELECT_DONE:
      close_bucket (self, budget, points, n_points);
      self->phase = PHASE_FEED;
      if (self->was_reread)
        self->window.n = self->at = 0;
      break;
    }
}

/* All points of the bucket have been read once. */
static void
end_bucket (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  if (!metrics_bucket_selects (&self->bucket))
    {
      close_bucket (self, budget, points, n_points);
      return;
    }
  self->was_reread = FALSE;
  follow_selection (self, metrics_select_end_pass (&self->bucket.select, budget), budget, points, n_points);
}

/* Uses the points before the span: there is at most one, of which increases begin. */
static void
skip_before (MetricsBuckets *self)
{
  while (self->at < self->window.n && metrics_window_get_time (&self->window, self->at) < self->reader->from)
    metrics_bucket_set_previous (&self->bucket, metrics_window_get_point (&self->window, self->at++));
}

/* Uses the points of the window as far as buckets can be closed at once: where values are selected, the
 * points of a bucket may have to be read again before the next one begins. */
static void
feed_selection (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  while (self->at < self->window.n && self->phase == PHASE_FEED)
    {
      MetricsReaderMark mark = get_mark (self);
      gboolean begins = self->bucket.n == 0;
      guint64 end = metrics_bucket_take (&self->bucket, &self->window, self->at);

      if (begins)
        self->begin = mark;
      if (end == self->at)
        end_bucket (self, budget, points, n_points);
      else
        self->at = end;
    }
}

static void
feed_window (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  guint n_before = *n_points;

  skip_before (self);
  if (metrics_bucket_selects (&self->bucket))
    {
      feed_selection (self, budget, points, n_points);
      return;
    }
  self->begin = self->window_mark;
  self->at = metrics_bucket_feed (&self->bucket, &self->window, self->at, points, n_points);
  *budget -= *n_points - n_before;
}

static void
reread (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  read_window (self, self->n_left, budget);
  for (guint i = 0; i < self->window.n; i++)
    metrics_select_add (&self->bucket.select, self->window.values[i]);
  self->n_left -= self->window.n;
  if (self->n_left == 0)
    follow_selection (self, metrics_select_end_pass (&self->bucket.select, budget), budget, points, n_points);
}

/* Returns: whether there is more to come */
static gboolean
feed (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  if (self->at == self->window.n)
    {
      if (metrics_reader_get_chunk (self->reader) != NULL)
        read_window (self, METRICS_WINDOW_MAX_POINTS, budget);
      else if (self->bucket.n > 0)
        end_bucket (self, budget, points, n_points);
      else
        return FALSE;
    }
  feed_window (self, budget, points, n_points);
  return TRUE;
}

/**
 * metrics_buckets_advance:
 * @self: an object
 * @budget: (inout): what was done is taken off
 * @points: (array): room for %METRICS_CHUNK_WINDOW points, @n_points of them used. It is enough if it is
 * empty whenever a chunk is wanted
 * @n_points: (inout): how many there are in @points
 *
 * Does one step.
 *
 * Returns: whether the series goes on
 */
gboolean
metrics_buckets_advance (MetricsBuckets *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  switch (self->phase)
    {
    case PHASE_FEED:
      return feed (self, budget, points, n_points);
    case PHASE_REREAD:
      reread (self, budget, points, n_points);
      return TRUE;
    case PHASE_SELECT:
      follow_selection (self, metrics_select_work (&self->bucket.select, budget), budget, points, n_points);
      return TRUE;
    }
  g_assert_not_reached ();
}
