/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-query.h"

#include "store/metrics-gap.h"
#include "store/metrics-query-private.h"

/* A query is pulled: each call goes on where the last one ended, does a bounded amount of work, and gives a
 * part of the answer. It sees the series that there are when it begins, in their order, and each of them as
 * of the instant at which it arrives there; what is deleted between is kept for it (see metrics-history.c).
 */

/* A unit of work is a point that is produced or looked at, an entry that is visited, so many steps of
 * matching, or a chunk that is taken hold of or let go of: each some ten nanoseconds. */
#define MATCHING_A_UNIT 64
/* How many chunks all queries load at a time, and each of them at least. */
#define LOADED_BY_ALL 1024
#define MIN_LOADED 4
/* How much is freed at once when a query is given up. */
#define DRAIN_OF_FREE 4096

static gboolean
is_waiting (const MetricsQuery *self)
{
  return self->ticket != NULL || self->waiter.is_waiting;
}

static gboolean
is_reading (const MetricsQuery *self)
{
  return self->spec.kind != METRICS_QUERY_DELETE && self->spec.kind != METRICS_QUERY_PUT;
}

/**
 * metrics_query_move_to:
 * @self: a query
 * @entry: (nullable): an entry
 *
 * From now on the query stands there.
 */
void
metrics_query_move_to (MetricsQuery *self, MetricsEntry *entry)
{
  if (entry != NULL)
    metrics_store_pin (self->store, entry);
  if (self->cursor != NULL)
    metrics_store_unpin (self->store, self->cursor);
  self->cursor = entry;
}

/* Something that the query is made of can go on. */
static void
on_rollup_wake (MetricsQuery *inner, gpointer user_data)
{
  MetricsQuery *self = user_data;

  if (self->wake_func != NULL)
    self->wake_func (self, self->wake_data);
}

/* What is asked for: one key, for which the table is asked, or a pattern, for which all entries are tried. */
static void
set_key (MetricsQuery *self, const MetricsQuerySpec *spec)
{
  const char *literal = spec->key;
  gsize len = spec->key_len;

  if (spec->is_pattern)
    {
      self->pattern = metrics_pattern_new (spec->key, spec->key_len);
      literal = metrics_pattern_get_literal (self->pattern, &len);
      if (literal == NULL)
        {
          self->view.pattern = self->pattern;
          return;
        }
    }
  self->key = g_memdup2 (literal, len);
  g_clear_pointer (&self->pattern, metrics_pattern_free);
  metrics_store_make_key (self->store, self->key, len, &self->view.key);
}

static void
set_span (MetricsQuery *self, const MetricsQuerySpec *spec)
{
  gboolean has_span = spec->kind != METRICS_QUERY_LAST && spec->kind != METRICS_QUERY_KEYS
                      && spec->kind != METRICS_QUERY_PUT;

  self->view.from = has_span ? spec->from : G_MININT64;
  self->view.to = has_span ? spec->to : G_MAXINT64;
}

/**
 * metrics_query_new:
 * @store: a store
 * @spec: what is asked for; where it is a pattern, a valid one. A span that ends before it begins is empty
 *
 * Begins a query. The answer holds every point that is asked for and is stored now. A point that is to be
 * put is put by metrics_query_next().
 *
 * It may be freed at any time. While there is one, what is deleted from its store can take memory still, so
 * it should not be kept without need.
 *
 * Returns: (transfer full): the query
 */
MetricsQuery *
metrics_query_new (MetricsStore *store, const MetricsQuerySpec *spec)
{
  MetricsQuery *self;

  g_return_val_if_fail (METRICS_IS_STORE (store), NULL);
  g_return_val_if_fail (spec != NULL && spec->key_len > 0, NULL);
  g_return_val_if_fail (spec->kind != METRICS_QUERY_BUCKETS
                            || (spec->step > 0 && spec->aggregation != METRICS_AGGREGATION_NONE),
                        NULL);
  g_return_val_if_fail (!spec->is_pattern || metrics_pattern_is_valid (spec->key, spec->key_len), NULL);

  self = g_new0 (MetricsQuery, 1);
  self->store = g_object_ref (store);
  self->history = metrics_store_get_history (store);
  self->usage = metrics_store_get_usage (store);
  self->spec = *spec;
  self->spec.key = NULL;
  metrics_reader_init (&self->reader, self->usage);
  self->view.reader = &self->reader;
  metrics_rollup_query_init (&self->rollup, store, spec, on_rollup_wake, self);
  set_key (self, spec);
  set_span (self, spec);
  if (spec->kind == METRICS_QUERY_BUCKETS)
    self->buckets = metrics_buckets_new (spec->aggregation, spec->step);
  self->view.last_id = metrics_store_get_entries (store)->newest_id;
  if (is_reading (self))
    metrics_history_open (self->history, &self->view);

  if (spec->kind == METRICS_QUERY_PUT)
    self->step = STEP_PUT;
  else if (self->view.from > self->view.to)
    self->step = STEP_DRAIN;
  else if (self->pattern == NULL)
    {
      metrics_query_move_to (self,
                             metrics_rollup_query_find (&self->rollup,
                                                        metrics_store_lookup (store, &self->view.key),
                                                        self->key, self->view.key.head.len, spec->is_raw));
      self->step = self->cursor != NULL ? STEP_ARRIVE : STEP_DRAIN;
    }
  return self;
}

/* The view keeps what is deleted: it goes as soon as it can. */
static void
close_view (MetricsQuery *self)
{
  if (self->view.is_open)
    metrics_history_close (self->history, &self->view);
}

/**
 * metrics_query_free:
 * @self: (transfer full) (nullable): a query
 *
 * Gives a query up, wherever it is.
 */
void
metrics_query_free (MetricsQuery *self)
{
  gint budget = DRAIN_OF_FREE;

  if (self == NULL)
    return;
  metrics_query_stop_waiting (self);
  metrics_query_drop_loaded (self);
  metrics_history_discard (self->history, &self->reader);
  metrics_held_clear (&self->reader.held);
  metrics_reader_clear (&self->reader);
  close_view (self);
  metrics_query_move_to (self, NULL);
  metrics_history_drain (self->history, &budget);
  metrics_buckets_free (self->buckets);
  metrics_rollup_query_clear (&self->rollup);
  metrics_pattern_free (self->pattern);
  g_free (self->key);
  g_clear_error (&self->error);
  g_clear_object (&self->source);
  g_object_unref (self->store);
  g_free (self);
}

/**
 * metrics_query_set_wake_func:
 * @self: a query
 * @func: (nullable) (scope forever): what to call when a query that answered %METRICS_QUERY_NOT_YET can go on
 * @user_data: for @func
 *
 * @func is called from the main loop, never from within a function of the query; it may free the query.
 */
void
metrics_query_set_wake_func (MetricsQuery *self, MetricsQueryWakeFunc func, gpointer user_data)
{
  g_return_if_fail (self != NULL);

  self->wake_func = func;
  self->wake_data = user_data;
}

/**
 * metrics_query_wake:
 * @self: a query that has waited
 *
 * Says that it can go on. It may be gone afterwards.
 */
void
metrics_query_wake (MetricsQuery *self)
{
  if (self->wake_func != NULL)
    self->wake_func (self, self->wake_data);
}

/**
 * metrics_query_get_n_deleted:
 * @self: a query
 *
 * Returns: how many points a query of %METRICS_QUERY_DELETE has deleted so far
 */
guint64
metrics_query_get_n_deleted (const MetricsQuery *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_deleted;
}

/**
 * metrics_query_get_error:
 * @self: a query
 *
 * Returns: (transfer none) (nullable): why a point was not put, where it was refused: an error of
 *   #MetricsStoreError, or the journal's
 */
const GError *
metrics_query_get_error (const MetricsQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->error;
}

/* Whether the chunk that is read next is in memory; else the query waits for it. */
static gboolean
is_at_hand (MetricsQuery *self)
{
  MetricsChunkRequest request;

  if (G_LIKELY (!metrics_reader_ask (&self->reader, self->cursor->id, &request)))
    return TRUE;
  /* What all queries hold together is bounded. */
  request.max_chunks
      = CLAMP (LOADED_BY_ALL / MAX (self->history->views.length, 1), MIN_LOADED, request.max_chunks);
  metrics_query_ask (self, self->reader.held.hold, &request);
  return FALSE;
}

/* Where the query does not wait, it is lost. */
static MetricsQueryState
get_waiting_state (const MetricsQuery *self)
{
  return is_waiting (self) ? METRICS_QUERY_NOT_YET : METRICS_QUERY_LOST;
}

/* Goes to the next entry that matches. */
static void
seek (MetricsQuery *self, gint *budget)
{
  MetricsEntry *entry
      = self->cursor != NULL ? self->cursor->next : metrics_store_get_entries (self->store)->first;

  if (self->pattern == NULL || entry == NULL || entry->id > self->view.last_id)
    {
      metrics_query_move_to (self, NULL);
      self->step = STEP_DRAIN;
      return;
    }

  metrics_query_move_to (self, entry);
  *budget -= 1 + metrics_pattern_get_cost (self->pattern, entry->head.len) / MATCHING_A_UNIT;
  if (metrics_rollup_query_wants (&self->rollup, self->pattern, entry))
    self->step = STEP_ARRIVE;
  else
    self->view.at_id = entry->id;
}

/* The query has what it needs of the entry where it stands. */
static void
take_leave (MetricsQuery *self, QueryStep step)
{
  self->view.at_id = self->cursor->id;
  self->step = step;
}

static void
begin_row (MetricsQuery *self, MetricsQueryRow *row)
{
  const MetricsEntry *entry = self->cursor;

  *row = (MetricsQueryRow){ .key = entry->bytes, .key_len = entry->head.len, .points = self->points };
  if (entry->head.is_hidden)
    row->key_len = metrics_key_get_public_len (entry->bytes, entry->head.len);
}

static MetricsQueryState
arrive_for_last (MetricsQuery *self, const MetricsSeries *series, MetricsQueryRow *row)
{
  metrics_chunk_read (series->open, metrics_chunk_get_n_points (series->open) - 1, 1, self->points);
  begin_row (self, row);
  row->n_points = 1;
  take_leave (self, STEP_SEEK);
  return METRICS_QUERY_ROW;
}

static MetricsQueryState
arrive_for_keys (MetricsQuery *self, const MetricsSeries *series, MetricsQueryRow *row)
{
  begin_row (self, row);
  row->n_total = series->n_points;
  row->first = metrics_series_get_first_time (series);
  row->last = metrics_series_get_last_time (series);
  take_leave (self, STEP_SEEK);
  return METRICS_QUERY_ROW;
}

static MetricsQueryState
arrive_for_delete (MetricsQuery *self, gint *budget)
{
  MetricsEntry *entry = self->cursor;
  gint64 at;
  MetricsChunk *gap = metrics_series_find_cut (&entry->series, self->spec.from, self->spec.to, &at);

  if (gap != NULL)
    return metrics_query_load_gap (self, gap, at);
  metrics_rollup_query_begin_delete (&self->rollup, self->store, &self->spec);
  if (self->rollup.rollup != NULL)
    metrics_rollup_note_delete (self->rollup.rollup, entry, self->spec.from, self->spec.to);
  if (!metrics_store_delete (self->store, entry, self->spec.from, self->spec.to, budget, &self->n_deleted))
    return METRICS_QUERY_PAUSED;
  metrics_query_drop_loaded (self);
  take_leave (self, self->rollup.rollup != NULL ? STEP_ROLLUP : STEP_SEEK);
  return METRICS_QUERY_PAUSED;
}

/* Returns: FALSE where the query goes on as if there were no rollups */
static gboolean
arrive_for_rollup (MetricsQuery *self, gint *budget)
{
  MetricsRollupArrival arrival
      = metrics_rollup_query_arrive (&self->rollup, self->cursor, &self->spec, budget);

  if (arrival == METRICS_ROLLUP_NONE)
    return FALSE;
  take_leave (self, arrival == METRICS_ROLLUP_BEGUN ? STEP_ROLLUP : STEP_SEEK);
  return TRUE;
}

/* Begins to read the points of a span. */
static MetricsQueryState
open_reader (MetricsQuery *self,
             const MetricsSeries *series,
             const MetricsHeld *past,
             gint64 from,
             gint64 to,
             gint *budget)
{
  metrics_reader_open (&self->reader, series, from, to,
                       self->buckets != NULL && metrics_buckets_needs_before (self->buckets));
  *budget -= metrics_reader_get_n_chunks (&self->reader);
  take_leave (self, STEP_READ);
  if (!metrics_reader_hold (&self->reader, metrics_store_get_chunk_source (self->store), past))
    {
      self->is_lost = TRUE;
      return METRICS_QUERY_LOST;
    }
  if (self->buckets != NULL)
    metrics_buckets_begin (self->buckets, &self->reader);
  return METRICS_QUERY_PAUSED;
}

/* Takes what the query needs of the entry where it stands. Paused is where there is no row for now. */
static MetricsQueryState
arrive (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  const MetricsHeld *past;
  const MetricsSeries *series = metrics_history_find (self->history, &self->view, self->cursor, &past);

  (*budget)--;
  if (G_UNLIKELY (self->rollup.rollup != NULL) && arrive_for_rollup (self, budget))
    return METRICS_QUERY_PAUSED;
  if (self->spec.kind == METRICS_QUERY_DELETE)
    series = &self->cursor->series;
  if (series->n_points == 0)
    {
      take_leave (self, STEP_SEEK);
      return METRICS_QUERY_PAUSED;
    }
  switch (self->spec.kind)
    {
    case METRICS_QUERY_LAST:
      if (!metrics_chunk_is_gap (series->open))
        return arrive_for_last (self, series, row);
      return open_reader (self, series, past, metrics_series_get_last_time (series),
                          metrics_series_get_last_time (series), budget);
    case METRICS_QUERY_KEYS:
      return arrive_for_keys (self, series, row);
    case METRICS_QUERY_DELETE:
      return arrive_for_delete (self, budget);
    case METRICS_QUERY_POINTS:
    case METRICS_QUERY_BUCKETS:
      return open_reader (self, series, past, self->spec.from, self->spec.to, budget);
    case METRICS_QUERY_PUT:
      break;
    }
  g_assert_not_reached ();
}

static MetricsQueryState
read_points (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  MetricsChunk *chunk = metrics_reader_get_chunk (&self->reader);
  guint n;

  if (chunk == NULL)
    {
      self->step = STEP_LEAVE;
      return METRICS_QUERY_PAUSED;
    }
  if (!is_at_hand (self))
    return get_waiting_state (self);

  n = metrics_reader_read (&self->reader, CLAMP (*budget, 1, METRICS_CHUNK_WINDOW), self->points);
  *budget -= n;
  metrics_reader_release (&self->reader, metrics_reader_get_mark (&self->reader), budget);
  if (n == 0)
    return METRICS_QUERY_PAUSED;
  begin_row (self, row);
  row->n_points = n;
  return METRICS_QUERY_ROW;
}

static MetricsQueryState
read_buckets (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  gboolean more;
  guint n = 0;

  if (metrics_buckets_wants_chunk (self->buckets) && !is_at_hand (self))
    return get_waiting_state (self);

  do
    more = metrics_buckets_advance (self->buckets, budget, self->points, &n);
  while (more && *budget > 0 && !metrics_buckets_wants_chunk (self->buckets));

  metrics_reader_release (&self->reader, metrics_buckets_get_begin (self->buckets), budget);
  if (!more)
    self->step = STEP_LEAVE;
  if (n == 0)
    return METRICS_QUERY_PAUSED;
  begin_row (self, row);
  row->n_points = n;
  return METRICS_QUERY_ROW;
}

static MetricsQueryState
go_on_with_rollup (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  guint n;
  MetricsQueryState state = metrics_rollup_query_next (&self->rollup, self->cursor, &self->spec, budget,
                                                       self->points, G_N_ELEMENTS (self->points), &n);

  if (state == METRICS_QUERY_DONE)
    {
      self->step = STEP_SEEK;
      return METRICS_QUERY_PAUSED;
    }
  begin_row (self, row);
  row->n_points = n;
  return state;
}

/* A query that deletes frees everything before it says that it is done. One that reads does not wait for what
 * others have deleted, but takes its share. */
static void
drain (MetricsQuery *self, gint *budget)
{
  close_view (self);
  if (metrics_history_drain (self->history, budget) || is_reading (self))
    self->step = STEP_DONE;
}

/* Does one step. Paused is where there is no row for now, and work to do. */
static MetricsQueryState
advance (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  switch (self->step)
    {
    case STEP_SEEK:
      seek (self, budget);
      return METRICS_QUERY_PAUSED;
    case STEP_ARRIVE:
      return arrive (self, budget, row);
    case STEP_READ:
      return self->buckets != NULL ? read_buckets (self, budget, row) : read_points (self, budget, row);
    case STEP_LEAVE:
      if (metrics_reader_close (&self->reader, budget))
        self->step = STEP_SEEK;
      return METRICS_QUERY_PAUSED;
    case STEP_ROLLUP:
      return go_on_with_rollup (self, budget, row);
    case STEP_DRAIN:
      drain (self, budget);
      return METRICS_QUERY_PAUSED;
    case STEP_PUT:
      return metrics_query_advance_put (self, budget);
    case STEP_DONE:
      return METRICS_QUERY_DONE;
    }
  g_assert_not_reached ();
}

/**
 * metrics_query_next:
 * @self: a query
 * @budget: (inout): how many units of work may be done: a point that is produced or looked at is one, an
 * entry that is visited another. What was done is taken off; it goes below 0 by what was done beyond it: at
 * most one chunk of points, the matching of one key, or one unit for each chunk of one series
 * @row: (out caller-allocates): the next part of the answer, where there is one; valid until the next call
 *
 * Goes on with the answer. Rows come in the order of the series' first put, and ascending by time; a series
 * can have many.
 *
 * Returns: %METRICS_QUERY_ROW where there is a row; %METRICS_QUERY_PAUSED where the budget is used up without
 *   one, and %METRICS_QUERY_NOT_YET where it has to be waited for: the wake function is called then;
 *   %METRICS_QUERY_LOST where what it had yet to show was deleted and there was no memory to keep it, or it
 *   cannot be read; %METRICS_QUERY_REFUSED where a point was not put
 */
MetricsQueryState
metrics_query_next (MetricsQuery *self, gint *budget, MetricsQueryRow *row)
{
  g_return_val_if_fail (self != NULL, METRICS_QUERY_DONE);

  if (is_waiting (self))
    return METRICS_QUERY_NOT_YET;
  if (self->view.is_lost || (self->is_lost && self->step != STEP_PUT))
    return METRICS_QUERY_LOST;
  while (*budget > 0)
    {
      MetricsQueryState state = advance (self, budget, row);

      if (state != METRICS_QUERY_PAUSED)
        return state;
    }
  return self->step == STEP_DONE ? METRICS_QUERY_DONE : METRICS_QUERY_PAUSED;
}
