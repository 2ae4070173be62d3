/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-scan.h"
#include "store/metrics-series.h"

G_BEGIN_DECLS

typedef struct _MetricsEntry MetricsEntry;
typedef struct _MetricsImage MetricsImage;

/* Some bytes and their hash: what the table of a store compares. */
typedef struct
{
  const char *bytes; /* (unowned) (array length=len) */
  guint32 len;
  guint32 hash;
} MetricsKey;

/**
 * MetricsEntry:
 * @key: the key; its bytes are those at the end. First, for the table takes an entry for its key
 * @previous: (unowned) (nullable): the entry before it, in the order of the first put
 * @next: (unowned) (nullable): the one behind it
 * @images: (unowned) (nullable): what it was before points of it were deleted, oldest first; for queries that
 *   began earlier
 * @id: numbers grow along the list
 * @series: the points; none only where the entry is dead
 * @n_pins: how many queries stand on it
 * @dead: whether it was removed from the table; it stays in the list for as long as a query stands on it or
 *   it has an image
 * @bytes: (array): the key
 *
 * The place of one key in a store.
 */
struct _MetricsEntry
{
  MetricsKey key;
  MetricsEntry *previous;
  MetricsEntry *next;
  MetricsImage *images;
  guint64 id;
  MetricsSeries series;
  guint n_pins;
  gboolean dead;
  char bytes[];
};

/* All entries of a store, in the order in which their keys were first put. */
typedef struct
{
  MetricsEntry *first;  /* (owned) (nullable) */
  MetricsEntry *last;   /* (owned) (nullable) */
  MetricsEntry *recent; /* (unowned) (nullable): that was put to last, see metrics_entry_list_guess() */
  guint64 newest_id;    /* of the entry that was added last; 0 where there was none */
} MetricsEntryList;

gsize metrics_entry_get_size (gsize key_len);
guint metrics_key_hash (gconstpointer key);
gboolean metrics_key_equal (gconstpointer a, gconstpointer b);

MetricsEntry *metrics_entry_list_add (MetricsEntryList *self, const MetricsKey *key, MetricsUsage *usage);
void metrics_entry_list_release (MetricsEntryList *self, MetricsEntry *entry, MetricsUsage *usage);
void metrics_entry_list_clear (MetricsEntryList *self, MetricsUsage *usage);

/* Whether an entry is in the table under a key. */
static inline gboolean
metrics_entry_has_key (const MetricsEntry *self, const char *bytes, gsize len)
{
  return self->key.len == len && !self->dead && metrics_bytes_are_equal (self->bytes, bytes, len);
}

/* Who measures sends its series in the same order, time after time, and who imports sends each of them as a
 * whole: so the next put is mostly for the entry behind that of the last one, or for the same. Looking at
 * these two is quicker than to hash the key and to probe the table. NULL says nothing. */
static inline MetricsEntry *
metrics_entry_list_guess (const MetricsEntryList *self, const char *bytes, gsize len)
{
  MetricsEntry *recent = self->recent;
  MetricsEntry *next;

  if (recent == NULL)
    return NULL;
  next = recent->next != NULL ? recent->next : self->first;
  if (metrics_entry_has_key (next, bytes, len))
    return next;
  return metrics_entry_has_key (recent, bytes, len) ? recent : NULL;
}

G_END_DECLS
