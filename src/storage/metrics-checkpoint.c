/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-checkpoint.h"

#include "store/metrics-restore.h"

/* Has the changes of the log's rows up to one gone into the chunks, so that these rows can go.
 *
 * The changes say which spans of which series they touched. For these the store is asked what it has now,
 * group by group, and that takes the place of the rows that overlap. So it is not one instant that is
 * written; but whatever was changed since the row stands in later rows of the log (the writer sees to it that
 * they are written no later than the chunks), and doing it once more changes nothing.
 *
 * Where the store says that it has what the rows hold, unchanged (or does not have it at all, it being on
 * disk alone), these rows stay, and only what lies between them is written.
 *
 * A chunk of the store can reach beyond the span and overlap further rows of the database: then the span is
 * widened to those and asked for again. It only ever grows, so that ends.
 *
 * Series are added and deleted with the log's rows, in the last transaction. Until then the log still begins
 * each new series, and a key cannot be in the table twice: one whose series was removed and begun again. */

/* How many series a transaction rewrites. */
#define GROUP 1024

/* How many bytes of chunks, about: they are copies, beside what the store has. */
#define GROUP_BYTES (2 << 20)

/* How many bytes of pages change with a series, beside those for its chunks. */
#define PAGES_OF_SERIES (2 * 4096)

/* What the log says of a series. */
typedef struct
{
  guint64 id; /* first: it is the key of the table */
  gint64 first;
  gint64 last;
  GBytes *key; /* (owned) (nullable): where it began */

  GPtrArray *chunks; /* (owned) (nullable) (element-type MetricsStoredChunk): what the store has */
  gboolean settled;  /* whether it was written */
  gboolean gone;     /* whether the store has no such series */
} MetricsTouched;

struct _MetricsCheckpoint
{
  GPtrArray *all; /* (owned) (element-type MetricsTouched): by number */
  guint64 last_log;
  guint n_taken;    /* how many of @all were in a group */
  GPtrArray *group; /* (owned) (element-type MetricsTouched): of @all */
  guint n_asked;    /* how many of @group the store is asked for: the others come with the next */
  guint n_answered; /* how many of these */
  gsize n_bytes;    /* of chunks that were answered */
};

static void
touched_free (MetricsTouched *self)
{
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->chunks, g_ptr_array_unref);
  g_free (self);
}

/**
 * metrics_touched_new:
 *
 * Returns: (transfer full): a table for metrics_touched_add()
 */
GHashTable *
metrics_touched_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) touched_free);
}

static MetricsTouched *
find_touched (GHashTable *touched, guint64 id)
{
  MetricsTouched *one = g_hash_table_lookup (touched, &id);

  if (one != NULL)
    return one;
  one = g_new0 (MetricsTouched, 1);
  one->id = id;
  one->first = G_MAXINT64;
  one->last = G_MININT64;
  g_hash_table_insert (touched, &one->id, one);
  return one;
}

static void
add_span (MetricsTouched *self, gint64 first, gint64 last)
{
  self->first = MIN (self->first, first);
  self->last = MAX (self->last, last);
}

/**
 * metrics_touched_add:
 * @touched: (element-type guint64 MetricsTouched): a table
 * @changes: (array length=size): the changes of a batch
 * @size: how many bytes that is
 *
 * Notes which spans of which series were changed.
 */
void
metrics_touched_add (GHashTable *touched, const guint8 *changes, gsize size)
{
  MetricsLogReader reader;
  MetricsLogChange change;

  metrics_log_reader_init (&reader, changes, size);
  while (metrics_log_reader_next (&reader, &change))
    {
      MetricsTouched *one = find_touched (touched, change.id);

      if (change.kind == METRICS_LOG_PUT)
        add_span (one, change.point.time, change.point.time);
      else if (change.kind == METRICS_LOG_REMOVE)
        add_span (one, change.from, change.to);
      else if (one->key == NULL)
        one->key = g_bytes_new (change.key, change.key_len);
    }
}

/**
 * metrics_touched_add_span:
 * @touched: (element-type guint64 MetricsTouched): a table
 * @id: the number of a series
 * @from: the first time of a span
 * @to: its last time
 *
 * Notes a span that is to be written though nothing was changed.
 */
void
metrics_touched_add_span (GHashTable *touched, guint64 id, gint64 from, gint64 to)
{
  add_span (find_touched (touched, id), from, to);
}

/**
 * metrics_touched_move:
 * @from: (element-type guint64 MetricsTouched): a table; it is empty afterwards
 * @to: (element-type guint64 MetricsTouched): the table that gets what was in it
 */
void
metrics_touched_move (GHashTable *from, GHashTable *to)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const MetricsTouched *one = value;

      add_span (find_touched (to, one->id), one->first, one->last);
    }
  g_hash_table_remove_all (from);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const MetricsTouched *one = *(const MetricsTouched *const *) a;
  const MetricsTouched *other = *(const MetricsTouched *const *) b;

  return one->id < other->id ? -1 : one->id > other->id;
}

/**
 * metrics_checkpoint_new:
 * @touched: (element-type guint64 MetricsTouched): what the rows changed; it is empty afterwards
 * @last_log: the number of the last of these rows, all of which are on disk
 *
 * Begins a checkpoint.
 *
 * Returns: (transfer full): it
 */
MetricsCheckpoint *
metrics_checkpoint_new (GHashTable *touched, guint64 last_log)
{
  MetricsCheckpoint *self = g_new0 (MetricsCheckpoint, 1);
  GHashTableIter iter;
  gpointer one;

  self->all = g_ptr_array_new_full (g_hash_table_size (touched), (GDestroyNotify) touched_free);
  g_hash_table_iter_init (&iter, touched);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      g_ptr_array_add (self->all, one);
      g_hash_table_iter_steal (&iter);
    }
  g_ptr_array_sort (self->all, compare);
  self->last_log = last_log;
  self->group = g_ptr_array_new ();
  return self;
}

/**
 * metrics_checkpoint_free:
 * @self: (transfer full): a checkpoint
 *
 * Frees it. What it has not written stays in the log.
 */
void
metrics_checkpoint_free (MetricsCheckpoint *self)
{
  g_ptr_array_unref (self->group);
  g_ptr_array_unref (self->all);
  g_free (self);
}

/* All in one transaction: each on its own would take SQLite's locks once more. */
static gboolean
find_spans (MetricsCheckpoint *self, MetricsDatabase *database, GError **error)
{
  gboolean good = metrics_database_begin_reading (database, error);

  for (guint i = 0; good && i < self->group->len; i++)
    {
      MetricsTouched *one = self->group->pdata[i];

      good = metrics_database_find_span (database, one->id, &one->first, &one->last, error);
    }
  metrics_database_rollback (database);
  return good;
}

/**
 * metrics_checkpoint_prepare:
 * @self: a checkpoint
 * @database: where it is written
 * @error: return location for a #GError
 *
 * Makes up the next group, and says what the store has to be asked for it.
 *
 * Returns: %FALSE on errors; it can be tried again
 */
gboolean
metrics_checkpoint_prepare (MetricsCheckpoint *self, MetricsDatabase *database, GError **error)
{
  while (self->group->len < GROUP && self->n_taken < self->all->len)
    {
      MetricsTouched *one = self->all->pdata[self->n_taken++];

      /* One that began, and whose first put is in a later row. */
      if (one->first > one->last)
        one->first = one->last = 0;
      g_ptr_array_add (self->group, one);
    }
  if (!find_spans (self, database, error))
    return FALSE;
  self->n_asked = self->group->len;
  self->n_answered = 0;
  self->n_bytes = 0;
  return TRUE;
}

/**
 * metrics_checkpoint_is_asking:
 * @self: a checkpoint
 *
 * Returns: whether the store has to be asked before it goes on
 */
gboolean
metrics_checkpoint_is_asking (MetricsCheckpoint *self)
{
  return self->n_answered < self->n_asked;
}

static gsize
get_size (const MetricsTouched *self)
{
  gsize size = 0;

  for (guint i = 0; self->chunks != NULL && i < self->chunks->len; i++)
    {
      const MetricsStoredChunk *chunk = self->chunks->pdata[i];

      size += sizeof *chunk + (chunk->data != NULL ? g_bytes_get_size (chunk->data) : 0);
    }
  return size;
}

/**
 * metrics_checkpoint_answer:
 * @self: a checkpoint that is asking
 * @store: the store, whose thread this is
 * @deadline: until when to go on, by the monotonic clock; one series is done in any case
 *
 * Asks the store.
 *
 * Returns: whether all is answered
 */
gboolean
metrics_checkpoint_answer (MetricsCheckpoint *self, MetricsStore *store, gint64 deadline)
{
  do
    {
      MetricsTouched *one = self->group->pdata[self->n_answered++];

      g_clear_pointer (&one->chunks, g_ptr_array_unref);
      one->chunks = metrics_store_snapshot (store, one->id, one->first, one->last);
      one->gone = one->chunks == NULL;
      self->n_bytes += get_size (one);
      if (self->n_bytes > GROUP_BYTES)
        self->n_asked = self->n_answered;
    }
  while (metrics_checkpoint_is_asking (self) && g_get_monotonic_time () < deadline);
  return !metrics_checkpoint_is_asking (self);
}

/* A span whose rows are not kept. */
typedef struct
{
  gint64 first;
  gint64 last;
} MetricsHole;

/* Returns: (transfer full) (element-type MetricsHole): what of the span the answer does not keep, in order */
static GArray *
find_holes (MetricsTouched *self)
{
  GArray *holes = g_array_new (FALSE, FALSE, sizeof (MetricsHole));
  MetricsHole hole = { self->first, self->last };

  for (guint i = 0; i < self->chunks->len; i++)
    {
      const MetricsStoredChunk *chunk = self->chunks->pdata[i];

      if (chunk->data != NULL || chunk->last < hole.first)
        continue;
      if (chunk->first > self->last)
        break;
      if (chunk->first > hole.first)
        {
          hole.last = chunk->first - 1;
          g_array_append_val (holes, hole);
        }
      hole.last = self->last;
      if (chunk->last >= self->last)
        return holes;
      hole.first = chunk->last + 1;
    }
  g_array_append_val (holes, hole);
  return holes;
}

/* Widens the span where the answer, or a row that it does not keep, reaches beyond it. */
static gboolean
check_answer (MetricsTouched *self, MetricsDatabase *database, gboolean *fits, GError **error)
{
  g_autoptr (GArray) holes = NULL;
  gint64 first;
  gint64 last;

  for (guint i = 0; i < self->chunks->len; i++)
    {
      const MetricsStoredChunk *chunk = self->chunks->pdata[i];

      if (chunk->data != NULL)
        add_span (self, chunk->first, chunk->last);
    }
  first = self->first;
  last = self->last;
  holes = find_holes (self);
  for (guint i = 0; i < holes->len; i++)
    {
      MetricsHole hole = g_array_index (holes, MetricsHole, i);
      gboolean at_edge = hole.first == self->first || hole.last == self->last;

      if (at_edge && !metrics_database_find_span (database, self->id, &hole.first, &hole.last, error))
        return FALSE;
      first = MIN (first, hole.first);
      last = MAX (last, hole.last);
    }
  *fits = first == self->first && last == self->last;
  add_span (self, first, last);
  return TRUE;
}

static gboolean
write_chunks (MetricsTouched *self, MetricsDatabase *database, GError **error)
{
  g_autoptr (GArray) holes = find_holes (self);
  gint64 n_points = 0;

  for (guint i = 0; i < holes->len; i++)
    {
      const MetricsHole *hole = &g_array_index (holes, MetricsHole, i);

      if (!metrics_database_delete_chunks (database, self->id, hole->first, hole->last, &n_points, error))
        return FALSE;
    }
  for (guint i = 0; i < self->chunks->len; i++)
    {
      const MetricsStoredChunk *chunk = self->chunks->pdata[i];

      if (chunk->data == NULL)
        continue;
      n_points += chunk->n_points;
      if (!metrics_database_insert_chunk (database, self->id, chunk->first, chunk->last, chunk->n_points,
                                          chunk->data, error))
        return FALSE;
    }
  return metrics_database_update_series (database, self->id, n_points, error);
}

static gboolean
delete_all (MetricsTouched *self, MetricsDatabase *database, GError **error)
{
  gint64 n_points = 0;

  return metrics_database_delete_chunks (database, self->id, G_MININT64, G_MAXINT64, &n_points, error)
         && metrics_database_update_series (database, self->id, n_points, error);
}

static gboolean
write_one (MetricsTouched *self, MetricsDatabase *database, GError **error)
{
  gboolean fits;

  self->settled = FALSE;
  if (self->gone)
    {
      self->settled = TRUE;
      return delete_all (self, database, error);
    }
  if (!check_answer (self, database, &fits, error))
    return FALSE;
  self->settled = fits;
  return !fits || write_chunks (self, database, error);
}

static gboolean
write_series (MetricsCheckpoint *self, MetricsDatabase *database, GError **error)
{
  for (guint i = 0; i < self->all->len; i++)
    {
      const MetricsTouched *one = self->all->pdata[i];

      if (one->gone && !metrics_database_delete_series (database, one->id, error))
        return FALSE;
    }
  for (guint i = 0; i < self->all->len; i++)
    {
      const MetricsTouched *one = self->all->pdata[i];

      if (!one->gone && one->key != NULL
          && !metrics_database_insert_series (database, one->id, one->key, error))
        return FALSE;
    }
  return metrics_database_delete_log (database, self->last_log, error);
}

/**
 * metrics_checkpoint_get_size:
 * @self: a checkpoint that is not asking
 *
 * Returns: about how many bytes metrics_checkpoint_write() will write
 */
guint64
metrics_checkpoint_get_size (MetricsCheckpoint *self)
{
  guint64 size = 0;

  for (guint i = 0; i < self->group->len; i++)
    {
      const MetricsTouched *one = self->group->pdata[i];

      size += PAGES_OF_SERIES;
      for (guint j = 0; one->chunks != NULL && j < one->chunks->len; j++)
        {
          const MetricsStoredChunk *chunk = one->chunks->pdata[j];

          size += chunk->data != NULL ? g_bytes_get_size (chunk->data) : 0;
        }
    }
  return size;
}

/**
 * metrics_checkpoint_write:
 * @self: a checkpoint that is not asking
 * @database: a database with a transaction
 * @error: return location for a #GError
 *
 * Writes the group, or the end where all groups are written.
 *
 * Returns: %FALSE on errors: then the transaction has to be undone, and it can be tried again
 */
gboolean
metrics_checkpoint_write (MetricsCheckpoint *self, MetricsDatabase *database, GError **error)
{
  if (self->group->len == 0)
    return self->n_taken < self->all->len || write_series (self, database, error);
  for (guint i = 0; i < self->n_asked; i++)
    if (!write_one (self->group->pdata[i], database, error))
      return FALSE;
  return TRUE;
}

/**
 * metrics_checkpoint_advance:
 * @self: a checkpoint whose write was committed
 * @confirmed: (element-type MetricsConfirmed): what was written is added to it
 *
 * Goes on: either it is at its end, or metrics_checkpoint_prepare() has to follow.
 *
 * Returns: whether it is at its end
 */
gboolean
metrics_checkpoint_advance (MetricsCheckpoint *self, GArray *confirmed)
{
  guint n_left = 0;

  if (self->group->len == 0)
    return self->n_taken == self->all->len;
  for (guint i = 0; i < self->group->len; i++)
    {
      MetricsTouched *one = self->group->pdata[i];
      MetricsConfirmed span = { one->id, one->first, one->last };

      g_clear_pointer (&one->chunks, g_ptr_array_unref);
      if (i < self->n_asked && one->settled)
        g_array_append_val (confirmed, span);
      else
        self->group->pdata[n_left++] = one;
    }
  g_ptr_array_set_size (self->group, n_left);
  return FALSE;
}
