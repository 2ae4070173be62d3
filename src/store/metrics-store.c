/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-store.h"

#include "common/metrics-key.h"
#include "store/metrics-chunks.h"
#include "store/metrics-hash.h"
#include "store/metrics-rollup.h"
#include "store/metrics-store-private.h"

#include <math.h>

/* All points, by key: a table of entries, each the series of one key, which are also in a list in the order
 * of their first put.
 *
 * The store belongs to one thread. It has no timers and no sources of its own: what takes long is done in
 * slices by those who call it. */

/* How much trash a put carries out: one image and one chunk; it takes no more room than that itself. */
#define DRAIN_OF_PUT 2
/* And one that would be refused otherwise. */
#define DRAIN_OF_REFUSED_PUT 1024
/* How much work such a put does to turn chunks into gaps, and one above high water. */
#define EVICTION_OF_REFUSED_PUT 1024
#define EVICTION_OF_PUT 256
/* After how many changes a checkpoint is asked for above high water; where there is hardly any room left, at
 * once: that is what a put waits for. */
#define CHANGES_OF_PRESS 4096
/* How many open chunks a put that would be refused codes to make room. */
#define COOLED_BY_REFUSED_PUT 8

typedef enum
{
  PROP_SERIES_LIMIT = 1,
  PROP_MEMORY_LIMIT,
  PROP_CHUNK_SOURCE,
  PROP_JOURNAL,
} MetricsStoreProperty;

static GParamSpec *properties[PROP_JOURNAL + 1];

G_DEFINE_FINAL_TYPE (MetricsStore, metrics_store, G_TYPE_OBJECT)
G_DEFINE_QUARK (MetricsStoreError, metrics_store_error)

static void
metrics_store_init (MetricsStore *self)
{
  self->table = g_hash_table_new (metrics_key_hash, metrics_key_equal);
  self->seed = metrics_hash_seed_new ();
  metrics_history_init (&self->history, &self->entries, &self->usage);
  metrics_keeping_set (&self->keeping, NULL, 0);
}

/* Where nothing can leave memory, it is enough to look at it when there is hardly any left. */
static void
update_high_water (MetricsStore *self)
{
  self->memory_high = self->memory_safe;
  if (metrics_store_is_cold (self))
    self->memory_high = MIN (self->memory_safe, self->memory_limit - self->memory_limit / 8);
}

static void
take_memory_limit (MetricsStore *self)
{
  self->memory_safe = self->memory_limit - MIN (self->memory_limit, metrics_series_get_max_growth ());
  self->history.memory_limit = self->memory_limit;
  update_high_water (self);
}

static void
metrics_store_constructed (GObject *object)
{
  MetricsStore *self = METRICS_STORE (object);

  G_OBJECT_CLASS (metrics_store_parent_class)->constructed (object);

  take_memory_limit (self);
}

static void
metrics_store_dispose (GObject *object)
{
  MetricsStore *self = METRICS_STORE (object);

  /* Images hold what they need of the source. */
  metrics_history_clear (&self->history);
  metrics_store_set_chunk_source (self, NULL);
  g_clear_object (&self->journal);

  G_OBJECT_CLASS (metrics_store_parent_class)->dispose (object);
}

static void
metrics_store_finalize (GObject *object)
{
  MetricsStore *self = METRICS_STORE (object);

  g_hash_table_unref (self->table);
  metrics_cold_clear (&self->cold, &self->usage);
  metrics_entry_list_clear (&self->entries, &self->usage);
  /* What was counted in has to have been counted out, or the figure that clients see is wrong. */
  g_assert (self->usage.memory == 0);

  G_OBJECT_CLASS (metrics_store_parent_class)->finalize (object);
}

static void
metrics_store_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  MetricsStore *self = METRICS_STORE (object);

  switch ((MetricsStoreProperty) property_id)
    {
    case PROP_SERIES_LIMIT:
      g_value_set_uint64 (value, self->series_limit);
      break;
    case PROP_MEMORY_LIMIT:
      g_value_set_uint64 (value, self->memory_limit);
      break;
    case PROP_CHUNK_SOURCE:
      g_value_set_object (value, self->chunk_source);
      break;
    case PROP_JOURNAL:
      g_value_set_object (value, self->journal);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
metrics_store_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  MetricsStore *self = METRICS_STORE (object);

  switch ((MetricsStoreProperty) property_id)
    {
    case PROP_SERIES_LIMIT:
      self->series_limit = g_value_get_uint64 (value);
      break;
    case PROP_MEMORY_LIMIT:
      self->memory_limit = g_value_get_uint64 (value);
      break;
    case PROP_CHUNK_SOURCE:
      metrics_store_set_chunk_source (self, g_value_get_object (value));
      break;
    case PROP_JOURNAL:
      metrics_store_set_journal (self, g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
metrics_store_class_init (MetricsStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = metrics_store_constructed;
  object_class->dispose = metrics_store_dispose;
  object_class->finalize = metrics_store_finalize;
  object_class->get_property = metrics_store_get_property;
  object_class->set_property = metrics_store_set_property;

  /**
   * MetricsStore:series-limit:
   *
   * How many series there may be; a put to one more is refused.
   */
  properties[PROP_SERIES_LIMIT]
      = g_param_spec_uint64 ("series-limit", NULL, NULL, 0, G_MAXUINT64, G_MAXUINT64, flags);
  /**
   * MetricsStore:memory-limit:
   *
   * How many bytes of memory the points may take; a put that could need more is refused.
   */
  properties[PROP_MEMORY_LIMIT]
      = g_param_spec_uint64 ("memory-limit", NULL, NULL, 0, G_MAXUINT64, G_MAXUINT64, flags);
  /**
   * MetricsStore:chunk-source:
   *
   * Who brings chunks that are on disk alone; %NULL where all are in memory.
   */
  properties[PROP_CHUNK_SOURCE]
      = g_param_spec_object ("chunk-source", NULL, NULL, METRICS_TYPE_CHUNK_SOURCE,
                             G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * MetricsStore:journal:
   *
   * Who is told of every change; %NULL where nobody is.
   */
  properties[PROP_JOURNAL]
      = g_param_spec_object ("journal", NULL, NULL, METRICS_TYPE_JOURNAL,
                             G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

/**
 * metrics_store_new:
 * @series_limit: how many series there may be
 * @memory_limit: how many bytes of memory they may take
 *
 * Returns: (transfer full): an empty store
 */
MetricsStore *
metrics_store_new (guint64 series_limit, guint64 memory_limit)
{
  return g_object_new (METRICS_TYPE_STORE, "series-limit", series_limit, "memory-limit", memory_limit, NULL);
}

/**
 * metrics_store_set_limits:
 * @self: a store
 * @series_limit: how many series there may be from now on
 * @memory_limit: how many bytes of memory they may take
 *
 * Where there is more already it stays. What is on disk leaves memory with the puts that follow; who has much
 * that could leave at once calls metrics_store_evict().
 */
void
metrics_store_set_limits (MetricsStore *self, guint64 series_limit, guint64 memory_limit)
{
  g_return_if_fail (METRICS_IS_STORE (self));

  self->series_limit = series_limit;
  self->memory_limit = memory_limit;
  take_memory_limit (self);
}

/**
 * metrics_store_set_journal:
 * @self: a store
 * @journal: (nullable): who is told of every change from now on, in order, as soon as it is done
 *
 * The store keeps a reference. Where @journal keeps one of the store, the cycle is to be broken by setting
 * %NULL. Puts that wait for the one before are refused.
 */
void
metrics_store_set_journal (MetricsStore *self, MetricsJournal *journal)
{
  g_return_if_fail (METRICS_IS_STORE (self));
  g_return_if_fail (journal == NULL || METRICS_IS_JOURNAL (journal));

  /* It knows series by their numbers only, and will ask for them. */
  if (journal != NULL)
    metrics_entry_list_index (&self->entries, &self->usage);
  if (!g_set_object (&self->journal, journal))
    return;
  metrics_store_update_followed (self);
  update_high_water (self);
  metrics_store_refuse_waiting (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JOURNAL]);
}

/**
 * metrics_store_set_chunk_source:
 * @self: a store
 * @source: (nullable): who brings chunks that are on disk alone from now on; what is there already has to be
 *   there with the new one, too
 *
 * The store keeps a reference, as it does of the journal. Only where it has both, chunks leave memory.
 */
void
metrics_store_set_chunk_source (MetricsStore *self, MetricsChunkSource *source)
{
  g_return_if_fail (METRICS_IS_STORE (self));
  g_return_if_fail (source == NULL || METRICS_IS_CHUNK_SOURCE (source));

  if (!g_set_object (&self->chunk_source, source))
    return;
  self->history.source = source;
  update_high_water (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHUNK_SOURCE]);
}

/**
 * metrics_store_get_journal:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): who is told of every change
 */
MetricsJournal *
metrics_store_get_journal (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), NULL);

  return self->journal;
}

/**
 * metrics_store_make_key:
 * @self: a store
 * @bytes: (array length=len): a key
 * @len: its length in bytes
 * @key: (out caller-allocates): what the table takes; it points to @bytes
 */
void
metrics_store_make_key (MetricsStore *self, const char *bytes, gsize len, MetricsKey *key)
{
  *key = (MetricsKey){ .head = { .hash = metrics_hash (&self->seed, bytes, len), .len = len },
                       .bytes = bytes };
}

/**
 * metrics_store_lookup:
 * @self: a store
 * @key: a key of this store
 *
 * Returns: (transfer none) (nullable): its entry, which has points, or %NULL where there is none
 */
MetricsEntry *
metrics_store_lookup (MetricsStore *self, const MetricsKey *key)
{
  return g_hash_table_lookup (self->table, key);
}

/**
 * metrics_store_add:
 * @self: a store
 * @id: see metrics_entry_list_add()
 * @key: a key of this store that it does not have
 *
 * Returns: (transfer none): a new entry without points
 */
MetricsEntry *
metrics_store_add (MetricsStore *self, guint64 id, const MetricsKey *key)
{
  MetricsEntry *entry = metrics_entry_list_add (&self->entries, id, key, &self->usage);

  g_hash_table_add (self->table, entry);
  self->hidden.n_series += entry->head.is_hidden;
  return entry;
}

static gboolean
has_memory (MetricsStore *self, gsize growth)
{
  return self->usage.memory <= self->memory_limit && growth <= self->memory_limit - self->usage.memory;
}

/* Whether there is memory for @growth bytes more; makes some of what was deleted, where that is needed. */
static gboolean
check_memory (MetricsStore *self, gsize growth, GError **error)
{
  gint budget = DRAIN_OF_REFUSED_PUT;
  gint eviction = EVICTION_OF_REFUSED_PUT;
  gboolean can_wait;

  if (G_LIKELY (has_memory (self, growth)))
    return TRUE;
  metrics_history_drain (&self->history, &budget);
  for (guint i = 0; i < COOLED_BY_REFUSED_PUT && !has_memory (self, growth); i++)
    if (!metrics_chunks_cool_oldest (&self->usage))
      break;
  if (has_memory (self, growth))
    return TRUE;
  if (metrics_store_is_cold (self))
    {
      metrics_store_evict (self, metrics_store_get_low_water (self), &eviction);
      self->usage.work += EVICTION_OF_REFUSED_PUT - eviction;
      if (has_memory (self, growth))
        return TRUE;
    }
  can_wait = metrics_store_can_get_room (self);
  self->cold.n_refused += !can_wait;
  g_set_error_literal (error, METRICS_STORE_ERROR,
                       can_wait ? METRICS_STORE_ERROR_NOT_YET : METRICS_STORE_ERROR_MEMORY_LIMIT,
                       "memory limit reached");
  return FALSE;
}

/* What a put does above high water: chunks leave memory, and there has to be room for the point. */
static gboolean
make_room (MetricsStore *self, const MetricsEntry *entry, MetricsPoint point, GError **error)
{
  gint budget = EVICTION_OF_PUT;

  if (metrics_store_is_cold (self) && !self->cold.is_exhausted)
    {
      metrics_store_evict (self, metrics_store_get_low_water (self), &budget);
      self->usage.work += EVICTION_OF_PUT - budget;
    }
  if (metrics_store_is_cold (self) && self->cold.is_exhausted
      && metrics_journal_get_position (self->journal) > self->cold.settled + CHANGES_OF_PRESS)
    metrics_journal_press (self->journal);
  self->usage.is_tight = self->usage.memory > self->memory_safe;
  return !self->usage.is_tight || entry->series.n_points == 0
         || check_memory (self, metrics_series_get_growth (&entry->series, point, &self->usage), error);
}

static MetricsEntry *
add_entry (MetricsStore *self, const MetricsKey *key, GError **error)
{
  MetricsEntry *entry;

  if (metrics_store_get_n_series (self) >= self->series_limit
      && !metrics_key_is_hidden (key->bytes, key->head.len))
    {
      g_set_error_literal (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_SERIES_LIMIT,
                           "series limit reached");
      return NULL;
    }
  if (!check_memory (self,
                     metrics_entry_list_get_growth (&self->entries, key->head.len)
                         + metrics_series_get_first_growth (),
                     error))
    return NULL;

  entry = metrics_store_add (self, self->entries.newest_id + 1, key);
  if (self->journal != NULL)
    metrics_journal_begin (self->journal, entry->id, entry->bytes, entry->head.len);
  return entry;
}

static MetricsEntry *
find_or_add_entry (MetricsStore *self, const char *bytes, gsize len, GError **error)
{
  MetricsKey key;
  MetricsEntry *entry;

  metrics_store_make_key (self, bytes, len, &key);
  entry = metrics_store_lookup (self, &key);
  return entry != NULL ? entry : add_entry (self, &key, error);
}

/* Says that a point was put. */
static void
tell (MetricsStore *self, const MetricsEntry *entry, MetricsPoint point)
{
  if (self->journal != NULL)
    metrics_journal_put (self->journal, entry->id, point);
  if (self->watching.first != NULL)
    metrics_store_tell_watchers (self, entry, point);
}

/**
 * metrics_store_put:
 * @self: a store
 * @key: (array length=key_len): a valid key, see metrics_key_is_valid()
 * @key_len: its length in bytes
 * @point: a point, its value finite
 * @error: return location for a #GError
 *
 * Puts a point. It takes the place of the one that the key has at that time, if there is one.
 *
 * Limits are checked before anything is changed. Where memory is used up, a new value for a point that exists
 * is taken still, unless the point is in a coded chunk that would take more than there is to be opened.
 *
 * Returns: whether the point is stored; else @error is set to an error of #MetricsStoreError, or the
 * journal's. Where it is %METRICS_STORE_ERROR_NOT_YET, a query of %METRICS_QUERY_PUT can wait
 */
gboolean
metrics_store_put (MetricsStore *self, const char *key, gsize key_len, MetricsPoint point, GError **error)
{
  MetricsEntry *entry;

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (key_len > 0 && key_len <= METRICS_KEY_STORED_MAX, FALSE);
  g_return_val_if_fail (isfinite (point.value), FALSE);

  if (G_UNLIKELY (self->journal != NULL) && !metrics_journal_check (self->journal, error))
    return FALSE;
  if (G_UNLIKELY (point.time < self->keeping.safe_from)
      && metrics_keeping_refuses (&self->keeping, key, key_len, point.time, error))
    return FALSE;
  entry = metrics_entry_list_guess (&self->entries, key, key_len);
  if (G_UNLIKELY (entry == NULL))
    entry = find_or_add_entry (self, key, key_len, error);
  if (G_UNLIKELY (entry == NULL))
    return FALSE;
  if (G_UNLIKELY (self->hidden.rollup != NULL)
      && !metrics_rollup_note_put (self->hidden.rollup, entry, point.time, error))
    return FALSE;
  self->usage.is_tight = self->usage.memory > self->memory_high;
  if (G_UNLIKELY (self->usage.is_tight) && !make_room (self, entry, point, error))
    return FALSE;

  if (G_UNLIKELY (!metrics_series_put (&entry->series, point, &self->usage)))
    {
      g_set_error_literal (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET, "not in memory");
      return FALSE;
    }
  self->entries.recent = entry;
  if (G_UNLIKELY (self->is_followed))
    tell (self, entry, point);
  if (G_UNLIKELY (metrics_history_has_trash (&self->history)))
    {
      gint budget = DRAIN_OF_PUT;

      metrics_history_drain (&self->history, &budget);
    }
  return TRUE;
}

/**
 * metrics_store_check_time:
 * @self: a store
 * @key: (array length=key_len): a valid key
 * @key_len: its length in bytes
 * @time: the time of a point
 * @error: return location for a #GError
 *
 * For those who put several points or none: looks at retention without putting anything.
 *
 * Returns: %FALSE where the point is older than that allows: %METRICS_STORE_ERROR_TOO_OLD
 */
gboolean
metrics_store_check_time (MetricsStore *self, const char *key, gsize key_len, gint64 time, GError **error)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);

  return time >= self->keeping.safe_from
         || !metrics_keeping_refuses (&self->keeping, key, key_len, time, error);
}

/**
 * metrics_store_take_work:
 * @self: a store
 *
 * Returns: how many units of work puts have done since it was asked last, besides one each
 */
guint
metrics_store_take_work (MetricsStore *self)
{
  guint work = self->usage.work;

  self->usage.work = 0;
  return work;
}

/**
 * metrics_store_get_n_series:
 * @self: a store
 *
 * Returns: how many keys have points; hidden ones do not count
 */
guint64
metrics_store_get_n_series (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return g_hash_table_size (self->table) - self->hidden.n_series;
}

/**
 * metrics_store_drain:
 * @self: a store
 * @budget: (inout): how many units of work may be done, see metrics_query_next(); what was done is taken off
 *
 * Frees what was deleted and nobody reads any more. Puts and queries do that on their way; this is for a
 * program that has nothing else to do.
 *
 * Returns: whether nothing of that is left
 */
gboolean
metrics_store_drain (MetricsStore *self, gint *budget)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), TRUE);

  return metrics_history_drain (&self->history, budget);
}
