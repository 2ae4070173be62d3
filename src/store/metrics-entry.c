/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-entry.h"

#include <string.h>

/* What the table takes for an entry: a pointer and a hash, and at worst more than half of the slots free. */
#define SLOT_SIZE 32

/**
 * metrics_entry_get_size:
 * @key_len: the length of its key in bytes
 *
 * Returns: how many bytes of memory an entry takes, and its place in the table; without its points
 */
gsize
metrics_entry_get_size (gsize key_len)
{
  return metrics_memory_of (sizeof (MetricsEntry) + key_len) + SLOT_SIZE;
}

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
 * metrics_entry_list_add:
 * @self: a list
 * @key: the key; its bytes are copied
 * @usage: where the memory is counted
 *
 * Returns: (transfer none): a new entry without points at the end of the list
 */
MetricsEntry *
metrics_entry_list_add (MetricsEntryList *self, const MetricsKey *key, MetricsUsage *usage)
{
  MetricsEntry *entry = g_malloc0 (sizeof (MetricsEntry) + key->head.len);

  memcpy (entry->bytes, key->bytes, key->head.len);
  entry->head.hash = key->head.hash;
  entry->head.len = key->head.len;
  entry->head.is_entry = TRUE;
  entry->id = ++self->newest_id;
  entry->previous = self->last;
  if (self->last != NULL)
    self->last->next = entry;
  else
    self->first = entry;
  self->last = entry;
  usage->memory += metrics_entry_get_size (key->head.len);
  return entry;
}

static void
entry_free (MetricsEntry *entry, MetricsUsage *usage)
{
  metrics_series_drop (&entry->series, G_MAXUINT, usage);
  usage->memory -= metrics_entry_get_size (entry->head.len);
  g_free (entry);
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
  if (entry->previous != NULL)
    entry->previous->next = entry->next;
  else
    self->first = entry->next;
  if (entry->next != NULL)
    entry->next->previous = entry->previous;
  else
    self->last = entry->previous;
  entry_free (entry, usage);
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
      entry_free (entry, usage);
    }
  self->last = self->recent = NULL;
}
