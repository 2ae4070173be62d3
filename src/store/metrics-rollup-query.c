/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-query.h"

#include "store/metrics-rollup-private.h"

/* The hidden series of a rule by index, its marks last. */
static gboolean
name_companion (MetricsRollupName *name,
                const char *key,
                gsize len,
                const MetricsRollupRule *rule,
                gboolean with_marks,
                guint at)
{
  static const char *const marks[] = { METRICS_ROLLUP_FLOOR, METRICS_ROLLUP_LATE, METRICS_ROLLUP_FILL };
  guint n = rule->n_tiers * rule->n_functions;

  if (at < n)
    metrics_rollup_name_tier (name, key, len, rule->functions[at % rule->n_functions],
                              rule->tiers[at / rule->n_functions].step);
  else if (with_marks && at - n < G_N_ELEMENTS (marks))
    metrics_rollup_name (name, key, len, marks[at - n]);
  else
    return FALSE;
  return TRUE;
}

static MetricsEntry *
find_companion (MetricsRollup *self, const char *key, gsize len, gboolean with_marks)
{
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rules, key, len);
  MetricsRollupName name;

  if (rule == NULL || len > METRICS_KEY_MAX)
    return NULL;
  for (guint i = 0; name_companion (&name, key, len, rule, with_marks, i); i++)
    {
      MetricsEntry *entry = metrics_rollup_lookup (self->store, name.bytes, name.len);

      if (entry != NULL)
        return entry;
    }
  return NULL;
}

/**
 * metrics_rollup_find_orphan:
 * @self: an object
 * @key: (array length=len): a key of a client
 * @len: its length in bytes
 *
 * Returns: (transfer none) (nullable): where there is something hidden that belongs to the key, an entry of
 *   that, which stands for it where the key has no points of its own any more
 */
MetricsEntry *
metrics_rollup_find_orphan (MetricsRollup *self, const char *key, gsize len)
{
  return find_companion (self, key, len, TRUE);
}

/**
 * metrics_rollup_stands_for:
 * @self: an object
 * @entry: a hidden entry
 *
 * Returns: whether it stands for a key that has no points of its own any more
 */
gboolean
metrics_rollup_stands_for (MetricsRollup *self, MetricsEntry *entry)
{
  gsize len = metrics_key_get_public_len (entry->bytes, entry->head.len);

  return !entry->head.is_dead && metrics_rollup_lookup (self->store, entry->bytes, len) == NULL
         && metrics_rollup_find_orphan (self, entry->bytes, len) == entry;
}

/**
 * metrics_rollup_delete_next:
 * @self: an object
 * @entry: an entry of which points were deleted, or a hidden one that stands for a key
 * @from: the first time that goes
 * @to: the last time that goes
 * @at: (inout): 0 at first
 *
 * Returns: (transfer full) (nullable): a query that deletes some of what is rolled up of these points;
 *   %NULL where there is no more. It may leave buckets that were noted
 */
MetricsQuery *
metrics_rollup_delete_next (MetricsRollup *self, const MetricsEntry *entry, gint64 from, gint64 to, guint *at)
{
  gsize len = metrics_key_get_public_len (entry->bytes, entry->head.len);
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rules, entry->bytes, len);
  gboolean all = from == G_MININT64 && to == G_MAXINT64;
  MetricsRollupName name;

  if (rule == NULL)
    return NULL;
  if (*at == 0)
    metrics_rollup_job_cancel (self->job, entry->bytes, len);
  while (name_companion (&name, entry->bytes, len, rule, all, (*at)++))
    {
      MetricsQuerySpec spec = {
        .kind = METRICS_QUERY_DELETE,
        .key = name.bytes,
        .key_len = name.len,
        .is_raw = TRUE,
        .from = from,
        .to = to,
      };

      if (metrics_rollup_lookup (self->store, name.bytes, name.len) != NULL)
        return metrics_query_new (self->store, &spec);
    }
  return NULL;
}

/**
 * metrics_rollup_query_init:
 * @self: (out caller-allocates): a struct
 * @store: the store of a query
 * @spec: what is asked for
 * @wake: what is called when the query can go on that was told to wait
 * @wake_data: for @wake
 *
 * Only buckets are made of rollups, and only deletions reach them.
 */
void
metrics_rollup_query_init (MetricsRollupQuery *self,
                           MetricsStore *store,
                           const MetricsQuerySpec *spec,
                           MetricsQueryWakeFunc wake,
                           gpointer wake_data)
{
  *self = (MetricsRollupQuery){ .wake = wake, .wake_data = wake_data };
  if (!spec->is_raw && (spec->kind == METRICS_QUERY_BUCKETS || spec->kind == METRICS_QUERY_DELETE))
    self->rollup = metrics_store_get_hidden (store)->rollup;
}

/**
 * metrics_rollup_query_begin_delete:
 * @self: a struct that was initialized for a deletion
 * @store: the store of the query
 * @spec: what it asks for
 *
 * To be called before some of an entry is deleted: rules may be there that were not when it was asked for,
 * and what they have begun to roll must not keep points that go now.
 */
void
metrics_rollup_query_begin_delete (MetricsRollupQuery *self,
                                   MetricsStore *store,
                                   const MetricsQuerySpec *spec)
{
  if (self->rollup != NULL || spec->is_raw)
    return;
  self->rollup = metrics_store_get_hidden (store)->rollup;
  self->generation = self->rollup != NULL ? self->rollup->generation : 0;
}

/**
 * metrics_rollup_query_clear:
 * @self: a struct that was initialized
 *
 * Frees what it holds.
 */
void
metrics_rollup_query_clear (MetricsRollupQuery *self)
{
  g_clear_pointer (&self->read, metrics_rollup_read_free);
  g_clear_pointer (&self->inner, metrics_query_free);
}

/**
 * metrics_rollup_query_find:
 * @self: a struct that was initialized
 * @entry: (nullable): the entry of a key
 * @key: (array length=len): the key
 * @len: its length in bytes
 * @is_raw: whether hidden entries can be asked for
 *
 * Returns: (transfer none) (nullable): the entry at which a query for the key stands
 */
MetricsEntry *
metrics_rollup_query_find (const MetricsRollupQuery *self,
                           MetricsEntry *entry,
                           const char *key,
                           gsize len,
                           gboolean is_raw)
{
  if (entry == NULL)
    return self->rollup != NULL ? metrics_rollup_find_orphan (self->rollup, key, len) : NULL;
  return entry->head.is_hidden && !is_raw ? NULL : entry;
}

/**
 * metrics_rollup_query_wants:
 * @self: a struct that was initialized
 * @pattern: which keys are asked for
 * @entry: an entry
 *
 * Returns: whether it is asked for; a hidden one never is, unless it stands for a key whose points are gone
 */
gboolean
metrics_rollup_query_wants (const MetricsRollupQuery *self,
                            const MetricsPattern *pattern,
                            MetricsEntry *entry)
{
  if (!entry->head.is_hidden)
    return metrics_pattern_matches (pattern, entry->bytes, entry->head.len);
  return self->rollup != NULL
         && metrics_pattern_matches (pattern, entry->bytes,
                                     metrics_key_get_public_len (entry->bytes, entry->head.len))
         && metrics_rollup_stands_for (self->rollup, entry);
}

/**
 * metrics_rollup_query_arrive:
 * @self: a struct with a rollup
 * @entry: the entry to which the query has come
 * @spec: what it asks for
 * @budget: (inout): what was done is taken off
 *
 * Sees whether something is rolled up of the entry that is to be read in place of its points.
 *
 * Returns: how the query goes on
 */
MetricsRollupArrival
metrics_rollup_query_arrive (MetricsRollupQuery *self,
                             MetricsEntry *entry,
                             const MetricsQuerySpec *spec,
                             gint *budget)
{
  self->n_inner = 0;
  self->generation = self->rollup->generation;
  if (spec->kind == METRICS_QUERY_DELETE)
    return entry->head.is_hidden ? METRICS_ROLLUP_BEGUN : METRICS_ROLLUP_NONE;
  /* What was dropped while the query was on its way is rolled up, and comes later. What was deleted, with a
   * mark as long as that takes, is there as it was. */
  if (entry->head.is_dead)
    return find_companion (self->rollup, entry->bytes, entry->head.len, FALSE) != NULL
                   && metrics_rollup_lookup_mark (self->rollup->store, entry->bytes, entry->head.len,
                                                  METRICS_ROLLUP_FILL)
                          == NULL
               ? METRICS_ROLLUP_LEAVE
               : METRICS_ROLLUP_NONE;
  self->read = metrics_rollup_read_new (self->rollup, entry, spec, budget);
  if (self->read == NULL)
    return entry->head.is_hidden ? METRICS_ROLLUP_LEAVE : METRICS_ROLLUP_NONE;
  metrics_rollup_read_set_wake_func (self->read, self->wake, self->wake_data);
  return METRICS_ROLLUP_BEGUN;
}

static MetricsQueryState
delete_next (MetricsRollupQuery *self, const MetricsEntry *entry, const MetricsQuerySpec *spec, gint *budget)
{
  MetricsQueryRow row;
  MetricsQueryState state;

  /* By other rules it is other series. */
  if (self->generation != self->rollup->generation)
    {
      self->generation = self->rollup->generation;
      self->n_inner = 0;
      g_clear_pointer (&self->inner, metrics_query_free);
    }
  if (self->inner == NULL)
    {
      (*budget)--;
      self->inner = metrics_rollup_delete_next (self->rollup, entry, spec->from, spec->to, &self->n_inner);
      if (self->inner == NULL)
        return METRICS_QUERY_DONE;
      metrics_query_set_wake_func (self->inner, self->wake, self->wake_data);
    }
  state = metrics_query_next (self->inner, budget, &row);
  if (state != METRICS_QUERY_DONE)
    return state;
  g_clear_pointer (&self->inner, metrics_query_free);
  return METRICS_QUERY_PAUSED;
}

/**
 * metrics_rollup_query_next:
 * @self: a struct where something was begun
 * @entry: the entry where the query stands
 * @spec: what it asks for
 * @budget: (inout): what was done is taken off
 * @points: (out caller-allocates) (array length=max): where buckets go
 * @max: how many at most
 * @n_points: (out): how many there are
 *
 * Goes on with an entry: reads its buckets, or deletes what is rolled up of it.
 *
 * Returns: as metrics_query_next()
 */
MetricsQueryState
metrics_rollup_query_next (MetricsRollupQuery *self,
                           const MetricsEntry *entry,
                           const MetricsQuerySpec *spec,
                           gint *budget,
                           MetricsPoint *points,
                           guint max,
                           guint *n_points)
{
  MetricsQueryState state;

  *n_points = 0;
  if (spec->kind == METRICS_QUERY_DELETE)
    return delete_next (self, entry, spec, budget);
  state = metrics_rollup_read_next (self->read, budget, points, max, n_points);
  if (state == METRICS_QUERY_DONE)
    g_clear_pointer (&self->read, metrics_rollup_read_free);
  return state;
}
