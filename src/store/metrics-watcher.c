/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-watcher.h"

#include "common/metrics-pattern.h"
#include "store/metrics-store-private.h"

#include <string.h>

/* Who wants to know of points when they are put.
 *
 * A put asks each watcher whether it watches the series, by the series' number: the answer is remembered in a
 * table of a fixed place for each number, in which a later series may take the place of an earlier one. So
 * patterns are matched at the first put of a series, and again only after that. The table is small for who
 * has few series, and has an end for who has many; nothing has to be told of series that go, since no other
 * ever gets their number.
 *
 * What is watched is what a query would show: a point is told when the store has it, whether it is on disk or
 * not. */

#define SMALLEST_TABLE 64

/* Places of a table. The largest is for a watcher of most series of a large server, and had only while the
 * store uses less than half of its memory: there may be many watchers. */
#define LARGE_TABLE 16384
#define LARGEST_TABLE 131072

/* The same as METRICS_WATCHER_MAX_COST, of all watchers: a put to a new series does all of that at once. */
#define MAX_COST_OF_ALL (4 << 20)

/* Who has left so large a part of its queue untaken is told again, before points are lost. */
#define PART_THAT_PRESSES 4

/* What part of the memory limit there is for points that were not taken yet, of all watchers: else those who
 * do not read would have puts refused. Half of it is for whoever comes first, the other half in equal shares
 * for those who have less: else those who read would get nothing beside those who do not. */
#define PART_OF_MEMORY 16

/* Matching costs this many steps for what a point costs otherwise: see metrics-query.c. And this many
 * watchers are asked for the same. */
#define MATCHING_A_UNIT 64
#define WATCHERS_A_UNIT 8

/**
 * MetricsWatcher:
 *
 * One who watches: what, and which points it has not taken yet.
 */
struct _MetricsWatcher
{
  MetricsStore *store;      /* (owned) */
  MetricsWatcher *previous; /* (unowned) (nullable): of all of the store */
  MetricsWatcher *next;     /* (unowned) (nullable) */
  MetricsWatcherFunc func;
  gpointer user_data; /* (unowned) */

  GPtrArray *patterns; /* (owned) (element-type MetricsPattern): any of which has to match */
  gsize cost;          /* of matching the longest key */
  guint64 *table;      /* (owned) (array length=table_size): a series' number * 2 + whether it is watched; 0
                          where there is none */
  gsize table_size;    /* a power of two */
  gsize n_displaced;   /* how many series had to make place for others since the table grew last */

  MetricsWatchQueue queue;
  gsize n_kept; /* how many bytes its owner keeps of what was taken */
  guint64 n_dropped;
  gboolean is_awake;   /* whether it was told that there is something, and has not taken all */
  gboolean is_pressed; /* whether it was told since that it is much */
  gboolean is_stopped; /* whether nothing more comes */
};

static void
set_table (MetricsWatcher *self, gsize size)
{
  g_autofree guint64 *old = g_steal_pointer (&self->table);

  self->table = g_new0 (guint64, size);
  for (gsize i = 0; old != NULL && i < self->table_size; i++)
    if (old[i] != 0)
      self->table[(old[i] >> 1) & (size - 1)] = old[i];
  self->store->usage.memory += (size - self->table_size) * sizeof *self->table;
  self->table_size = size;
  self->n_displaced = 0;
}

/**
 * metrics_watcher_new:
 * @store: a store
 * @queue_limit: how many bytes points may take that were not taken yet, with their keys; at least
 *   %METRICS_WATCH_QUEUE_MIN. It is counted in the store's memory, as all of a watcher, and it is less where
 *   the store has no more
 * @func: what to call when there is something to be taken, and was not before
 * @user_data: what to call it with
 *
 * Returns: (transfer full): a watcher of nothing. It keeps the store
 */
MetricsWatcher *
metrics_watcher_new (MetricsStore *store, gsize queue_limit, MetricsWatcherFunc func, gpointer user_data)
{
  MetricsWatcher *self;

  g_return_val_if_fail (METRICS_IS_STORE (store), NULL);
  g_return_val_if_fail (queue_limit >= METRICS_WATCH_QUEUE_MIN, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  self = g_new0 (MetricsWatcher, 1);
  self->store = g_object_ref (store);
  self->func = func;
  self->user_data = user_data;
  self->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_pattern_free);
  self->queue.limit = queue_limit;
  store->usage.memory += metrics_memory_of (sizeof *self);
  set_table (self, SMALLEST_TABLE);
  self->next = store->watching.first;
  if (self->next != NULL)
    self->next->previous = self;
  store->watching.first = self;
  store->watching.n++;
  metrics_store_update_followed (store);
  return self;
}

static void
clear_queue (MetricsWatcher *self)
{
  self->store->watching.memory -= self->queue.size;
  metrics_watch_queue_clear (&self->queue, &self->store->usage);
}

/**
 * metrics_watcher_stop:
 * @self: a watcher
 *
 * Watches nothing any more, for good; what was put before can still be taken.
 */
void
metrics_watcher_stop (MetricsWatcher *self)
{
  MetricsWatching *watching = &self->store->watching;

  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    watching->first = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  watching->n--;
  watching->cost -= self->cost;
  metrics_store_update_followed (self->store);
}

/**
 * metrics_watcher_free:
 * @self: (transfer full) (nullable): a watcher
 *
 * Watches no more; points that were not taken are dropped.
 */
void
metrics_watcher_free (MetricsWatcher *self)
{
  if (self == NULL)
    return;
  metrics_watcher_stop (self);
  clear_queue (self);
  metrics_watcher_keep (self, 0);
  self->store->usage.memory -= metrics_memory_of (sizeof *self) + self->table_size * sizeof *self->table;
  g_free (self->table);
  g_ptr_array_unref (self->patterns);
  g_object_unref (self->store);
  g_free (self);
}

/**
 * metrics_watcher_add:
 * @self: a watcher that was not stopped
 * @pattern: (array length=len): a valid pattern, see metrics_pattern_is_valid()
 * @len: its length in bytes
 * @error: return location for a #GError
 *
 * Watches the keys that match the pattern, too, from the next put on. A point whose key matches several
 * patterns is there once, and a pattern that is there already changes nothing.
 *
 * Returns: whether it does; else @error is set to %METRICS_STORE_ERROR_WATCH_LIMIT
 */
gboolean
metrics_watcher_add (MetricsWatcher *self, const char *pattern, gsize len, GError **error)
{
  g_autoptr (MetricsPattern) made = metrics_pattern_new (pattern, len);
  gsize cost = metrics_pattern_get_cost (made, METRICS_KEY_MAX);

  if (g_ptr_array_find_with_equal_func (self->patterns, made, (GEqualFunc) metrics_pattern_equal, NULL))
    return TRUE;
  if (cost > METRICS_WATCHER_MAX_COST - self->cost || cost > MAX_COST_OF_ALL - self->store->watching.cost)
    {
      g_set_error_literal (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_WATCH_LIMIT,
                           "limit of watched patterns reached");
      return FALSE;
    }
  self->cost += cost;
  self->store->watching.cost += cost;
  g_ptr_array_add (self->patterns, g_steal_pointer (&made));
  memset (self->table, 0, self->table_size * sizeof *self->table);
  return TRUE;
}

/**
 * metrics_watcher_take:
 * @self: a watcher
 * @row: (out caller-allocates): the oldest point that was not taken yet; its key stays until this is called
 *   again, or something is put
 *
 * Returns: whether there was one; where not, the function is called again at the next
 */
gboolean
metrics_watcher_take (MetricsWatcher *self, MetricsWatchRow *row)
{
  if (metrics_watch_queue_pop (&self->queue, row))
    return TRUE;
  self->is_awake = self->is_pressed = FALSE;
  /* Who takes little at a time would have it grow again each time. */
  if (self->queue.size > METRICS_WATCH_QUEUE_MIN)
    clear_queue (self);
  return FALSE;
}

/**
 * metrics_watcher_take_n_dropped:
 * @self: a watcher
 *
 * Returns: how many points there was no room for, since it was asked last: older ones than those that are
 *   there. Where it is not 0, the function was called
 */
guint64
metrics_watcher_take_n_dropped (MetricsWatcher *self)
{
  guint64 n = self->n_dropped;

  self->n_dropped = 0;
  return n;
}

static gboolean
has_room (const MetricsStore *store, gsize growth, guint64 part)
{
  return store->usage.memory + growth <= store->memory_limit
         && store->watching.memory + growth <= store->memory_limit / part;
}

/**
 * metrics_watcher_keep:
 * @self: a watcher
 * @n_bytes: how many bytes whoever owns it keeps now, in all, of the points that were taken
 *
 * Has them counted as the store's memory, like those that were not taken yet. They have half of the room: the
 * other half is for these alone.
 *
 * Returns: whether there is room for them; where there is not, less has to be kept, and what was counted
 *   before is counted still
 */
gboolean
metrics_watcher_keep (MetricsWatcher *self, gsize n_bytes)
{
  MetricsStore *store = self->store;

  if (n_bytes > self->n_kept && !has_room (store, n_bytes - self->n_kept, 2 * PART_OF_MEMORY))
    return FALSE;
  store->usage.memory += n_bytes - self->n_kept;
  store->watching.memory += n_bytes - self->n_kept;
  self->n_kept = n_bytes;
  return TRUE;
}

static gboolean
matches (MetricsWatcher *self, const MetricsEntry *entry)
{
  for (guint i = 0; i < self->patterns->len; i++)
    {
      const MetricsPattern *pattern = self->patterns->pdata[i];

      self->store->usage.work += metrics_pattern_get_cost (pattern, entry->head.len) / MATCHING_A_UNIT;
      if (metrics_pattern_matches (pattern, entry->bytes, entry->head.len))
        return TRUE;
    }
  return FALSE;
}

static gboolean
may_have_larger_table (const MetricsWatcher *self)
{
  const MetricsStore *store = self->store;

  return self->table_size < LARGE_TABLE
         || (self->table_size < LARGEST_TABLE
             && store->usage.memory + self->table_size * sizeof *self->table < store->memory_limit / 2);
}

/* A series that is not in its place: matches it. Not inlined, nor is what follows, so that a put that nobody
 * wants to know of saves no registers for it. */
G_GNUC_NO_INLINE static gboolean
learn (MetricsWatcher *self, const MetricsEntry *entry)
{
  guint64 *place = &self->table[entry->id & (self->table_size - 1)];
  gboolean is_watched = matches (self, entry);

  if (*place != 0 && ++self->n_displaced > self->table_size / 4 && may_have_larger_table (self))
    {
      set_table (self, self->table_size * 2);
      place = &self->table[entry->id & (self->table_size - 1)];
    }
  *place = entry->id << 1 | is_watched;
  return is_watched;
}

static inline gboolean
watches (MetricsWatcher *self, const MetricsEntry *entry)
{
  guint64 known = self->table[entry->id & (self->table_size - 1)];

  return G_LIKELY (known >> 1 == entry->id) ? (known & 1) != 0 : learn (self, entry);
}

/* Says that there is something, and once more when it has become much. */
static void
wake (MetricsWatcher *self, gboolean presses)
{
  if (self->is_awake && (!presses || self->is_pressed))
    return;
  self->is_pressed = self->is_awake;
  self->is_awake = TRUE;
  self->func (self, self->user_data);
}

/* Whether it may have that much more for points. */
static gboolean
can_grow (const MetricsWatcher *self, gsize growth)
{
  const MetricsStore *store = self->store;
  gsize half = store->memory_limit / PART_OF_MEMORY / 2;
  gsize total = store->watching.memory + growth;

  return has_room (store, growth, PART_OF_MEMORY)
         && (total <= half || self->queue.size + growth <= half / store->watching.n);
}

/* The newest is there in any case that is not extreme: the oldest go for it. */
G_GNUC_NO_INLINE static void
push (MetricsWatcher *self, const MetricsEntry *entry, MetricsPoint point)
{
  const MetricsWatchRow row = { .key = entry->bytes, .key_len = entry->head.len, .point = point };
  MetricsStore *store = self->store;
  MetricsWatchRow oldest;
  gboolean presses = FALSE;
  gsize growth;

  while ((growth = metrics_watch_queue_get_growth (&self->queue, row.key_len)) > 0 && can_grow (self, growth))
    {
      metrics_watch_queue_grow (&self->queue, &store->usage);
      store->watching.memory += growth;
      presses = self->queue.size > self->queue.limit / PART_THAT_PRESSES;
    }
  while (!metrics_watch_queue_push (&self->queue, &row))
    {
      presses = TRUE;
      self->n_dropped++;
      store->watching.n_dropped++;
      if (!metrics_watch_queue_pop (&self->queue, &oldest))
        break;
    }
  wake (self, presses);
}

/**
 * metrics_store_update_followed:
 * @self: a store
 *
 * To be called when its journal was set, or one who watches came or went.
 */
void
metrics_store_update_followed (MetricsStore *self)
{
  self->is_followed = self->journal != NULL || self->watching.first != NULL;
}

/**
 * metrics_store_tell_watchers:
 * @self: a store
 * @entry: one of its entries
 * @point: a point that it has now
 *
 * Says that a point was put. What the store keeps for itself, nobody watches.
 */
void
metrics_store_tell_watchers (MetricsStore *self, const MetricsEntry *entry, MetricsPoint point)
{
  if (entry->head.is_hidden)
    return;
  self->usage.work += self->watching.n / WATCHERS_A_UNIT;
  for (MetricsWatcher *watcher = self->watching.first; watcher != NULL; watcher = watcher->next)
    if (watches (watcher, entry))
      push (watcher, entry, point);
}

/**
 * metrics_store_get_n_watchers:
 * @self: a store
 *
 * Returns: how many watch it
 */
guint
metrics_store_get_n_watchers (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return self->watching.n;
}

/**
 * metrics_store_get_n_dropped:
 * @self: a store
 *
 * Returns: how many points those who watched it have not taken in time, and lost
 */
guint64
metrics_store_get_n_dropped (MetricsStore *self)
{
  g_return_val_if_fail (METRICS_IS_STORE (self), 0);

  return self->watching.n_dropped;
}
