/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-restore.h"

#include "common/metrics-key.h"
#include "store/metrics-store-private.h"

#include <math.h>

/* A store is made again from what was kept of it: chunks, which were taken by metrics_store_snapshot() at one
 * time or another, and the changes since a time before the first of them.
 *
 * Some changes are therefore done to chunks that know of them, or of later ones. That ends well nevertheless:
 * for each time of a series the last change decides, and it is among them, or none is and the chunk has what
 * there was. In between, a series can be without points and get others; so it is dropped only at the end. And
 * a key can have a series already which began later than the one that a change speaks of: that one has no
 * points in the end, and is left out.
 *
 * Limits do not count: what was stored is there again, even if nothing more can be put then. */

/**
 * metrics_stored_chunk_free:
 * @self: (transfer full): a chunk
 */
void
metrics_stored_chunk_free (MetricsStoredChunk *self)
{
  g_bytes_unref (self->data);
  g_free (self);
}

static gboolean
set_damaged (GError **error, const char *what)
{
  g_set_error_literal (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_DAMAGED, what);
  return FALSE;
}

/* Finds a series by its number. */
static MetricsEntry *
find_entry (MetricsStore *self, guint64 id)
{
  MetricsEntryList *entries = metrics_store_get_entries (self);

  metrics_entry_list_index (entries, metrics_store_get_usage (self));
  return metrics_entry_list_find (entries, id);
}

static void
remove_points (MetricsStore *self, MetricsEntry *entry, gint64 from, gint64 to)
{
  MetricsUsage *usage = metrics_store_get_usage (self);
  MetricsSeries removed = { 0 };

  if (entry->series.n_points == 0 || from > to || !metrics_series_has_points (&entry->series, from, to))
    return;
  metrics_series_remove (&entry->series, from, to, &removed, usage);
  metrics_series_drop (&removed, G_MAXUINT, usage);
}

/**
 * metrics_store_restore_series:
 * @self: a store without a journal, that nobody else uses until metrics_store_restore_finish()
 * @id: the number of a series
 * @key: (array length=key_len): its key
 * @key_len: its length in bytes
 * @error: return location for a #GError
 *
 * Makes a series, in any order. Where it is there already, or the key has one of a larger number, that is
 * fine and nothing is done; one of a smaller number, which has to have been removed before, gives way.
 *
 * Returns: whether that can be so; else @error is set to %METRICS_STORE_ERROR_DAMAGED
 */
gboolean
metrics_store_restore_series (MetricsStore *self, guint64 id, const char *key, gsize key_len, GError **error)
{
  MetricsEntry *entry;
  MetricsKey table_key;

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, FALSE);

  if (id == 0 || id > G_MAXINT64)
    return set_damaged (error, "the number of a series is not valid");
  if (!metrics_key_is_valid (key, key_len))
    return set_damaged (error, "the key of a series is not valid");
  entry = find_entry (self, id);
  if (entry != NULL)
    return metrics_entry_is_of (entry, key, key_len)
           || set_damaged (error, "two series have the same number");

  metrics_store_make_key (self, key, key_len, &table_key);
  entry = metrics_store_lookup (self, &table_key);
  if (entry != NULL && entry->id > id)
    return TRUE;
  if (entry != NULL)
    {
      remove_points (self, entry, G_MININT64, G_MAXINT64);
      metrics_store_forget (self, entry);
    }
  metrics_store_add (self, id, &table_key);
  return TRUE;
}

/**
 * metrics_store_restore_chunk:
 * @self: a store that is being restored
 * @id: the number of a series
 * @data: the code of a chunk
 * @error: return location for a #GError
 *
 * Adds a chunk to a series, behind the chunks that it has; before any change is done to it.
 *
 * Returns: whether the chunk is there; else @error is set to %METRICS_STORE_ERROR_DAMAGED and nothing is
 * changed
 */
gboolean
metrics_store_restore_chunk (MetricsStore *self, guint64 id, GBytes *data, GError **error)
{
  MetricsEntry *entry;
  MetricsSeries *series;
  MetricsUsage *usage;
  MetricsChunk *chunk;
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, FALSE);

  entry = find_entry (self, id);
  if (entry == NULL)
    return set_damaged (error, "a chunk is of no series");
  chunk = metrics_chunk_load (bytes, size);
  if (chunk == NULL)
    return set_damaged (error, "a chunk cannot be read");

  series = &entry->series;
  usage = metrics_store_get_usage (self);
  if (!metrics_series_add_chunk (series, chunk, usage))
    {
      metrics_chunk_unref (chunk);
      return set_damaged (error, "a chunk is not behind the one before");
    }
  return TRUE;
}

/**
 * metrics_store_restore_put:
 * @self: a store that is being restored
 * @id: the number of a series
 * @point: a point
 *
 * Does what was once told to #MetricsJournal.put.
 *
 * Returns: whether it was done; %FALSE where there is no such series (any more), or the value is not finite
 */
gboolean
metrics_store_restore_put (MetricsStore *self, guint64 id, MetricsPoint point)
{
  MetricsEntry *entry;

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, FALSE);

  entry = find_entry (self, id);
  if (entry == NULL || !isfinite (point.value))
    return FALSE;
  metrics_series_put (&entry->series, point, metrics_store_get_usage (self));
  return TRUE;
}

/**
 * metrics_store_restore_remove:
 * @self: a store that is being restored
 * @id: the number of a series
 * @from: the first time that goes
 * @to: the last time that goes
 *
 * Does what was once told to #MetricsJournal.remove.
 *
 * Returns: whether it was done; %FALSE where there is no such series (any more)
 */
gboolean
metrics_store_restore_remove (MetricsStore *self, guint64 id, gint64 from, gint64 to)
{
  MetricsEntry *entry;

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, FALSE);

  entry = find_entry (self, id);
  if (entry == NULL)
    return FALSE;
  remove_points (self, entry, from, to);
  return TRUE;
}

/**
 * metrics_store_restore_finish:
 * @self: a store that is being restored
 * @newest_id: the largest number that a series ever had, as far as that is known
 *
 * Drops series without points. Afterwards the store can be used; new series have numbers that are larger than
 * @newest_id and all that were restored.
 */
void
metrics_store_restore_finish (MetricsStore *self, guint64 newest_id)
{
  MetricsEntryList *entries;
  MetricsEntry *next;
  guint64 last_id = 0;
  gboolean is_sorted = TRUE;

  g_return_if_fail (METRICS_IS_STORE (self));
  g_return_if_fail (metrics_store_get_journal (self) == NULL);

  entries = metrics_store_get_entries (self);
  for (MetricsEntry *entry = entries->first; entry != NULL; entry = next)
    {
      next = entry->next;
      is_sorted = is_sorted && entry->id > last_id;
      last_id = entry->id;
      if (entry->series.n_points == 0)
        metrics_store_forget (self, entry);
    }
  if (!is_sorted)
    metrics_entry_list_sort (entries);
  entries->newest_id = MAX (entries->newest_id, newest_id);
  metrics_store_take_work (self);
}

static void
add_pieces (MetricsChunk *chunk, GPtrArray *stored)
{
  for (guint i = 0; i < metrics_chunk_get_n_pieces (chunk); i++)
    {
      MetricsStoredChunk *one = g_new (MetricsStoredChunk, 1);
      MetricsChunk *piece = metrics_chunk_get_piece (chunk, i);
      gsize size;
      const guint8 *data = metrics_chunk_get_data (piece, &size);

      one->first = metrics_chunk_get_first_time (piece);
      one->last = metrics_chunk_get_last_time (piece);
      one->n_points = metrics_chunk_get_n_points (piece);
      one->data = g_bytes_new (data, size);
      metrics_chunk_unref (piece);
      g_ptr_array_add (stored, one);
    }
}

/**
 * metrics_store_snapshot:
 * @self: a store that has a journal
 * @id: the number of a series
 * @from: the first time of a span
 * @to: its last time
 *
 * Copies what a series has just now: all chunks that reach into the span, as a whole, in the order of time.
 * Nothing of the store is in them: another thread may have them.
 *
 * Returns: (transfer full) (nullable) (element-type MetricsStoredChunk): the chunks, none where there are no
 *   points; %NULL where there is no such series any more
 */
GPtrArray *
metrics_store_snapshot (MetricsStore *self, guint64 id, gint64 from, gint64 to)
{
  GPtrArray *stored;
  MetricsEntry *entry;
  MetricsUsage *usage;
  g_autoptr (GPtrArray) chunks = g_ptr_array_new ();

  g_return_val_if_fail (METRICS_IS_STORE (self), NULL);

  entry = find_entry (self, id);
  if (entry == NULL)
    return NULL;

  stored = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_stored_chunk_free);
  usage = metrics_store_get_usage (self);
  if (entry->series.n_points > 0 && from <= to)
    metrics_series_collect (&entry->series, from, to, FALSE, chunks, usage);
  for (guint i = 0; i < chunks->len; i++)
    {
      MetricsChunk *chunk = g_ptr_array_index (chunks, i);

      add_pieces (chunk, stored);
      usage->memory -= metrics_chunk_unref (chunk);
    }
  return stored;
}
