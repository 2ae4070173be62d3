/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-key.h"
#include "common/metrics-scan.h"
#include "store/metrics-series.h"

G_BEGIN_DECLS

typedef struct _MetricsEntry MetricsEntry;
typedef struct _MetricsImage MetricsImage;

/* What the table of a store compares: a MetricsKey, which is looked up, or a MetricsEntry, which is in it. */
typedef struct
{
  guint32 hash;        /* of the key */
  guint len : 11;      /* its length in bytes */
  guint is_entry : 1;  /* whether it is the head of an entry */
  guint is_dead : 1;   /* of an entry */
  guint is_hidden : 1; /* of an entry: its key is none of a client */
  guint n_pins : 18;   /* of an entry */
} MetricsKeyHead;

/* How many queries can stand on an entry. */
#define METRICS_ENTRY_MAX_PINS ((1u << 18) - 1)

G_STATIC_ASSERT (METRICS_KEY_STORED_MAX < 1 << 11);

typedef struct
{
  MetricsKeyHead head;
  const char *bytes; /* (unowned) (array length=head.len) */
} MetricsKey;

/**
 * MetricsEntry:
 * @head: hash and length of the key; whether the entry is dead, that is, was removed from the table: it stays
 * in the list for as long as a query stands on it or it has an image; whether it is hidden, that is, holds
 * what the store keeps for another key: see metrics-rollup.c; how many queries stand on it
 * @previous: (unowned) (nullable): the entry before it, in the order of the first put
 * @next: (unowned) (nullable): the one behind it
 * @images: (unowned) (nullable): what it was before points of it were deleted, oldest first; for queries that
 *   began earlier
 * @id: numbers grow along the list
 * @series: the points; none only where the entry is dead
 * @bytes: (array length=head.len): the key
 *
 * The place of one key in a store. There can be millions, most of them with few points: so it is packed.
 */
struct _MetricsEntry
{
  MetricsKeyHead head;
  MetricsEntry *previous;
  MetricsEntry *next;
  MetricsImage *images;
  guint64 id;
  MetricsSeries series;
  char bytes[];
};

/* All entries of a store, in the order in which their keys were first put. */
typedef struct
{
  MetricsEntry *first;  /* (owned) (nullable) */
  MetricsEntry *last;   /* (owned) (nullable) */
  MetricsEntry *recent; /* (unowned) (nullable): that was put to last, see metrics_entry_list_guess() */
  MetricsEntry *hand;   /* (unowned) (nullable): where it is looked for memory next, see metrics-evict.c */
  guint64 newest_id;    /* of the entry that was added last; 0 where there was none */
  GHashTable *by_id;    /* (owned) (nullable) (element-type guint64): a set of the entries' numbers, in place;
                           only where somebody asks by number */
} MetricsEntryList;

guint metrics_key_hash (gconstpointer key);
gboolean metrics_key_equal (gconstpointer a, gconstpointer b);

gsize metrics_entry_list_get_growth (const MetricsEntryList *self, gsize key_len);
MetricsEntry *metrics_entry_list_add (MetricsEntryList *self,
                                      guint64 id,
                                      const MetricsKey *key,
                                      MetricsUsage *usage);
void metrics_entry_list_index (MetricsEntryList *self, MetricsUsage *usage);
MetricsEntry *metrics_entry_list_find (const MetricsEntryList *self, guint64 id);
void metrics_entry_list_sort (MetricsEntryList *self);
void metrics_entry_list_release (MetricsEntryList *self, MetricsEntry *entry, MetricsUsage *usage);
void metrics_entry_list_clear (MetricsEntryList *self, MetricsUsage *usage);

/* Whether an entry is that of a key. */
static inline gboolean
metrics_entry_is_of (const MetricsEntry *self, const char *bytes, gsize len)
{
  return self->head.len == len && metrics_bytes_are_equal (self->bytes, bytes, len);
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
  if (metrics_entry_is_of (next, bytes, len) && !next->head.is_dead)
    return next;
  return metrics_entry_is_of (recent, bytes, len) && !recent->head.is_dead ? recent : NULL;
}

G_END_DECLS
