/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-history.h"

#include "store/metrics-chunks.h"
#include "store/metrics-gap.h"

/* A query that answers slowly has to show every point that was stored when it began, even if another one
 * deletes it meanwhile. So, before points of a series are deleted that an open view has yet to see, an image
 * of the series is kept; one for all such views, and no other before a view has been opened that is younger
 * than it. A view then takes the oldest image that is younger than itself. Images are dropped when all views
 * that are older have been closed.
 *
 * A deletion needs memory for images, and for new chunks in the place of those that it trims, where a reader
 * or an image holds these still. Where there is none the oldest views are given up, one after the other, and
 * their queries end without having told all: the deletion itself cannot be refused, for it is the way to get
 * memory back, and a reader that does not take its answer must not make the others pay.
 *
 * What is deleted and in no image is not freed at once either, for that could take long: it becomes trash,
 * which is carried out bit by bit by whoever uses the store next, first of all by the query that deletes. */

/* So many views, and patterns that match in so many steps, are asked whether they need an image; beyond that
 * it is assumed, so that a deletion takes a bounded time. */
#define MAX_VIEWS_ASKED 32
#define MAX_COST_ASKED 4096

/* To give a view up means to ask again who else needs an image. */
#define UNITS_OF_GIVING_UP MAX_VIEWS_ASKED
/* Freeing a chunk takes longer than to let go of one that others hold. */
#define UNITS_A_DROP 8
/* Removing the points of a span codes what is left of the chunks at its ends. */
#define TRIM_UNITS (2 * METRICS_CODING_UNITS)

/* How many bytes longer the code of a chunk can be without some of its points, with another part of it
 * beside. */
#define TRIM_GROWTH 512

struct _MetricsImage
{
  MetricsImage *next;          /* (owned) (nullable): in the history or in the trash */
  MetricsImage *next_of_entry; /* (unowned) (nullable): the younger one of the same entry */
  MetricsEntry *entry;         /* (unowned) (nullable): of which entry; %NULL in the trash */
  guint64 time;                /* the number of the deletion */
  MetricsSeries series;        /* what there was before it */
  MetricsHeld past;            /* as of when its gaps are to be read */
  GPtrArray *held; /* (owned) (nullable) (element-type MetricsChunk): in the trash, what a reader held */
};

/**
 * metrics_history_init:
 * @self: a history
 * @entries: the entries of the store, which has to live as long
 * @usage: what the store holds
 */
void
metrics_history_init (MetricsHistory *self, MetricsEntryList *entries, MetricsUsage *usage)
{
  *self = (MetricsHistory){ .entries = entries, .usage = usage };
  g_queue_init (&self->views);
}

static MetricsImage *
image_new (MetricsHistory *self, MetricsEntry *entry)
{
  MetricsImage *image = g_new0 (MetricsImage, 1);

  image->entry = entry;
  self->usage->memory += metrics_memory_of (sizeof (MetricsImage));
  return image;
}

static void
add_trash (MetricsHistory *self, MetricsImage *image)
{
  image->next = self->trash;
  self->trash = image;
}

/* Drops one chunk of those that a reader held. */
static void
drop_held (MetricsHistory *self, GPtrArray *held, gint *budget)
{
  gsize freed = metrics_chunk_unref (g_ptr_array_remove_index_fast (held, held->len - 1));

  self->usage->memory -= freed + sizeof (gpointer);
  *budget -= metrics_chunk_get_drop_units (freed);
}

/* Drops one chunk of what is on top of the trash. */
static void
drop_trash (MetricsHistory *self, gint *budget)
{
  MetricsImage *image = self->trash;

  if (image->held != NULL)
    {
      drop_held (self, image->held, budget);
      if (image->held->len > 0)
        return;
      g_ptr_array_unref (image->held);
    }
  else
    {
      *budget -= UNITS_A_DROP;
      if (!metrics_series_drop (&image->series, 1, self->usage))
        return;
    }
  self->trash = image->next;
  self->usage->memory -= metrics_memory_of (sizeof (MetricsImage));
  g_free (image);
}

/* Makes trash of the oldest image. */
static void
expire_image (MetricsHistory *self)
{
  MetricsImage *image = self->first_image;
  MetricsEntry *entry = image->entry;

  g_assert (entry->images == image);

  self->first_image = image->next;
  if (self->first_image == NULL)
    self->last_image = NULL;
  entry->images = image->next_of_entry;
  image->entry = NULL;
  metrics_held_clear (&image->past);
  add_trash (self, image);
  metrics_entry_list_release (self->entries, entry, self->usage);
}

/**
 * metrics_history_clear:
 * @self: a history without open views
 *
 * Frees all that it holds.
 */
void
metrics_history_clear (MetricsHistory *self)
{
  gint budget = G_MAXINT;

  g_assert (self->views.length == 0);

  while (!metrics_history_drain (self, &budget))
    budget = G_MAXINT;
}

/**
 * metrics_history_open:
 * @self: a history
 * @view: a view of which all but the numbers is filled in; it has to stay where it is until it is closed
 *
 * From now on, what the view has yet to see is kept for it.
 */
void
metrics_history_open (MetricsHistory *self, MetricsView *view)
{
  view->is_open = TRUE;
  view->start = self->n_deletions;
  view->at_id = 0;
  view->link.data = view;
  g_queue_push_tail_link (&self->views, &view->link);
}

/**
 * metrics_history_close:
 * @self: a history
 * @view: an open view
 *
 * The view needs nothing any more; what was kept for it alone can be drained.
 */
void
metrics_history_close (MetricsHistory *self, MetricsView *view)
{
  g_queue_unlink (&self->views, &view->link);
  view->is_open = FALSE;
}

/**
 * metrics_history_discard:
 * @self: a history
 * @reader: a reader
 *
 * Closes the reader; what it held is trash.
 */
void
metrics_history_discard (MetricsHistory *self, MetricsReader *reader)
{
  g_autoptr (GPtrArray) held = metrics_reader_steal_chunks (reader);
  MetricsImage *image;

  if (held->len == 0)
    return;
  image = image_new (self, NULL);
  image->held = g_steal_pointer (&held);
  add_trash (self, image);
}

/* Whether nothing is left of a series without a span. */
static gboolean
is_all (const MetricsSeries *series, gint64 from, gint64 to)
{
  return from <= metrics_series_get_first_time (series) && to >= metrics_series_get_last_time (series);
}

static gboolean
view_needs (const MetricsView *view, const MetricsEntry *entry, gint64 from, gint64 to)
{
  /* Who shows what is hidden asks for it by its key. */
  if (entry->head.is_hidden && view->pattern != NULL)
    return FALSE;
  if (entry->id <= view->at_id || entry->id > view->last_id || from > view->to || to < view->from)
    return FALSE;
  if (view->pattern == NULL)
    return metrics_entry_is_of (entry, view->key.bytes, view->key.head.len);
  return metrics_pattern_get_cost (view->pattern, entry->head.len) > MAX_COST_ASKED
         || metrics_pattern_matches (view->pattern, entry->bytes, entry->head.len);
}

/* Whether an open view has yet to see points of a span, and there is no image for it. Only views that are
 * younger than the youngest image can be without one; they stand at the end. */
static gboolean
is_needed (const MetricsHistory *self, const MetricsEntry *entry, gint64 from, gint64 to)
{
  const MetricsImage *image = entry->images;
  guint n = 0;

  while (image != NULL && image->next_of_entry != NULL)
    image = image->next_of_entry;
  for (const GList *link = self->views.tail; link != NULL; link = link->prev)
    {
      const MetricsView *view = link->data;

      if (image != NULL && view->start < image->time)
        return FALSE;
      if (++n > MAX_VIEWS_ASKED || view_needs (view, entry, from, to))
        return TRUE;
    }
  return FALSE;
}

static void
add_image (MetricsHistory *self, MetricsImage *image)
{
  MetricsImage **end = &image->entry->images;

  /* Where there can be no hold, who reads it is told so. */
  if (metrics_series_may_have_gaps (&image->series))
    metrics_held_take (&image->past, self->source);
  image->time = self->n_deletions;
  while (*end != NULL)
    end = &(*end)->next_of_entry;
  *end = image;

  if (self->last_image != NULL)
    self->last_image->next = image;
  else
    self->first_image = image;
  self->last_image = image;
}

/* How many bytes of memory a deletion can take at most, on top of its trash, because of those who read: with
 * an image that is @needed, or without. */
static gsize
get_growth (const MetricsSeries *series, gint64 from, gint64 to, gboolean needed)
{
  gsize growth = needed ? metrics_memory_of (sizeof (MetricsImage)) : 0;
  MetricsChunk *edges[METRICS_SERIES_EDGES];

  if (is_all (series, from, to))
    return growth;
  if (needed)
    growth += metrics_series_get_max_copy (series);
  metrics_series_get_edges (series, from, to, edges);
  for (guint i = 0; i < G_N_ELEMENTS (edges); i++)
    {
      if (edges[i] != NULL)
        growth += TRIM_GROWTH
                  + (needed || metrics_chunk_is_shared (edges[i]) ? metrics_chunk_get_max_sealed_size () : 0);
    }
  return growth;
}

/* Whether a deletion that takes so much fits below the limit with its trash. */
static gboolean
has_memory (const MetricsHistory *self, gsize growth)
{
  growth += metrics_memory_of (sizeof (MetricsImage)) + metrics_chunks_get_copy_size (0);
  return self->usage->memory <= self->memory_limit && growth <= self->memory_limit - self->usage->memory;
}

/* The query of the oldest view will learn of it when it goes on; what it holds is let go of now, for it may
 * wait long for its reader. */
static void
give_up_oldest (MetricsHistory *self)
{
  MetricsView *view = g_queue_peek_head (&self->views);

  view->is_lost = TRUE;
  metrics_history_close (self, view);
  metrics_history_discard (self, view->reader);
}

/**
 * metrics_history_make_room:
 * @self: a history
 * @entry: an entry that has points
 * @from: the first time that is to go
 * @to: the last time that is to go
 * @budget: (inout): how many units of work may be done, at least one; what was done is taken off
 *
 * Sees to it that metrics_history_delete() stays below the memory limit: frees what can be freed, then gives
 * views up until none needs what is deleted, or there is memory to keep it.
 *
 * Returns: whether the deletion can be done now, before anything else; else call again
 */
gboolean
metrics_history_make_room (MetricsHistory *self,
                           const MetricsEntry *entry,
                           gint64 from,
                           gint64 to,
                           gint *budget)
{
  gint units = MAX (*budget, 1);
  gboolean is_done = FALSE;
  gsize growth;

  /* Mostly there is plenty, and nobody has to be asked. */
  if (has_memory (self, get_growth (&entry->series, from, to, TRUE)))
    return TRUE;
  *budget -= units;
  while (metrics_history_drain (self, &units))
    {
      growth = get_growth (&entry->series, from, to, is_needed (self, entry, from, to));
      is_done = growth == 0 || has_memory (self, growth) || self->views.length == 0;
      if (is_done)
        break;
      give_up_oldest (self);
      units -= UNITS_OF_GIVING_UP;
    }
  *budget += units;
  return is_done;
}

/**
 * metrics_history_delete:
 * @self: a history
 * @entry: an entry that has points, for which there is room
 * @from: the first time that goes
 * @to: the last time that goes
 * @budget: (inout): what was done is taken off
 *
 * Deletes the points of a span. Where none are left, the entry has no points afterwards: it has to be removed
 * from the table then.
 *
 * Returns: how many points there were
 */
guint64
metrics_history_delete (MetricsHistory *self, MetricsEntry *entry, gint64 from, gint64 to, gint *budget)
{
  gboolean all = is_all (&entry->series, from, to);
  gboolean needed = is_needed (self, entry, from, to);
  MetricsImage *trash = image_new (self, NULL);
  MetricsImage *image;
  guint64 n;

  self->n_deletions++;
  if (needed && !all)
    {
      image = image_new (self, entry);
      metrics_series_copy (&entry->series, &image->series, self->usage);
      *budget -= metrics_series_get_n_chunks (&image->series);
      add_image (self, image);
    }
  n = metrics_series_remove (&entry->series, from, to, &trash->series, self->usage);
  if (!all)
    *budget -= TRIM_UNITS + metrics_series_get_n_chunks (&trash->series);
  if (needed && all)
    {
      trash->entry = entry;
      metrics_series_freeze (&trash->series, self->usage);
      add_image (self, trash);
    }
  else
    add_trash (self, trash);
  return n;
}

/**
 * metrics_history_find:
 * @self: a history
 * @view: an open view
 * @entry: an entry
 * @past: (out) (transfer none) (nullable): under which hold its gaps are to be read; %NULL where it is what
 *   there is now
 *
 * Returns: (transfer none): what the view has to see of that entry; it may be without points
 */
const MetricsSeries *
metrics_history_find (const MetricsHistory *self,
                      const MetricsView *view,
                      const MetricsEntry *entry,
                      const MetricsHeld **past)
{
  *past = NULL;
  for (const MetricsImage *image = entry->images; image != NULL; image = image->next_of_entry)
    {
      if (image->time > view->start)
        {
          *past = &image->past;
          return &image->series;
        }
    }
  return &entry->series;
}

/**
 * metrics_history_drain:
 * @self: a history
 * @budget: (inout): how many units of work may be done; what was done is taken off
 *
 * Frees what was deleted and nobody has to show.
 *
 * Returns: whether nothing of that is left
 */
gboolean
metrics_history_drain (MetricsHistory *self, gint *budget)
{
  while (*budget > 0)
    {
      const MetricsView *oldest = g_queue_peek_head (&self->views);

      if (self->trash != NULL)
        drop_trash (self, budget);
      else if (self->first_image != NULL && (oldest == NULL || oldest->start >= self->first_image->time))
        {
          expire_image (self);
          (*budget)--;
        }
      else
        return TRUE;
    }
  return FALSE;
}
