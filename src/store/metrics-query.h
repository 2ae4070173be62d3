/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-aggregation.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsQueryKind:
 * @METRICS_QUERY_POINTS: the points of a span
 * @METRICS_QUERY_LAST: the newest point of each series
 * @METRICS_QUERY_BUCKETS: one point for each bucket of a span that has points
 * @METRICS_QUERY_KEYS: what there is of each series
 * @METRICS_QUERY_DELETE: forgets the points of a span; it has no rows, see metrics_query_get_n_deleted()
 * @METRICS_QUERY_PUT: puts a point for which metrics_store_put() said %METRICS_STORE_ERROR_NOT_YET; it has no
 * rows
 *
 * What a query is to do.
 */
typedef enum
{
  METRICS_QUERY_POINTS,
  METRICS_QUERY_LAST,
  METRICS_QUERY_BUCKETS,
  METRICS_QUERY_KEYS,
  METRICS_QUERY_DELETE,
  METRICS_QUERY_PUT,
} MetricsQueryKind;

/**
 * MetricsQuerySpec:
 * @kind: what to do
 * @key: (unowned) (array length=key_len): a key, or a valid pattern; metrics_query_new() copies it
 * @key_len: its length in bytes, at least 1
 * @is_pattern: whether it is a pattern
 * @is_raw: whether nothing is done about rollups: neither are they used nor deleted; a hidden series can be
 *   asked for by its key then
 * @from: the first time of the span; %G_MININT64 is open
 * @to: its last time, which belongs to it; %G_MAXINT64 is open. What ends before it begins is empty.
 *   LAST and KEYS look at whole series
 * @point: for PUT: the point, its value finite; the key is no pattern there
 * @step: for BUCKETS: how long each is, at least 1, in the unit of the times
 * @aggregation: for BUCKETS: what each is reduced to
 *
 * What is asked for.
 */
typedef struct
{
  MetricsQueryKind kind;
  const char *key;
  gsize key_len;
  gboolean is_pattern;
  gboolean is_raw;
  gint64 from;
  gint64 to;
  MetricsPoint point;
  gint64 step;
  MetricsAggregation aggregation;
} MetricsQuerySpec;

/**
 * MetricsQueryState:
 * @METRICS_QUERY_ROW: there is a row; more may follow
 * @METRICS_QUERY_DONE: the answer is complete
 * @METRICS_QUERY_PAUSED: the budget is used up: call again when it is your turn
 * @METRICS_QUERY_NOT_YET: what it needs is not in memory: call again when the wake function has been called
 * @METRICS_QUERY_LOST: what it had yet to show was deleted, and there was no memory to keep it, or it cannot
 * be read from disk: there is no more to come, and the answer is not whole
 * @METRICS_QUERY_REFUSED: of PUT: the point was not put, see metrics_query_get_error()
 *
 * How a step of a query ended.
 */
typedef enum
{
  METRICS_QUERY_ROW,
  METRICS_QUERY_DONE,
  METRICS_QUERY_PAUSED,
  METRICS_QUERY_NOT_YET,
  METRICS_QUERY_LOST,
  METRICS_QUERY_REFUSED,
} MetricsQueryState;

/**
 * MetricsQueryRow:
 * @key: (unowned) (array length=key_len): the key of the series, without a NUL at its end
 * @key_len: its length in bytes
 * @points: (unowned) (array length=n_points): for POINTS, LAST and BUCKETS: some of the points of the answer,
 *   ascending by time
 * @n_points: how many; never 0 there
 * @n_total: for KEYS: how many points the series has
 * @first: for KEYS: the time of the oldest one
 * @last: for KEYS: the time of the newest one
 *
 * A part of an answer, of one series. A series with many points has many rows, one behind the other.
 */
typedef struct
{
  const char *key;
  gsize key_len;
  const MetricsPoint *points;
  guint n_points;
  guint64 n_total;
  gint64 first;
  gint64 last;
} MetricsQueryRow;

typedef struct _MetricsQuery MetricsQuery;

/**
 * MetricsQueryWakeFunc:
 * @query: a query that answered %METRICS_QUERY_NOT_YET
 * @user_data: what was given to metrics_query_set_wake_func()
 *
 * What the query waited for is there. It may be asked on, or freed, from within this function.
 */
typedef void (*MetricsQueryWakeFunc) (MetricsQuery *query, gpointer user_data);

MetricsQuery *metrics_query_new (MetricsStore *store, const MetricsQuerySpec *spec);
void metrics_query_free (MetricsQuery *self);

void metrics_query_set_wake_func (MetricsQuery *self, MetricsQueryWakeFunc func, gpointer user_data);
MetricsQueryState metrics_query_next (MetricsQuery *self, gint *budget, MetricsQueryRow *row);
guint64 metrics_query_get_n_deleted (const MetricsQuery *self);
const GError *metrics_query_get_error (const MetricsQuery *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsQuery, metrics_query_free)

G_END_DECLS
