/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"

typedef struct
{
  gint64 first;
  gint64 last;
  guint64 n_points;
  GBytes *data; /* (owned) */
  gboolean is_damaged;
} Row;

/* All rows. */
struct _MetricsHold
{
  guint ref_count;
  GHashTable *table; /* (owned) (element-type guint64 GArray): of Row, ascending */
};

/* What was asked for. */
typedef struct
{
  MetricsHold *hold; /* (owned) (nullable) */
  MetricsChunkRequest request;
  MetricsChunkSourceFunc func;
  gpointer user_data; /* (unowned) */
} Ticket;

struct _DummyChunkSource
{
  GObject parent_instance;

  MetricsHold *now;   /* (owned): as it is; not changed while others hold it */
  GPtrArray *tickets; /* (owned) (element-type Ticket): that are not answered */
  guint idle_id;
  gboolean is_manual;
  gboolean is_broken;
  guint n_fetched;
  guint n_cancelled;
  guint n_holds;
};

static void dummy_chunk_source_iface_init (MetricsChunkSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (DummyChunkSource,
                               dummy_chunk_source,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_CHUNK_SOURCE,
                                                      dummy_chunk_source_iface_init))

static void
row_clear (gpointer data)
{
  g_clear_pointer (&((Row *) data)->data, g_bytes_unref);
}

static GArray *
rows_new (void)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));

  g_array_set_clear_func (rows, row_clear);
  return rows;
}

static void
add_row (GArray *rows, Row row)
{
  g_bytes_ref (row.data);
  g_array_append_val (rows, row);
}

static MetricsHold *
hold_new (void)
{
  MetricsHold *hold = g_new0 (MetricsHold, 1);

  hold->ref_count = 1;
  hold->table = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
  return hold;
}

static void
hold_unref (MetricsHold *hold)
{
  if (--hold->ref_count > 0)
    return;
  g_hash_table_unref (hold->table);
  g_free (hold);
}

/* Rows that are not to change for others. */
static MetricsHold *
get_writable (DummyChunkSource *self)
{
  MetricsHold *copy;
  GHashTableIter iter;
  gpointer id, rows;

  if (self->now->ref_count == 1)
    return self->now;
  copy = hold_new ();
  g_hash_table_iter_init (&iter, self->now->table);
  while (g_hash_table_iter_next (&iter, &id, &rows))
    g_hash_table_insert (copy->table, g_memdup2 (id, sizeof (guint64)), g_array_ref (rows));
  hold_unref (self->now);
  return self->now = copy;
}

static MetricsHold *
dummy_chunk_source_hold (MetricsChunkSource *source)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (source);

  self->n_holds++;
  self->now->ref_count++;
  return self->now;
}

static MetricsHold *
dummy_chunk_source_hold_ref (MetricsChunkSource *source, MetricsHold *hold)
{
  DUMMY_CHUNK_SOURCE (source)->n_holds++;
  hold->ref_count++;
  return hold;
}

static void
dummy_chunk_source_hold_unref (MetricsChunkSource *source, MetricsHold *hold)
{
  DUMMY_CHUNK_SOURCE (source)->n_holds--;
  hold_unref (hold);
}

/* Which rows are wanted, from @begin to before @end, up to so many that can be read. */
static void
find_rows (const GArray *rows, const MetricsChunkRequest *request, guint *begin, guint *end)
{
  guint i = 0;

  while (i < rows->len && g_array_index (rows, Row, i).last < request->from)
    i++;
  *end = i;
  while (*end < rows->len && g_array_index (rows, Row, *end).first <= request->to)
    (*end)++;
  if (request->before && i > 0 && (i == rows->len || g_array_index (rows, Row, i).first >= request->from))
    i--;
  *begin = i;
}

static void
read_rows (const GArray *rows, const MetricsChunkRequest *request, MetricsChunkAnswer *answer)
{
  guint begin, end, i;

  find_rows (rows, request, &begin, &end);
  for (i = begin; i < end && answer->chunks->len < request->max_chunks; i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      gsize size;
      const guint8 *data = g_bytes_get_data (row->data, &size);

      if (row->is_damaged)
        answer->n_damaged += row->n_points;
      else
        g_ptr_array_add (answer->chunks, metrics_chunk_load (data, size));
    }
  answer->has_next = i < rows->len;
  if (answer->has_next)
    answer->next_first = g_array_index (rows, Row, i).first;
  for (i = 0; i < begin && request->count; i++)
    {
      answer->n_left += g_array_index (rows, Row, i).n_points;
      answer->last_left = g_array_index (rows, Row, i).last;
    }
}

static void
read_from (const MetricsHold *hold, const MetricsChunkRequest *request, MetricsChunkAnswer *answer)
{
  const GArray *all = g_hash_table_lookup (hold->table, &request->id);
  g_autoptr (GArray) rows = rows_new ();

  for (guint i = 0; all != NULL && i < all->len; i++)
    {
      const Row *row = &g_array_index (all, Row, i);

      /* No row lies in a gap in part. */
      g_assert_true (row->last < request->first || row->first > request->last
                     || (row->first >= request->first && row->last <= request->last));
      if (row->first >= request->first && row->last <= request->last)
        add_row (rows, *row);
    }
  *answer = (MetricsChunkAnswer){ .chunks = g_ptr_array_new () };
  read_rows (rows, request, answer);
}

static void
answer_at (DummyChunkSource *self, guint index)
{
  Ticket *ticket = g_ptr_array_steal_index (self->tickets, index);
  MetricsChunkAnswer answer = { 0 };

  self->n_fetched++;
  if (self->is_broken)
    ticket->func (NULL, ticket->user_data);
  else
    {
      read_from (ticket->hold != NULL ? ticket->hold : self->now, &ticket->request, &answer);
      ticket->func (&answer, ticket->user_data);
    }
  metrics_chunk_answer_clear (&answer);
  g_clear_pointer (&ticket->hold, hold_unref);
  g_free (ticket);
}

static gboolean
on_idle (gpointer data)
{
  DummyChunkSource *self = data;

  answer_at (self, 0);
  if (self->tickets->len > 0)
    return G_SOURCE_CONTINUE;
  self->idle_id = 0;
  return G_SOURCE_REMOVE;
}

static gpointer
dummy_chunk_source_request (MetricsChunkSource *source,
                            MetricsHold *hold,
                            const MetricsChunkRequest *request,
                            MetricsChunkSourceFunc func,
                            gpointer user_data)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (source);
  Ticket *ticket = g_new0 (Ticket, 1);

  g_assert_cmpint (request->first, <=, request->last);
  g_assert_cmpint (request->from, <=, request->to);
  g_assert_cmpuint (request->max_chunks, >, 0);

  ticket->hold = hold;
  if (hold != NULL)
    hold->ref_count++;
  ticket->request = *request;
  /* A source may give fewer than that. */
  if (self->is_manual)
    ticket->request.max_chunks = g_test_rand_int_range (1, 1 + MIN (request->max_chunks, 4));
  ticket->func = func;
  ticket->user_data = user_data;
  g_ptr_array_add (self->tickets, ticket);
  if (!self->is_manual && self->idle_id == 0)
    self->idle_id = g_idle_add (on_idle, self);
  return ticket;
}

static void
dummy_chunk_source_cancel (MetricsChunkSource *source, gpointer data)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (source);
  Ticket *ticket = data;

  g_assert_true (g_ptr_array_remove (self->tickets, ticket));
  g_clear_pointer (&ticket->hold, hold_unref);
  g_free (ticket);
  self->n_cancelled++;
  if (self->tickets->len == 0)
    g_clear_handle_id (&self->idle_id, g_source_remove);
}

static void
dummy_chunk_source_iface_init (MetricsChunkSourceInterface *iface)
{
  iface->hold = dummy_chunk_source_hold;
  iface->hold_ref = dummy_chunk_source_hold_ref;
  iface->hold_unref = dummy_chunk_source_hold_unref;
  iface->request = dummy_chunk_source_request;
  iface->cancel = dummy_chunk_source_cancel;
}

static void
dummy_chunk_source_init (DummyChunkSource *self)
{
  self->tickets = g_ptr_array_new ();
  self->now = hold_new ();
}

static void
dummy_chunk_source_finalize (GObject *object)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (object);

  g_assert_cmpuint (self->tickets->len, ==, 0);
  g_assert_cmpuint (self->n_holds, ==, 0);
  g_ptr_array_unref (self->tickets);
  hold_unref (self->now);

  G_OBJECT_CLASS (dummy_chunk_source_parent_class)->finalize (object);
}

static void
dummy_chunk_source_class_init (DummyChunkSourceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = dummy_chunk_source_finalize;
}

DummyChunkSource *
dummy_chunk_source_new (void)
{
  return g_object_new (DUMMY_TYPE_CHUNK_SOURCE, NULL);
}

guint
dummy_chunk_source_get_n_fetched (DummyChunkSource *self)
{
  return self->n_fetched;
}

guint
dummy_chunk_source_get_n_cancelled (DummyChunkSource *self)
{
  return self->n_cancelled;
}

/* How many holds others have. */
guint
dummy_chunk_source_get_n_holds (DummyChunkSource *self)
{
  return self->n_holds;
}

/* Nobody is answered by the main loop. */
void
dummy_chunk_source_set_manual (DummyChunkSource *self, gboolean is_manual)
{
  self->is_manual = is_manual;
}

/* Answers one of those who wait, whichever. */
gboolean
dummy_chunk_source_answer_any (DummyChunkSource *self)
{
  if (self->tickets->len == 0)
    return FALSE;
  answer_at (self, g_test_rand_int_range (0, self->tickets->len));
  return TRUE;
}

/* Answers at once. */
void
dummy_chunk_source_read (DummyChunkSource *self,
                         const MetricsChunkRequest *request,
                         MetricsChunkAnswer *answer)
{
  read_from (self->now, request, answer);
}

/* From now on nothing can be read. */
void
dummy_chunk_source_break (DummyChunkSource *self)
{
  self->is_broken = TRUE;
}

/* Damages the row in which a time lies. */
void
dummy_chunk_source_damage (DummyChunkSource *self, guint64 id, gint64 time)
{
  GArray *rows = g_hash_table_lookup (self->now->table, &id);

  for (guint i = 0; i < rows->len; i++)
    {
      Row *row = &g_array_index (rows, Row, i);

      if (row->first <= time && row->last >= time)
        {
          row->is_damaged = TRUE;
          return;
        }
    }
  g_assert_not_reached ();
}

static gboolean
overlaps (gint64 first_a, gint64 last_a, gint64 first_b, gint64 last_b)
{
  return first_a <= last_b && last_a >= first_b;
}

/* Whether a row is one of those that stay. */
static gboolean
is_kept (const Row *row, const GPtrArray *snapshot)
{
  for (guint i = 0; i < snapshot->len; i++)
    {
      const MetricsStoredChunk *chunk = g_ptr_array_index (snapshot, i);

      if (chunk->data == NULL && overlaps (row->first, row->last, chunk->first, chunk->last))
        {
          g_assert_cmpint (row->first, >=, chunk->first);
          g_assert_cmpint (row->last, <=, chunk->last);
          return TRUE;
        }
    }
  return FALSE;
}

/* Widens the span until nothing that is to be written, or taken away, lies in it in part. */
static gboolean
widen (DummyChunkSource *self, guint64 id, gint64 *from, gint64 *to, const GPtrArray *snapshot)
{
  const GArray *rows = g_hash_table_lookup (self->now->table, &id);
  gint64 first = *from, last = *to;

  for (guint i = 0; i < snapshot->len; i++)
    {
      const MetricsStoredChunk *chunk = g_ptr_array_index (snapshot, i);

      if (chunk->data != NULL)
        {
          first = MIN (first, chunk->first);
          last = MAX (last, chunk->last);
        }
    }
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const Row *row = &g_array_index (rows, Row, i);

      if (overlaps (row->first, row->last, first, last) && !is_kept (row, snapshot))
        {
          first = MIN (first, row->first);
          last = MAX (last, row->last);
        }
    }
  if (first == *from && last == *to)
    return FALSE;
  *from = first;
  *to = last;
  return TRUE;
}

/* Asks the store what is to be written; the span can be wider afterwards. NULL where the series is gone. */
GPtrArray *
dummy_chunk_source_prepare (DummyChunkSource *self, MetricsStore *store, guint64 id, gint64 *from, gint64 *to)
{
  for (;;)
    {
      GPtrArray *snapshot = metrics_store_snapshot (store, id, *from, *to);

      if (snapshot == NULL || !widen (self, id, from, to, snapshot))
        return snapshot;
      g_ptr_array_unref (snapshot);
    }
}

static gint
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *row_a = a, *row_b = b;

  return (row_a->first > row_b->first) - (row_a->first < row_b->first);
}

/* What is said to be kept has to be there. */
static void
check_kept (const GArray *rows, const GPtrArray *snapshot)
{
  for (guint i = 0; i < snapshot->len; i++)
    {
      const MetricsStoredChunk *chunk = g_ptr_array_index (snapshot, i);
      guint64 n = 0;
      gboolean is_damaged = FALSE;

      for (guint j = 0; j < rows->len; j++)
        {
          const Row *row = &g_array_index (rows, Row, j);

          if (overlaps (row->first, row->last, chunk->first, chunk->last))
            {
              n += row->n_points;
              is_damaged |= row->is_damaged;
            }
        }
      if (chunk->data == NULL && !is_damaged)
        g_assert_cmpuint (n, ==, chunk->n_points);
    }
}

/* Writes what was prepared. */
void
dummy_chunk_source_write (DummyChunkSource *self, guint64 id, gint64 from, gint64 to, GPtrArray *snapshot)
{
  MetricsHold *now = get_writable (self);
  const GArray *before = g_hash_table_lookup (now->table, &id);
  GArray *rows;

  if (snapshot == NULL)
    {
      g_hash_table_remove (now->table, &id);
      return;
    }
  rows = rows_new ();
  for (guint i = 0; before != NULL && i < before->len; i++)
    {
      const Row *row = &g_array_index (before, Row, i);

      if (!overlaps (row->first, row->last, from, to) || is_kept (row, snapshot))
        add_row (rows, *row);
    }
  for (guint i = 0; i < snapshot->len; i++)
    {
      const MetricsStoredChunk *chunk = g_ptr_array_index (snapshot, i);

      if (chunk->data != NULL)
        add_row (rows, (Row){ .first = chunk->first,
                              .last = chunk->last,
                              .n_points = chunk->n_points,
                              .data = chunk->data });
    }
  g_array_sort (rows, compare_rows);
  for (guint i = 1; i < rows->len; i++)
    g_assert_cmpint (g_array_index (rows, Row, i - 1).last, <, g_array_index (rows, Row, i).first);
  check_kept (rows, snapshot);
  g_hash_table_insert (now->table, g_memdup2 (&id, sizeof id), rows);
}

/* Writes all series up to a number; nothing may have been deleted but by this store, and nothing is changed
 * meanwhile. */
void
dummy_chunk_source_save (DummyChunkSource *self, MetricsStore *store, guint64 newest_id)
{
  MetricsJournal *journal = metrics_store_get_journal (store);

  for (guint64 id = 1; id <= newest_id; id++)
    {
      gint64 from = G_MININT64, to = G_MAXINT64;
      g_autoptr (GPtrArray) snapshot = dummy_chunk_source_prepare (self, store, id, &from, &to);

      dummy_chunk_source_write (self, id, from, to, snapshot);
      metrics_store_confirm (store, id, from, to);
    }
  metrics_store_settle (store, journal != NULL ? metrics_journal_get_position (journal) : 0);
}

/* Returns: whether the series was ever written and is not gone; it may have no points */
gboolean
dummy_chunk_source_count (DummyChunkSource *self, guint64 id, guint64 *n_points, gint64 *first, gint64 *last)
{
  const GArray *rows = g_hash_table_lookup (self->now->table, &id);

  *n_points = 0;
  *first = *last = 0;
  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    *n_points += g_array_index (rows, Row, i).n_points;
  if (rows->len == 0)
    return TRUE;
  *first = g_array_index (rows, Row, 0).first;
  *last = g_array_index (rows, Row, rows->len - 1).last;
  return TRUE;
}
