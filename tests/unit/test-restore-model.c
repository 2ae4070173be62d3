/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "tape.h"

#include <string.h>

/* Random changes of a store, which is kept all the while: a disk as simple as can be holds chunks and the
 * changes since. Now and then the store is made again from it, and has to be as the model is. */

#define N_KEYS 6
#define N_TIMES 20000

/* A series on disk. */
typedef struct
{
  char *key;       /* (owned) */
  GPtrArray *rows; /* (owned) (element-type MetricsStoredChunk): ascending */
} DiskSeries;

/* The span of times that changed. */
typedef struct
{
  gint64 from;
  gint64 to;
} Span;

typedef struct
{
  MetricsStore *store;
  Model *model;
  Tape *tape;
  GTree *disk; /* (owned) (element-type guint64 DiskSeries) */
  guint n_done;
  guint n_rows;
} Fixture;

static gint
compare_ids (gconstpointer a, gconstpointer b, gpointer user_data)
{
  guint64 id_a = *(const guint64 *) a;
  guint64 id_b = *(const guint64 *) b;

  return (id_a > id_b) - (id_a < id_b);
}

static void
disk_series_free (gpointer data)
{
  DiskSeries *series = data;

  g_ptr_array_unref (series->rows);
  g_free (series->key);
  g_free (series);
}

static gpointer
dup_id (guint64 id)
{
  return g_memdup2 (&id, sizeof id);
}

static gint64
random_time (void)
{
  switch (g_test_rand_int_range (0, 20))
    {
    case 0:
      return G_MININT64 + g_test_rand_int_range (0, 3);
    case 1:
      return G_MAXINT64 - g_test_rand_int_range (0, 3);
    default:
      return g_test_rand_int_range (0, N_TIMES);
    }
}

static void
put_some (Fixture *f)
{
  static const gint64 steps[] = { 1, 1, 10, -1, 7 };
  g_autofree char *key = g_strdup_printf ("k%d", g_test_rand_int_range (0, N_KEYS));
  gint64 step = steps[g_test_rand_int_range (0, G_N_ELEMENTS (steps))];
  gboolean is_constant = g_test_rand_bit ();
  gint64 time = random_time ();
  guint n = g_test_rand_bit () ? 1 : g_test_rand_int_range (1, 1500);

  if (time < 0 || time > N_TIMES)
    n = 1;
  for (guint i = 0; i < n; i++)
    {
      MetricsPoint point = { .time = time + i * step, .value = is_constant ? 2.5 : g_test_rand_double () };

      put (f->store, key, point.time, point.value);
      model_put (f->model, key, point);
    }
}

static void
delete_some (Fixture *f)
{
  g_autofree char *key = g_strdup_printf ("k%d", g_test_rand_int_range (0, N_KEYS));
  gboolean all = g_test_rand_int_range (0, 6) == 0;
  gint64 from = random_time ();
  gint64 to = g_test_rand_bit () ? random_time () : MIN (from, G_MAXINT64 - 300) + 300;
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, g_test_rand_int_range (0, 8) == 0 ? "*" : key,
                                   all ? G_MININT64 : from, all ? G_MAXINT64 : to);

  g_assert_cmpuint (run_delete (f->store, &spec, 1 + g_test_rand_int_range (0, 1000)), ==,
                    model_delete (f->model, &spec));
}

static void
change_some (Fixture *f)
{
  if (g_test_rand_int_range (0, 3) > 0)
    put_some (f);
  else
    delete_some (f);
}

static void
check_same (Fixture *f)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (GArray) expected = model_answer (f->model, &spec);
  g_autoptr (Run) run = run_new (f->store, &spec);

  run_to_end (run, 4096);
  model_assert_rows (expected, run->rows, &spec);
  g_assert_cmpuint (metrics_store_get_n_series (f->store), ==, f->model->series->len);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, model_count_points (f->model));
}

/* What changed, by number; the keys of new series. */
static GHashTable *
collect_spans (Fixture *f, guint n, GHashTable *keys)
{
  GHashTable *spans = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);

  for (guint i = 0; i < n; i++)
    {
      const Change *change = tape_get (f->tape, i);
      gboolean is_put = change->kind == CHANGE_PUT;
      Span *span = g_hash_table_lookup (spans, &change->id);

      if (change->kind == CHANGE_BEGIN)
        {
          g_hash_table_insert (keys, dup_id (change->id), g_strdup (change->key));
          continue;
        }
      if (span == NULL)
        {
          span = g_new (Span, 1);
          *span = (Span){ G_MAXINT64, G_MININT64 };
          g_hash_table_insert (spans, dup_id (change->id), span);
        }
      span->from = MIN (span->from, is_put ? change->point.time : change->from);
      span->to = MAX (span->to, is_put ? change->point.time : change->to);
    }
  return spans;
}

/* Makes a span so wide that no row lies in it in part. Returns: whether it was narrower */
static gboolean
widen (const DiskSeries *series, Span *span)
{
  Span before = *span;

  for (guint i = 0; i < series->rows->len; i++)
    {
      const MetricsStoredChunk *row = g_ptr_array_index (series->rows, i);

      if (row->first <= span->to && row->last >= span->from)
        {
          span->from = MIN (span->from, row->first);
          span->to = MAX (span->to, row->last);
        }
    }
  return span->from < before.from || span->to > before.to;
}

static gint
compare_rows (gconstpointer a, gconstpointer b)
{
  const MetricsStoredChunk *row_a = *(MetricsStoredChunk *const *) a;
  const MetricsStoredChunk *row_b = *(MetricsStoredChunk *const *) b;

  return (row_a->first > row_b->first) - (row_a->first < row_b->first);
}

static void
write_rows (DiskSeries *series, Span span, GPtrArray *snapshot)
{
  for (guint i = series->rows->len; i > 0; i--)
    {
      const MetricsStoredChunk *row = g_ptr_array_index (series->rows, i - 1);

      if (row->first <= span.to && row->last >= span.from)
        g_ptr_array_remove_index (series->rows, i - 1);
    }
  while (snapshot->len > 0)
    g_ptr_array_add (series->rows, g_ptr_array_steal_index (snapshot, snapshot->len - 1));
  g_ptr_array_sort (series->rows, compare_rows);
}

/* Brings the rows of a series up to date. */
static void
write_series (Fixture *f, guint64 id, Span span, const char *key)
{
  DiskSeries *series = g_tree_lookup (f->disk, &id);
  GPtrArray *snapshot = NULL;

  if (series == NULL && key == NULL)
    {
      /* It was seen before that it is gone, and only what came after is still among the changes. */
      g_assert_null (metrics_store_snapshot (f->store, id, span.from, span.to));
      return;
    }
  if (series == NULL)
    {
      series = g_new0 (DiskSeries, 1);
      series->key = g_strdup (key);
      series->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_stored_chunk_free);
      g_tree_insert (f->disk, dup_id (id), series);
    }
  for (gboolean again = TRUE; again;)
    {
      g_clear_pointer (&snapshot, g_ptr_array_unref);
      widen (series, &span);
      snapshot = metrics_store_snapshot (f->store, id, span.from, span.to);
      if (snapshot == NULL)
        {
          g_tree_remove (f->disk, &id);
          return;
        }
      if (snapshot->len > 0)
        {
          const MetricsStoredChunk *first = g_ptr_array_index (snapshot, 0);
          const MetricsStoredChunk *last = g_ptr_array_index (snapshot, snapshot->len - 1);

          span.from = MIN (span.from, first->first);
          span.to = MAX (span.to, last->last);
        }
      again = widen (series, &span);
    }
  write_rows (series, span, snapshot);
  f->n_rows += series->rows->len;
  g_ptr_array_unref (snapshot);
}

/* Writes what changed, while more changes come; now and then it does not come to the end. */
static void
checkpoint (Fixture *f)
{
  guint n = tape_get_length (f->tape);
  g_autoptr (GHashTable) keys = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_autoptr (GHashTable) spans = collect_spans (f, n, keys);
  GHashTableIter iter;
  gboolean is_interrupted = g_test_rand_int_range (0, 3) == 0;
  gint left = is_interrupted ? g_test_rand_int_range (0, g_hash_table_size (spans) + 1) : G_MAXINT;
  gpointer id, span;

  g_hash_table_iter_init (&iter, spans);
  for (; left > 0 && g_hash_table_iter_next (&iter, &id, &span); left--)
    {
      write_series (f, *(guint64 *) id, *(Span *) span, g_hash_table_lookup (keys, id));
      if (g_test_rand_bit ())
        change_some (f);
    }
  if (is_interrupted)
    return;
  tape_cut (f->tape, n);
  f->n_done++;
}

static gboolean
load_series (gpointer id, gpointer data, gpointer store)
{
  const DiskSeries *series = data;
  g_autoptr (GError) error = NULL;

  metrics_store_restore_series (store, *(guint64 *) id, series->key, strlen (series->key), &error);
  g_assert_no_error (error);
  for (guint i = 0; i < series->rows->len; i++)
    {
      const MetricsStoredChunk *row = g_ptr_array_index (series->rows, i);

      metrics_store_restore_chunk (store, *(guint64 *) id, row->data, &error);
      g_assert_no_error (error);
    }
  return FALSE;
}

/* The process ends and begins again. */
static void
restart (Fixture *f)
{
  metrics_store_set_journal (f->store, NULL);
  g_assert_finalize_object (f->store);

  f->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_tree_foreach (f->disk, load_series, f->store);
  tape_play (f->tape, f->store, NULL);
  metrics_store_restore_finish (f->store, tape_get_newest_id (f->tape));
  check_same (f);
  metrics_store_set_journal (f->store, METRICS_JOURNAL (f->tape));
}

static void
test_model (void)
{
  guint n = get_operations (6000);
  Fixture f = {
    .store = metrics_store_new (G_MAXUINT64, G_MAXUINT64),
    .model = model_new (),
    .tape = tape_new (),
    .disk = g_tree_new_full (compare_ids, NULL, g_free, disk_series_free),
  };

  metrics_store_set_journal (f.store, METRICS_JOURNAL (f.tape));
  for (guint i = 0; i < n; i++)
    {
      change_some (&f);
      if (g_test_rand_int_range (0, 10) == 0)
        checkpoint (&f);
      if (g_test_rand_int_range (0, 20) == 0)
        restart (&f);
    }
  restart (&f);
  g_test_message ("%u checkpoints were done, %u rows written", f.n_done, f.n_rows);

  metrics_store_set_journal (f.store, NULL);
  g_assert_finalize_object (f.store);
  g_assert_finalize_object (f.tape);
  model_free (f.model);
  g_tree_unref (f.disk);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/restore/model", test_model);
  return g_test_run ();
}
