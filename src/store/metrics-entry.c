/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-entry.h"

#include <string.h>

/* What the table takes for an entry: a pointer and a hash, and at worst more than half of the slots free. */
#define SLOT_SIZE 32

/* And the set of numbers. */
#define SLOT_SIZE_BY_ID SLOT_SIZE

/**
 * metrics_key_hash:
 * @key: (type MetricsKeyHead): a key, or an entry
 *
 * Returns: its hash
 */
guint
metrics_key_hash (gconstpointer key)
{
  return ((const MetricsKeyHead *) key)->hash;
}

static const char *
get_bytes (const MetricsKeyHead *head)
{
  return head->is_entry ? ((const MetricsEntry *) head)->bytes : ((const MetricsKey *) head)->bytes;
}

/**
 * metrics_key_equal:
 * @a: (type MetricsKeyHead): a key, or an entry
 * @b: (type MetricsKeyHead): another one
 *
 * Returns: whether they are the same bytes
 */
gboolean
metrics_key_equal (gconstpointer a, gconstpointer b)
{
  const MetricsKeyHead *key_a = a;
  const MetricsKeyHead *key_b = b;

  return key_a->len == key_b->len
         && metrics_bytes_are_equal (get_bytes (key_a), get_bytes (key_b), key_a->len);
}

/**
 * metrics_entry_list_get_growth:
 * @self: a list
 * @key_len: the length of a key in bytes
 *
 * Returns: how many bytes of memory an entry takes, and its places in tables; without its points
 */
gsize
metrics_entry_list_get_growth (const MetricsEntryList *self, gsize key_len)
{
  return metrics_memory_of (sizeof (MetricsEntry) + key_len) + SLOT_SIZE
         + (self->by_id != NULL ? SLOT_SIZE_BY_ID : 0);
}

/**
 * metrics_entry_list_add:
 * @self: a list
 * @id: a number that no entry has; where it is not the largest, the list has to be sorted afterwards
 * @key: the key; its bytes are copied
 * @usage: where the memory is counted
 *
 * Returns: (transfer none): a new entry without points at the end of the list
 */
MetricsEntry *
metrics_entry_list_add (MetricsEntryList *self, guint64 id, const MetricsKey *key, MetricsUsage *usage)
{
  MetricsEntry *entry = g_malloc0 (sizeof (MetricsEntry) + key->head.len);

  memcpy (entry->bytes, key->bytes, key->head.len);
  entry->head.hash = key->head.hash;
  entry->head.len = key->head.len;
  entry->head.is_entry = TRUE;
  entry->head.is_hidden = metrics_key_is_hidden (key->bytes, key->head.len);
  entry->id = id;
  self->newest_id = MAX (self->newest_id, id);
  entry->previous = self->last;
  if (self->last != NULL)
    self->last->next = entry;
  else
    self->first = entry;
  self->last = entry;
  if (self->by_id != NULL)
    g_hash_table_add (self->by_id, &entry->id);
  usage->memory += metrics_entry_list_get_growth (self, key->head.len);
  return entry;
}

static void
free_entry (MetricsEntryList *self, MetricsEntry *entry, MetricsUsage *usage)
{
  metrics_series_drop (&entry->series, G_MAXUINT, usage);
  usage->memory -= metrics_entry_list_get_growth (self, entry->head.len);
  if (self->by_id != NULL)
    g_hash_table_remove (self->by_id, &entry->id);
  g_free (entry);
}

/**
 * metrics_entry_list_index:
 * @self: a list
 * @usage: where the memory is counted
 *
 * From now on entries can be found by number.
 */
void
metrics_entry_list_index (MetricsEntryList *self, MetricsUsage *usage)
{
  if (self->by_id != NULL)
    return;
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (MetricsEntry *entry = self->first; entry != NULL; entry = entry->next)
    {
      g_hash_table_add (self->by_id, &entry->id);
      usage->memory += SLOT_SIZE_BY_ID;
    }
}

/**
 * metrics_entry_list_find:
 * @self: a list that was indexed
 * @id: a number
 *
 * Returns: (transfer none) (nullable): the entry that has that number and is not dead
 */
MetricsEntry *
metrics_entry_list_find (const MetricsEntryList *self, guint64 id)
{
  const char *found = g_hash_table_lookup (self->by_id, &id);
  MetricsEntry *entry;

  if (found == NULL)
    return NULL;
  entry = (MetricsEntry *) (found - G_STRUCT_OFFSET (MetricsEntry, id));
  return entry->head.is_dead ? NULL : entry;
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  guint64 id_a = (*(MetricsEntry *const *) a)->id;
  guint64 id_b = (*(MetricsEntry *const *) b)->id;

  return (id_a > id_b) - (id_a < id_b);
}

/**
 * metrics_entry_list_sort:
 * @self: a list on whose entries no query stands
 *
 * Puts the entries in the order of their numbers.
 */
void
metrics_entry_list_sort (MetricsEntryList *self)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();

  for (MetricsEntry *entry = self->first; entry != NULL; entry = entry->next)
    g_ptr_array_add (entries, entry);
  g_ptr_array_sort (entries, compare_ids);

  self->first = self->last = NULL;
  for (guint i = 0; i < entries->len; i++)
    {
      MetricsEntry *entry = g_ptr_array_index (entries, i);

      entry->previous = self->last;
      entry->next = NULL;
      *(self->last != NULL ? &self->last->next : &self->first) = entry;
      self->last = entry;
    }
}

/**
 * metrics_entry_list_release:
 * @self: a list
 * @entry: one of its entries
 * @usage: where the memory is counted
 *
 * Frees the entry, if it is dead and nobody needs it any longer.
 */
void
metrics_entry_list_release (MetricsEntryList *self, MetricsEntry *entry, MetricsUsage *usage)
{
  if (!entry->head.is_dead || entry->head.n_pins > 0 || entry->images != NULL)
    return;

  if (self->recent == entry)
    self->recent = NULL;
  if (self->hand == entry)
    self->hand = entry->next;
  if (entry->previous != NULL)
    entry->previous->next = entry->next;
  else
    self->first = entry->next;
  if (entry->next != NULL)
    entry->next->previous = entry->previous;
  else
    self->last = entry->previous;
  free_entry (self, entry, usage);
}

/**
 * metrics_entry_list_clear:
 * @self: a list on whose entries no query stands
 * @usage: where the memory is counted
 *
 * Frees all entries.
 */
void
metrics_entry_list_clear (MetricsEntryList *self, MetricsUsage *usage)
{
  while (self->first != NULL)
    {
      MetricsEntry *entry = self->first;

      self->first = entry->next;
      free_entry (self, entry, usage);
    }
  self->last = self->recent = self->hand = NULL;
  g_clear_pointer (&self->by_id, g_hash_table_unref);
}
