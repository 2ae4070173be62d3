/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-read.h"

#include "store/metrics-rollup-private.h"

/* Buckets of one series, made of what is rolled up as far as that reaches, and of raw points where it does
 * not. The span is cut into parts, each of which is asked for by a query of its own; of the coarsest tier
 * that will do first, and what that leaves over of the next finer one. All begin at once: so they see the
 * series as of one instant. Where a bucket is cut, both parts have a point for it, and these two are joined.
 *
 * A bucket of a tier is used where it lies in the span as a whole. */

/* What it takes to find out where all that is needed is. */
#define PLAN_UNITS 32

/* The points of one function of a part. */
typedef struct
{
  MetricsQuery *query; /* (owned) (nullable): %NULL where it is done */
  MetricsQueryRow row;
  guint at; /* how many points of the row have been used */
} Stream;

typedef struct
{
  Stream streams[METRICS_ROLLUP_MAX_FUNCTIONS];
} Part;

struct _MetricsRollupRead
{
  guint n_functions;
  MetricsAggregation functions[METRICS_ROLLUP_MAX_FUNCTIONS];
  GArray *parts; /* (owned) (element-type Part) */
  guint at;      /* the part that is read */
  gboolean has_bucket;
  gint64 start; /* of the bucket, which may go on in the next part */
  double values[METRICS_ROLLUP_MAX_FUNCTIONS];
};

/* What is needed only until the parts are there. */
typedef struct
{
  MetricsRollupRead *read;
  MetricsStore *store;
  const MetricsRollupRule *rule;
  const MetricsQuerySpec *spec; /* its key is that of the series */
  gsize key_len;
  MetricsRollupSpan dirty;
  gint64 floor;
  gboolean has_tiers;
  gint *budget;
} Plan;

/* Of what has been reduced by a function already. */
static MetricsAggregation
get_again (MetricsAggregation function)
{
  return function == METRICS_AGGREGATION_COUNT ? METRICS_AGGREGATION_SUM : function;
}

static gboolean
reaches_into (const MetricsEntry *entry, gint64 from, gint64 to)
{
  return entry != NULL && metrics_series_get_first_time (&entry->series) <= to
         && metrics_series_get_last_time (&entry->series) >= from;
}

static void
begin_stream (Plan *plan,
              Stream *stream,
              const char *key,
              gsize len,
              gint64 from,
              gint64 to,
              MetricsAggregation function)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_BUCKETS,
    .key = key,
    .key_len = len,
    .is_raw = TRUE,
    .from = from,
    .to = to,
    .step = plan->spec->step,
    .aggregation = function,
  };
  gint one = 1;

  stream->query = metrics_query_new (plan->store, &spec);
  /* With the least of budgets it takes hold of its points and does not begin to read. */
  metrics_query_next (stream->query, &one, &stream->row);
  stream->row = (MetricsQueryRow){ 0 };
  *plan->budget -= 1 - one;
}

static void
add_raw (Plan *plan, gint64 from, gint64 to)
{
  Part part = { 0 };

  if (!reaches_into (metrics_rollup_lookup (plan->store, plan->spec->key, plan->key_len), from, to))
    return;
  for (guint i = 0; i < plan->read->n_functions; i++)
    begin_stream (plan, &part.streams[i], plan->spec->key, plan->key_len, from, to, plan->read->functions[i]);
  g_array_append_val (plan->read->parts, part);
}

static void
add_tier (Plan *plan, guint tier, gint64 from, gint64 to)
{
  Part part = { 0 };

  for (guint i = 0; i < plan->read->n_functions; i++)
    {
      MetricsRollupName name;

      metrics_rollup_name_tier (&name, plan->spec->key, plan->key_len, plan->read->functions[i],
                                plan->rule->tiers[tier].step);
      begin_stream (plan, &part.streams[i], name.bytes, name.len, from, to,
                    get_again (plan->read->functions[i]));
    }
  g_array_append_val (plan->read->parts, part);
  plan->has_tiers = TRUE;
}

/* The parts of a tier that can be relied on: before what has been noted, and behind it. */
static void
get_good (const Plan *plan, guint tier, MetricsRollupSpan good[2])
{
  gint64 step = plan->rule->tiers[tier].step;
  MetricsRollupSpan span
      = metrics_rollup_get_span (plan->store, plan->spec->key, plan->key_len, plan->rule, tier);
  /* Before the floor raw points are no better. */
  gint64 bad
      = MAX (metrics_rollup_align (plan->dirty.first, step), metrics_rollup_align_up (plan->floor, step));
  gint64 bad_end = MAX (bad, metrics_rollup_align_up (plan->dirty.end, step));

  if (plan->spec->step % step != 0)
    span.end = span.first;
  good[0] = good[1] = span;
  if (plan->dirty.first >= plan->dirty.end || bad == bad_end)
    {
      good[1].first = span.end;
      return;
    }
  good[0].end = MIN (span.end, bad);
  good[1].first = MAX (span.first, bad_end);
}

/* Finds parts for a span, with the first @n_tiers of all tiers. */
static void
fill (Plan *plan, guint n_tiers, gint64 from, gint64 to)
{
  MetricsRollupSpan good[2];
  gint64 step;

  if (from > to)
    return;
  if (n_tiers == 0)
    {
      add_raw (plan, from, to);
      return;
    }
  step = plan->rule->tiers[n_tiers - 1].step;
  get_good (plan, n_tiers - 1, good);
  for (guint i = 0; i < G_N_ELEMENTS (good) && from <= to; i++)
    {
      gint64 start = MAX (good[i].first, metrics_rollup_align_up (from, step));
      gint64 end = good[i].end <= to ? good[i].end : metrics_rollup_align (to + 1, step);

      if (good[i].first >= good[i].end || start >= end || start < from)
        continue;
      if (start > from)
        fill (plan, n_tiers - 1, from, start - 1);
      add_tier (plan, n_tiers - 1, start, end - 1);
      from = end;
    }
  fill (plan, n_tiers - 1, from, to);
}

static gboolean
can_make (const MetricsRollupRule *rule, const MetricsRollupRead *read)
{
  for (guint i = 0; i < read->n_functions; i++)
    {
      gboolean found = FALSE;

      for (guint j = 0; j < rule->n_functions; j++)
        found = found || rule->functions[j] == read->functions[i];
      if (!found)
        return FALSE;
    }
  return read->n_functions > 0;
}

/**
 * metrics_rollup_read_new_below:
 * @store: a store
 * @rule: the rule of a series
 * @n_tiers: how many of its tiers may be used
 * @spec: what is asked for: buckets of one key; from and to as far as times are rolled up at most
 * @budget: (inout): what was done is taken off
 *
 * Returns: (transfer full): buckets made of tiers and raw points, as of now
 */
MetricsRollupRead *
metrics_rollup_read_new_below (MetricsStore *store,
                               const MetricsRollupRule *rule,
                               guint n_tiers,
                               const MetricsQuerySpec *spec,
                               gint *budget)
{
  MetricsRollupRead *self = g_new0 (MetricsRollupRead, 1);
  Plan plan = {
    .read = self,
    .store = store,
    .rule = rule,
    .spec = spec,
    .key_len = spec->key_len,
    .dirty = metrics_rollup_get_dirty (store, spec->key, spec->key_len, rule),
    .floor = metrics_rollup_get_floor (store, spec->key, spec->key_len),
    .budget = budget,
  };

  *budget -= PLAN_UNITS;
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  self->n_functions = metrics_rollup_get_functions (spec->aggregation, self->functions);
  fill (&plan, n_tiers, spec->from, spec->to);
  return self;
}

/**
 * metrics_rollup_read_new:
 * @rollup: an object
 * @entry: an entry, or a hidden one that stands for a key
 * @spec: what is asked for: buckets; the key in it does not count
 * @budget: (inout): what was done is taken off
 *
 * Returns: (transfer full) (nullable): buckets of the series, as of now; %NULL where nothing that is rolled
 *   up would do for them
 */
MetricsRollupRead *
metrics_rollup_read_new (MetricsRollup *rollup,
                         const MetricsEntry *entry,
                         const MetricsQuerySpec *spec,
                         gint *budget)
{
  gsize len = metrics_key_get_public_len (entry->bytes, entry->head.len);
  const MetricsRollupRule *rule = metrics_rollup_rules_find (rollup->rules, entry->bytes, len);
  MetricsRollupRead probe;
  MetricsQuerySpec one = *spec;
  gboolean is_useful = FALSE;

  if (rule == NULL || entry->head.n_pins > METRICS_ENTRY_MAX_PINS / 2)
    return NULL;
  probe.n_functions = metrics_rollup_get_functions (spec->aggregation, probe.functions);
  if (!can_make (rule, &probe))
    return NULL;
  for (guint i = 0; i < rule->n_tiers; i++)
    {
      MetricsRollupSpan span = metrics_rollup_get_span (rollup->store, entry->bytes, len, rule, i);

      is_useful = is_useful
                  || (spec->step % rule->tiers[i].step == 0 && span.first < span.end && span.first <= spec->to
                      && span.end > spec->from);
    }
  if (!is_useful)
    return NULL;
  one.key = entry->bytes;
  one.key_len = len;
  return metrics_rollup_read_new_below (rollup->store, rule, rule->n_tiers, &one, budget);
}

/**
 * metrics_rollup_read_free:
 * @self: (transfer full) (nullable): an object
 */
void
metrics_rollup_read_free (MetricsRollupRead *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->parts->len; i++)
    for (guint j = 0; j < self->n_functions; j++)
      metrics_query_free (g_array_index (self->parts, Part, i).streams[j].query);
  g_array_unref (self->parts);
  g_free (self);
}

/**
 * metrics_rollup_read_set_wake_func:
 * @self: an object
 * @func: what to call when it can go on that said %METRICS_QUERY_NOT_YET; the query is not to be touched
 * @user_data: for @func
 */
void
metrics_rollup_read_set_wake_func (MetricsRollupRead *self, MetricsQueryWakeFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->parts->len; i++)
    for (guint j = 0; j < self->n_functions; j++)
      metrics_query_set_wake_func (g_array_index (self->parts, Part, i).streams[j].query, func, user_data);
}

/* Sees to it that a stream has a point. Returns: ROW where it has, DONE where there is none left */
static MetricsQueryState
look (Stream *stream, gint *budget)
{
  MetricsQueryState state;

  if (stream->at < stream->row.n_points)
    return METRICS_QUERY_ROW;
  if (stream->query == NULL)
    return METRICS_QUERY_DONE;
  state = metrics_query_next (stream->query, budget, &stream->row);
  stream->at = 0;
  if (state != METRICS_QUERY_ROW)
    stream->row.n_points = 0;
  if (state == METRICS_QUERY_DONE)
    g_clear_pointer (&stream->query, metrics_query_free);
  return state;
}

/* Of two parts of a bucket, the older one first. */
static void
join (MetricsAggregation function, double *value, double next)
{
  if (function == METRICS_AGGREGATION_MIN)
    *value = MIN (*value, next);
  else if (function == METRICS_AGGREGATION_MAX)
    *value = MAX (*value, next);
  else if (function == METRICS_AGGREGATION_LAST)
    *value = next;
  else if (function != METRICS_AGGREGATION_FIRST)
    *value = CLAMP (*value + next, -G_MAXDOUBLE, G_MAXDOUBLE);
}

static void
end_bucket (MetricsRollupRead *self, MetricsPoint *points, guint *n_points)
{
  double value = self->values[0];

  if (!self->has_bucket)
    return;
  if (self->n_functions > 1)
    value /= self->values[1];
  points[(*n_points)++] = (MetricsPoint){ .time = self->start, .value = value };
  self->has_bucket = FALSE;
}

/* Takes the next bucket of a part, for which each stream has a point. Where one of them lacks it, it is left
 * out. */
static void
take (MetricsRollupRead *self, Part *part, MetricsPoint *points, guint *n_points)
{
  gint64 start = G_MININT64;
  gboolean same = TRUE;

  for (guint i = 0; i < self->n_functions; i++)
    start = MAX (start, part->streams[i].row.points[part->streams[i].at].time);
  for (guint i = 0; i < self->n_functions; i++)
    if (part->streams[i].row.points[part->streams[i].at].time < start)
      {
        part->streams[i].at++;
        same = FALSE;
      }
  if (!same)
    return;

  if (self->has_bucket && self->start != start)
    end_bucket (self, points, n_points);
  for (guint i = 0; i < self->n_functions; i++)
    {
      double value = part->streams[i].row.points[part->streams[i].at++].value;

      if (self->has_bucket)
        join (self->functions[i], &self->values[i], value);
      else
        self->values[i] = value;
    }
  self->has_bucket = TRUE;
  self->start = start;
}

/* Does one step. */
static MetricsQueryState
advance (MetricsRollupRead *self, gint *budget, MetricsPoint *points, guint *n_points)
{
  Part *part = &g_array_index (self->parts, Part, self->at);

  for (guint i = 0; i < self->n_functions; i++)
    {
      MetricsQueryState state = look (&part->streams[i], budget);

      if (state == METRICS_QUERY_DONE)
        {
          /* What the other one may have left belongs to no bucket. */
          self->at++;
          return METRICS_QUERY_PAUSED;
        }
      if (state != METRICS_QUERY_ROW)
        return state;
    }
  take (self, part, points, n_points);
  (*budget)--;
  return METRICS_QUERY_PAUSED;
}

/**
 * metrics_rollup_read_next:
 * @self: an object
 * @budget: (inout): see metrics_query_next()
 * @points: (out caller-allocates) (array length=max): where buckets go
 * @max: how many at most
 * @n_points: (out): how many there are
 *
 * Goes on.
 *
 * Returns: as metrics_query_next()
 */
MetricsQueryState
metrics_rollup_read_next (MetricsRollupRead *self,
                          gint *budget,
                          MetricsPoint *points,
                          guint max,
                          guint *n_points)
{
  MetricsQueryState state = METRICS_QUERY_PAUSED;

  *n_points = 0;
  while (*budget > 0 && *n_points < max && self->at < self->parts->len && state == METRICS_QUERY_PAUSED)
    state = advance (self, budget, points, n_points);
  if (*n_points > 0)
    return METRICS_QUERY_ROW;
  if (state != METRICS_QUERY_PAUSED || self->at < self->parts->len || *budget <= 0)
    return state;
  end_bucket (self, points, n_points);
  return *n_points > 0 ? METRICS_QUERY_ROW : METRICS_QUERY_DONE;
}
