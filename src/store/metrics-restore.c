/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-restore.h"

#include "common/metrics-key.h"
#include "store/metrics-gap.h"
#include "store/metrics-store-private.h"

#include <math.h>

/* A store is made again from what was kept of it: chunks, which were taken by metrics_store_snapshot() at one
 * time or another, and the changes since a time before the first of them. The chunks themselves need not be
 * read: a gap stands for those of a series, and only what changes are done to is loaded.
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
  g_clear_pointer (&self->data, g_bytes_unref);
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
  /* The points can be on disk. Whatever checkpoint is complete first has all that is restored. */
  if (entry->series.n_points > 0)
    metrics_cold_add_stale (&self->cold, entry->id, from, to, 0, usage);
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
  if (!metrics_key_is_storable (key, key_len))
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
 * metrics_store_restore_gap:
 * @self: a store that is being restored
 * @id: the number of a series that was just restored
 * @n_points: how many points its chunks on disk have; it can be 0
 * @first: the time of the first of them
 * @last: and of the last
 * @error: return location for a #GError
 *
 * Says what there is of a series on disk, in place of metrics_store_restore_chunk() for all chunks. A series
 * that gave way to one of a larger number is left out.
 *
 * Returns: whether that can be so; else @error is set to %METRICS_STORE_ERROR_DAMAGED and nothing is changed
 */
gboolean
metrics_store_restore_gap (MetricsStore *self,
                           guint64 id,
                           guint64 n_points,
                           gint64 first,
                           gint64 last,
                           GError **error)
{
  MetricsEntry *entry;
  MetricsChunk *gap;

  g_return_val_if_fail (METRICS_IS_STORE (self), FALSE);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, FALSE);

  entry = find_entry (self, id);
  if (entry == NULL || n_points == 0)
    return TRUE;
  if (first > last || n_points - 1 > (guint64) last - (guint64) first)
    return set_damaged (error, "the span of a series is not valid");
  gap = metrics_chunk_new_gap (first, last, n_points);
  if (metrics_series_add_chunk (&entry->series, gap, metrics_store_get_usage (self)))
    return TRUE;
  metrics_chunk_unref (gap);
  return set_damaged (error, "a series has other points");
}

/**
 * metrics_store_restore_put:
 * @self: a store that is being restored
 * @id: the number of a series
 * @point: a point
 * @request: (out caller-allocates): where it is %METRICS_RESTORE_COLD, what has to be loaded: the answer is
 * to be given to metrics_store_restore_split(), and then it has to be tried again
 *
 * Does what was once told to #MetricsJournal.put.
 *
 * Returns: what became of it
 */
MetricsRestoreResult
metrics_store_restore_put (MetricsStore *self, guint64 id, MetricsPoint point, MetricsChunkRequest *request)
{
  MetricsEntry *entry;

  g_return_val_if_fail (METRICS_IS_STORE (self), METRICS_RESTORE_NO_SERIES);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, METRICS_RESTORE_NO_SERIES);

  entry = find_entry (self, id);
  if (entry == NULL || !isfinite (point.value))
    return METRICS_RESTORE_NO_SERIES;
  if (metrics_series_put (&entry->series, point, metrics_store_get_usage (self)))
    return METRICS_RESTORE_DONE;
  metrics_gap_ask (metrics_series_find_gap (&entry->series, point.time), id, point.time, request);
  return METRICS_RESTORE_COLD;
}

/**
 * metrics_store_restore_remove:
 * @self: a store that is being restored
 * @id: the number of a series
 * @from: the first time that goes
 * @to: the last time that goes
 * @request: (out caller-allocates): as for metrics_store_restore_put(); it can be wanted twice
 *
 * Does what was once told to #MetricsJournal.remove.
 *
 * Returns: what became of it
 */
MetricsRestoreResult
metrics_store_restore_remove (MetricsStore *self,
                              guint64 id,
                              gint64 from,
                              gint64 to,
                              MetricsChunkRequest *request)
{
  MetricsEntry *entry;
  MetricsChunk *gap;
  gint64 at;

  g_return_val_if_fail (METRICS_IS_STORE (self), METRICS_RESTORE_NO_SERIES);
  g_return_val_if_fail (metrics_store_get_journal (self) == NULL, METRICS_RESTORE_NO_SERIES);

  entry = find_entry (self, id);
  if (entry == NULL)
    return METRICS_RESTORE_NO_SERIES;
  gap = metrics_series_find_cut (&entry->series, from, to, &at);
  if (gap != NULL)
    {
      metrics_gap_ask (gap, id, at, request);
      return METRICS_RESTORE_COLD;
    }
  remove_points (self, entry, from, to);
  return METRICS_RESTORE_DONE;
}

/**
 * metrics_store_restore_split:
 * @self: a store that is being restored
 * @request: what had to be loaded
 * @answer: what there was
 *
 * Loads it. What is damaged is not there any more.
 */
void
metrics_store_restore_split (MetricsStore *self,
                             const MetricsChunkRequest *request,
                             const MetricsChunkAnswer *answer)
{
  MetricsEntry *entry;
  MetricsChunk *gap;

  g_return_if_fail (METRICS_IS_STORE (self));
  g_return_if_fail (metrics_store_get_journal (self) == NULL);

  entry = find_entry (self, request->id);
  gap = entry != NULL ? metrics_series_find_gap (&entry->series, request->from) : NULL;
  if (gap != NULL)
    metrics_store_split (self, entry, gap, request->from, answer);
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
      if (entry->head.is_hidden)
        metrics_store_get_hidden (self)->n_points += entry->series.n_points;
      if (entry->series.n_points == 0)
        metrics_store_forget (self, entry);
    }
  if (!is_sorted)
    metrics_entry_list_sort (entries);
  entries->newest_id = MAX (entries->newest_id, newest_id);
  metrics_store_take_work (self);
}
