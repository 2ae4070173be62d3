/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-private.h"

/* Points that are rolled up: of each bucket of a tier one, stamped with its start.
 *
 * They are series of the same store, hidden from clients: their keys begin with that of the series which they
 * are made of, and go on with METRICS_KEY_MARK and what they are. So all that is done for points is done for
 * them: coding, journal, disk, memory.
 *
 * - sum/60: a tier, what its function makes of each minute. A mean is kept as sum and count, so that means of
 *   larger buckets are exact.
 * - floor: one point, at the time before which raw points were dropped, rounded up to the coarsest step: what
 *   is rolled up before it is not rolled again from what is left.
 * - late: a point for each bucket of the coarsest tier in which something was changed after it was rolled;
 * its value is how long it is.
 * - fill: two points, the ends of a span that is being rolled though later ones are already.
 *
 * A tier says itself how far it reaches: from its first point to the end of the bucket of its last one.
 * Whoever reads takes it for that, but for the span from the first thing noted as late, or being filled, to
 * the last one; there, and beyond the tier, raw points count. So an answer is right at any time, and a crash
 * loses nothing: the note of a late point is in the journal before the point.
 *
 * A bucket is rolled once a point behind it has come. Points that come behind all others are thus never in a
 * bucket that is rolled, and putting them costs nothing. */

/**
 * metrics_rollup_name:
 * @name: (out caller-allocates): the name
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @suffix: which one of the series that belong to it
 *
 * Makes the name of a hidden series.
 */
void
metrics_rollup_name (MetricsRollupName *name, const char *key, gsize len, const char *suffix)
{
  gsize suffix_len = strlen (suffix);

  g_assert (len <= METRICS_KEY_MAX && len + 1 + suffix_len <= METRICS_KEY_STORED_MAX);

  memcpy (name->bytes, key, len);
  name->bytes[len] = METRICS_KEY_MARK;
  memcpy (name->bytes + len + 1, suffix, suffix_len + 1);
  name->len = len + 1 + suffix_len;
}

/**
 * metrics_rollup_name_tier:
 * @name: (out caller-allocates): the name
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @function: what is kept
 * @step: of which buckets
 *
 * Makes the name of the hidden series of a tier.
 */
void
metrics_rollup_name_tier (MetricsRollupName *name,
                          const char *key,
                          gsize len,
                          MetricsAggregation function,
                          gint64 step)
{
  char suffix[METRICS_KEY_STORED_MAX - METRICS_KEY_MAX];

  g_snprintf (suffix, sizeof suffix, "%s/%" G_GINT64_FORMAT, metrics_aggregation_get_name (function), step);
  metrics_rollup_name (name, key, len, suffix);
}

/**
 * metrics_rollup_lookup:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Returns: (transfer none) (nullable): its entry, where it has points
 */
MetricsEntry *
metrics_rollup_lookup (MetricsStore *store, const char *key, gsize len)
{
  MetricsKey table_key;
  MetricsEntry *entry;

  metrics_store_make_key (store, key, len, &table_key);
  entry = metrics_store_lookup (store, &table_key);
  return entry != NULL && entry->series.n_points > 0 ? entry : NULL;
}

/**
 * metrics_rollup_lookup_mark:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @suffix: which of the series that belong to it
 *
 * Returns: (transfer none) (nullable): the entry of that one, where it has points
 */
MetricsEntry *
metrics_rollup_lookup_mark (MetricsStore *store, const char *key, gsize len, const char *suffix)
{
  MetricsRollupName name;

  metrics_rollup_name (&name, key, len, suffix);
  return metrics_rollup_lookup (store, name.bytes, name.len);
}

/**
 * metrics_rollup_get_span:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @rule: its rule
 * @tier: one of the tiers
 *
 * Returns: from where to where the tier has what there was, notes aside
 */
MetricsRollupSpan
metrics_rollup_get_span (MetricsStore *store,
                         const char *key,
                         gsize len,
                         const MetricsRollupRule *rule,
                         guint tier)
{
  MetricsRollupSpan span = { .first = G_MININT64, .end = G_MAXINT64 };

  for (guint i = 0; i < rule->n_functions; i++)
    {
      gint64 step = rule->tiers[tier].step;
      MetricsRollupName name;
      const MetricsEntry *entry;

      metrics_rollup_name_tier (&name, key, len, rule->functions[i], step);
      entry = metrics_rollup_lookup (store, name.bytes, name.len);
      if (entry == NULL)
        return (MetricsRollupSpan){ 0 };
      span.first = MAX (span.first, metrics_series_get_first_time (&entry->series));
      span.end = MIN (span.end, metrics_series_get_last_time (&entry->series) + step);
    }
  return span;
}

/**
 * metrics_rollup_get_floor:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Returns: the time before which raw points may be missing; %G_MININT64 where none were dropped
 */
gint64
metrics_rollup_get_floor (MetricsStore *store, const char *key, gsize len)
{
  const MetricsEntry *entry = metrics_rollup_lookup_mark (store, key, len, METRICS_ROLLUP_FLOOR);

  return entry != NULL ? metrics_series_get_last_time (&entry->series) : G_MININT64;
}

static gint64
get_coarsest (const MetricsRollupRule *rule)
{
  return rule->tiers[rule->n_tiers - 1].step;
}

/**
 * metrics_rollup_get_dirty:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @rule: its rule
 *
 * Returns: the span in which tiers may not have what there is
 */
MetricsRollupSpan
metrics_rollup_get_dirty (MetricsStore *store, const char *key, gsize len, const MetricsRollupRule *rule)
{
  const MetricsEntry *late = metrics_rollup_lookup_mark (store, key, len, METRICS_ROLLUP_LATE);
  const MetricsEntry *fill = metrics_rollup_lookup_mark (store, key, len, METRICS_ROLLUP_FILL);
  const MetricsRollup *rollup = metrics_store_get_hidden (store)->rollup;
  MetricsRollupSpan span = { .first = G_MAXINT64, .end = G_MININT64 };

  if (late != NULL)
    {
      /* What was noted by other rules may be as long as a bucket of these, and begin inside of one of this
       * rule. */
      gint64 length = MAX (get_coarsest (rule), rollup != NULL ? rollup->widest : 0);

      span.first = metrics_rollup_align (metrics_series_get_first_time (&late->series), get_coarsest (rule));
      span.end = metrics_series_get_last_time (&late->series) + length;
    }
  if (fill != NULL)
    {
      span.first = MIN (span.first, metrics_series_get_first_time (&fill->series));
      span.end = MAX (span.end, metrics_series_get_last_time (&fill->series) + 1);
    }
  return span;
}

/**
 * metrics_rollup_store_point:
 * @store: a store
 * @name: the name of a hidden series
 * @point: a point
 * @error: return location for a #GError
 *
 * Puts a point into a hidden series.
 *
 * Returns: whether it is stored
 */
gboolean
metrics_rollup_store_point (MetricsStore *store,
                            const MetricsRollupName *name,
                            MetricsPoint point,
                            GError **error)
{
  const MetricsUsage *usage = metrics_store_get_usage (store);
  guint64 n_before = usage->n_points;

  if (!metrics_store_put (store, name->bytes, name->len, point, error))
    return FALSE;
  metrics_store_get_hidden (store)->n_points += usage->n_points - n_before;
  return TRUE;
}

/**
 * metrics_rollup_mark_fill:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @span: a span that is not empty
 *
 * Marks a span that has to be rolled: until it is, raw points count there.
 *
 * Returns: whether there was room for it
 */
gboolean
metrics_rollup_mark_fill (MetricsStore *store, const char *key, gsize len, MetricsRollupSpan span)
{
  const MetricsEntry *entry = metrics_rollup_lookup_mark (store, key, len, METRICS_ROLLUP_FILL);
  MetricsRollupName name;
  MetricsPoint first = { .time = span.first, .value = 1 };
  MetricsPoint last = { .time = span.end - 1, .value = 1 };

  metrics_rollup_name (&name, key, len, METRICS_ROLLUP_FILL);
  if ((entry == NULL || first.time < metrics_series_get_first_time (&entry->series))
      && !metrics_rollup_store_point (store, &name, first, NULL))
    return FALSE;
  entry = metrics_rollup_lookup (store, name.bytes, name.len);
  return last.time <= metrics_series_get_last_time (&entry->series)
         || metrics_rollup_store_point (store, &name, last, NULL);
}

/**
 * metrics_rollup_mark_late:
 * @store: a store
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @span: a bucket of its coarsest tier
 * @error: return location for a #GError
 *
 * Marks a bucket that has to be rolled again: until it is, raw points count there.
 *
 * Returns: whether there was room for it
 */
gboolean
metrics_rollup_mark_late (MetricsStore *store,
                          const char *key,
                          gsize len,
                          MetricsRollupSpan span,
                          GError **error)
{
  g_autoptr (GError) reason = NULL;
  const MetricsEntry *entry = metrics_rollup_lookup_mark (store, key, len, METRICS_ROLLUP_LATE);
  MetricsRollupName name;
  MetricsPoint point = { .time = span.first, .value = span.end - span.first };
  MetricsPoint noted;

  /* One of other rules can begin there, too, and be longer. */
  if (entry != NULL && metrics_series_find (&entry->series, point.time, &noted) && noted.value >= point.value)
    return TRUE;
  metrics_rollup_name (&name, key, len, METRICS_ROLLUP_LATE);
  if (metrics_rollup_store_point (store, &name, point, &reason)
      || metrics_rollup_mark_fill (store, key, len, span))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

/**
 * metrics_rollup_new:
 * @store: a store that has none
 * @rules: its rules
 * @clock: what tells the time, in the unit of the points
 * @user_data: for @clock
 *
 * From now on the rules hold for the store. What there is already is brought in line by
 * metrics_rollup_work().
 *
 * Returns: (transfer full): a new object, to be freed before the store is let go of
 */
MetricsRollup *
metrics_rollup_new (MetricsStore *store,
                    const MetricsRollupRules *rules,
                    MetricsRollupClock clock,
                    gpointer user_data)
{
  MetricsRollup *self = g_new0 (MetricsRollup, 1);

  g_assert (metrics_store_get_hidden (store)->rollup == NULL);

  self->store = g_object_ref (store);
  self->rules = metrics_rollup_rules_ref (rules);
  self->widest = metrics_rollup_rules_get_coarsest (rules);
  self->clock = clock;
  self->clock_data = user_data;
  self->job = metrics_rollup_job_new (self);
  metrics_store_get_hidden (store)->rollup = self;
  return self;
}

/**
 * metrics_rollup_free:
 * @self: (transfer full) (nullable): an object
 */
void
metrics_rollup_free (MetricsRollup *self)
{
  if (self == NULL)
    return;
  metrics_rollup_job_free (self->job);
  metrics_store_get_hidden (self->store)->rollup = NULL;
  metrics_rollup_rules_free (self->rules);
  metrics_rollup_rules_free (self->next);
  g_object_unref (self->store);
  g_free (self);
}

/**
 * metrics_rollup_take_next:
 * @self: an object with rules that wait
 *
 * Has them take the place of those that hold.
 */
void
metrics_rollup_take_next (MetricsRollup *self)
{
  metrics_rollup_job_reset (self->job);
  metrics_rollup_rules_free (self->rules);
  self->rules = g_steal_pointer (&self->next);
  self->widest = MAX (self->widest, metrics_rollup_rules_get_coarsest (self->rules));
  self->is_settled = FALSE;
  self->generation++;
  self->noted_id = 0;
}

/**
 * metrics_rollup_set_rules:
 * @self: an object
 * @rules: other rules
 *
 * From now on these hold; the next round brings what there is in line. But where something is left of the
 * rules before those that hold now, they wait until a round has taken it away: nobody notes what changes in a
 * tier that no rule asks for, and rules that ask for it again must not find it as it was.
 */
void
metrics_rollup_set_rules (MetricsRollup *self, const MetricsRollupRules *rules)
{
  g_clear_pointer (&self->next, metrics_rollup_rules_free);
  self->next = metrics_rollup_rules_ref (rules);
  if (self->is_settled)
    metrics_rollup_take_next (self);
}

/**
 * metrics_rollup_set_cutoff_func:
 * @self: an object
 * @func: (nullable): what tells which points of a key are too old to be taken
 * @user_data: for @func
 *
 * Buckets before that time are complete, also where nothing has come behind them: what is too old can be
 * dropped of a series that has ended.
 */
void
metrics_rollup_set_cutoff_func (MetricsRollup *self, MetricsRollupCutoff func, gpointer user_data)
{
  self->cutoff = func;
  self->cutoff_data = user_data;
}

/**
 * metrics_rollup_get_n_series:
 * @store: a store
 *
 * Returns: how many hidden series it has
 */
guint64
metrics_rollup_get_n_series (MetricsStore *store)
{
  return metrics_store_get_hidden (store)->n_series;
}

/**
 * metrics_rollup_get_n_points:
 * @store: a store
 *
 * Returns: how many points these have
 */
guint64
metrics_rollup_get_n_points (MetricsStore *store)
{
  return metrics_store_get_hidden (store)->n_points;
}

/* Whether a time is in a bucket that is rolled, or may be being rolled just now. What is before the first
 * bucket of a tier is found without a note. */
static gboolean
is_rolled (MetricsRollup *self, const char *key, gsize len, const MetricsRollupRule *rule, gint64 time)
{
  if (time < metrics_rollup_job_get_bound (self->job, key, len))
    return TRUE;
  for (guint i = 0; i < rule->n_tiers; i++)
    {
      MetricsRollupSpan span = metrics_rollup_get_span (self->store, key, len, rule, i);

      if (time >= span.first && time < span.end)
        return TRUE;
    }
  return FALSE;
}

/* Notes that the bucket of a time has to be rolled again, if it was and can be. */
static gboolean
note (MetricsRollup *self,
      const MetricsEntry *entry,
      const MetricsRollupRule *rule,
      gint64 time,
      GError **error)
{
  gint64 step = get_coarsest (rule);
  gint64 start = metrics_rollup_align (time, step);

  if (time < METRICS_ROLLUP_MIN_TIME || time > METRICS_ROLLUP_MAX_TIME
      || (self->noted_id == entry->id && self->noted_time == start)
      || !is_rolled (self, entry->bytes, entry->head.len, rule, time)
      || time < metrics_rollup_get_floor (self->store, entry->bytes, entry->head.len))
    return TRUE;

  if (!metrics_rollup_mark_late (self->store, entry->bytes, entry->head.len,
                                 (MetricsRollupSpan){ .first = start, .end = start + step }, error))
    return FALSE;
  metrics_rollup_job_note (self->job, entry->bytes, entry->head.len, start);
  self->noted_id = entry->id;
  self->noted_time = start;
  return TRUE;
}

/**
 * metrics_rollup_note_put:
 * @self: an object
 * @entry: an entry
 * @time: when
 * @error: return location for a #GError
 *
 * To be told before a point is put.
 *
 * Returns: whether it can be put; else there was no room for the note that it needs
 */
gboolean
metrics_rollup_note_put (MetricsRollup *self, MetricsEntry *entry, gint64 time, GError **error)
{
  const MetricsRollupRule *rule;

  if (entry->series.n_points == 0 || time > metrics_series_get_last_time (&entry->series)
      || entry->head.is_hidden)
    return TRUE;
  rule = metrics_rollup_rules_find (self->rules, entry->bytes, entry->head.len);
  return rule == NULL || note (self, entry, rule, time, error);
}

/**
 * metrics_rollup_note_delete:
 * @self: an object
 * @entry: an entry, not a hidden one
 * @from: the first time that is to go
 * @to: the last time that is to go
 *
 * To be told before points are deleted because somebody wants it; what is rolled up of them has to go as
 * well, see metrics_rollup_delete_next().
 */
void
metrics_rollup_note_delete (MetricsRollup *self, MetricsEntry *entry, gint64 from, gint64 to)
{
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rules, entry->bytes, entry->head.len);
  MetricsRollupSpan span = { .first = G_MAXINT64, .end = G_MININT64 };
  gint64 left;

  if (rule == NULL)
    return;
  /* Where the newest points go, the last one that stays is in a bucket that is not complete any more: what
   * comes behind it is not noted. */
  if (entry->series.n_points > 0 && to >= metrics_series_get_last_time (&entry->series)
      && metrics_series_find_before (&entry->series, from, &left))
    from = left;
  metrics_rollup_job_cancel (self->job, entry->bytes, entry->head.len);
  for (guint i = 0; i < rule->n_tiers; i++)
    {
      MetricsRollupSpan tier = metrics_rollup_get_span (self->store, entry->bytes, entry->head.len, rule, i);

      span.first = MIN (span.first, tier.first < tier.end ? tier.first : G_MAXINT64);
      span.end = MAX (span.end, tier.first < tier.end ? tier.end : G_MININT64);
    }
  span.first = MAX (span.first, metrics_rollup_align (from, get_coarsest (rule)));
  span.end = to < span.end ? MIN (span.end, metrics_rollup_align_up (to + 1, get_coarsest (rule))) : span.end;
  /* There is no one to tell where there is no room for it, and a deletion goes on: it makes some. */
  if (entry->series.n_points > 0 && span.first < span.end)
    metrics_rollup_mark_fill (self->store, entry->bytes, entry->head.len, span);
}

/**
 * metrics_rollup_get_droppable:
 * @self: an object
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @cutoff: a time before which raw points are to be dropped
 *
 * Says how far its raw points may be dropped without that what they come to is lost. Right before they are,
 * metrics_rollup_note_drop() is to be called.
 *
 * Returns: a time, at most @cutoff; what is before it may be dropped
 */
gint64
metrics_rollup_get_droppable (MetricsRollup *self, const char *key, gsize len, gint64 cutoff)
{
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rules, key, len);
  const MetricsEntry *entry = metrics_rollup_lookup (self->store, key, len);
  MetricsRollupSpan dirty;
  gint64 now = self->clock (self->clock_data);
  gint64 oldest;

  if (rule == NULL || entry == NULL)
    return cutoff;
  oldest = metrics_series_get_first_time (&entry->series);
  dirty = metrics_rollup_get_dirty (self->store, key, len, rule);
  cutoff = MIN (cutoff, dirty.first);
  for (guint i = 0; i < rule->n_tiers; i++)
    {
      const MetricsRollupTier *tier = &rule->tiers[i];
      MetricsRollupSpan span = metrics_rollup_get_span (self->store, key, len, rule, i);
      gint64 wanted = metrics_rollup_get_oldest (tier, now);

      /* What the tier does not have and would not keep is no loss. */
      if (span.first >= span.end || (oldest < span.first && wanted < span.first))
        cutoff = MIN (cutoff, MAX (wanted, span.first >= span.end ? G_MININT64 : MIN (oldest, span.first)));
      else
        cutoff = MIN (cutoff, MAX (wanted, span.end));
    }
  return cutoff;
}

/**
 * metrics_rollup_note_drop:
 * @self: an object
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @before: the time before which its raw points are going to be dropped
 *
 * Remembers that: what is left of a bucket is not rolled up again.
 *
 * Returns: whether they may be dropped; else there is no room to remember it
 */
gboolean
metrics_rollup_note_drop (MetricsRollup *self, const char *key, gsize len, gint64 before)
{
  const MetricsRollupRule *rule = metrics_rollup_rules_find (self->rules, key, len);
  MetricsRollupName name;
  MetricsPoint point = { .value = 1 };
  MetricsEntry *entry;
  gint budget = G_MAXINT;
  guint64 n = 0;

  if (rule == NULL)
    return TRUE;
  point.time = metrics_rollup_align_up (before, get_coarsest (rule));
  if (point.time <= metrics_rollup_get_floor (self->store, key, len))
    return TRUE;
  metrics_rollup_name (&name, key, len, METRICS_ROLLUP_FLOOR);
  if (!metrics_rollup_store_point (self->store, &name, point, NULL))
    return FALSE;
  entry = metrics_rollup_lookup (self->store, name.bytes, name.len);
  return metrics_store_delete (self->store, entry, G_MININT64, point.time - 1, &budget, &n);
}
