/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-store-private.h"

#include "store/metrics-chunks.h"

/* What queries need of a store, and those who restore it. */

/**
 * metrics_store_get_chunk_source:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): who brings chunks that are not in memory
 */
MetricsChunkSource *
metrics_store_get_chunk_source (MetricsStore *self)
{
  return self->chunk_source;
}

/**
 * metrics_store_get_usage:
 * @self: a store
 *
 * Returns: (transfer none): what it holds; readers count there what they hold
 */
MetricsUsage *
metrics_store_get_usage (MetricsStore *self)
{
  return &self->usage;
}

/**
 * metrics_store_get_history:
 * @self: a store
 *
 * Returns: (transfer none): what was deleted from it
 */
MetricsHistory *
metrics_store_get_history (MetricsStore *self)
{
  return &self->history;
}

/**
 * metrics_store_get_entries:
 * @self: a store
 *
 * Returns: (transfer none): all its entries
 */
MetricsEntryList *
metrics_store_get_entries (MetricsStore *self)
{
  return &self->entries;
}

/**
 * metrics_store_forget:
 * @self: a store
 * @entry: one of its entries, without points
 *
 * The key has no entry any more. The entry itself may be gone afterwards, unless it is pinned.
 */
void
metrics_store_forget (MetricsStore *self, MetricsEntry *entry)
{
  g_assert (entry->series.n_points == 0);

  g_hash_table_remove (self->table, entry);
  self->hidden.n_series -= entry->head.is_hidden;
  entry->head.is_dead = TRUE;
  metrics_cold_forget (&self->cold, entry->id, &self->usage);
  metrics_entry_list_release (&self->entries, entry, &self->usage);
}

/**
 * metrics_store_pin:
 * @self: a store
 * @entry: one of its entries
 *
 * The entry stays in the list until it is unpinned.
 */
void
metrics_store_pin (MetricsStore *self, MetricsEntry *entry)
{
  g_assert (entry->head.n_pins < METRICS_ENTRY_MAX_PINS);

  entry->head.n_pins++;
}

/**
 * metrics_store_unpin:
 * @self: a store
 * @entry: an entry that was pinned
 */
void
metrics_store_unpin (MetricsStore *self, MetricsEntry *entry)
{
  g_assert (entry->head.n_pins > 0);

  entry->head.n_pins--;
  metrics_entry_list_release (&self->entries, entry, &self->usage);
}

/**
 * metrics_store_delete:
 * @self: a store
 * @entry: one of its entries, of which no gap lies in the span in part, see metrics_series_find_cut()
 * @from: the first time that goes
 * @to: the last time that goes
 * @budget: (inout): what was done is taken off
 * @n_deleted: (inout): how many points there were is added
 *
 * Deletes points of one series, all at once; the key as well, where none are left. Memory comes back when the
 * history is drained. The entry may be gone afterwards, unless it is pinned.
 *
 * Returns: whether it is done; else nothing was deleted and the budget is used up: call again
 */
gboolean
metrics_store_delete (MetricsStore *self,
                      MetricsEntry *entry,
                      gint64 from,
                      gint64 to,
                      gint *budget,
                      guint64 *n_deleted)
{
  guint64 n;

  if (entry->head.is_dead || from > to || !metrics_series_has_points (&entry->series, from, to))
    return TRUE;
  if (!metrics_history_make_room (&self->history, entry, from, to, budget))
    return FALSE;
  n = metrics_history_delete (&self->history, entry, from, to, budget);
  *n_deleted += n;
  self->hidden.n_points -= entry->head.is_hidden ? n : 0;
  if (self->journal != NULL)
    metrics_journal_remove (self->journal, entry->id, from, to);
  if (entry->series.n_points == 0)
    metrics_store_forget (self, entry);
  else
    metrics_store_note_stale (self, entry->id, from, to);
  return TRUE;
}
