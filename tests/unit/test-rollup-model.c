/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"
#include "helpers.h"
#include "store/metrics-rollup-job.h"
#include "store/metrics-rollup.h"
#include "store/metrics-store-private.h"
#include "tape.h"

/* Random changes, while points are rolled up, and dropped, in between; what is read has to be what a plain
 * computation over all points ever put says. */

#define N_KEYS 4
#define COARSEST 600

typedef struct
{
  const char *key;
  gint64 newest;
  gint64 floor;  /* points before it are dropped, or may be */
  gint64 cutoff; /* and are not put any more */
} Key;

typedef struct
{
  MetricsStore *store;
  DummyChunkSource *source; /* (owned) (nullable) */
  MetricsRollupRules *rules;
  GPtrArray *others; /* (owned) (nullable): rules that take the place of these from time to time */
  MetricsRollup *rollup;
  Model *model;
  gboolean drops;
  gint64 now;
  Key keys[N_KEYS];
  guint n_read;
  guint n_dropped;
  guint64 n_rolled; /* at most, at a time */
} Fixture;

static const char config[] = "[rollup]\n"
                             "a*=avg 10s:100y 60s:100y 600s:100y\n"
                             "b=max 20s:100y 600s:100y\n"
                             "c=last 600s:100y\n"
                             "*=min 1s:100y 2s:100y 600s:100y\n";

/* Other functions, finer and coarser tiers, and none. */
static const char *const other_configs[] = {
  "[rollup]\na*=avg 10s:100y 60s:100y\n*=min 1s:100y\n",
  "[rollup]\n",
  "[rollup]\na*=max 10s:100y 1200s:100y\nb=max 20s:100y 600s:100y\n*=sum 7s:100y 70s:100y 4200s:100y\n",
  "[rollup]\nc=last 60s:100y 600s:100y\n",
};

static gint64
tell_time (gpointer user_data)
{
  return ((const Fixture *) user_data)->now;
}

static gint64
tell_cutoff (const char *key, gsize len, gint64 now, gpointer user_data)
{
  Fixture *f = user_data;

  for (guint i = 0; i < N_KEYS; i++)
    if (strlen (f->keys[i].key) == len && memcmp (f->keys[i].key, key, len) == 0)
      return f->keys[i].cutoff;
  return G_MININT64;
}

static MetricsRollupRules *
parse (const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  MetricsRollupRules *rules;

  g_key_file_load_from_data (file, text, -1, G_KEY_FILE_KEEP_TRANSLATIONS, &error);
  g_assert_no_error (error);
  rules = metrics_rollup_rules_new (file, "rollup", &error);
  g_assert_no_error (error);
  return rules;
}

static void
fixture_init (Fixture *f, gboolean drops)
{
  static const char *const keys[N_KEYS] = { "a1", "b", "c", "d" };

  *f = (Fixture){ .drops = drops, .now = 1000000, .model = model_new () };
  f->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  f->rules = parse (config);
  f->rollup = metrics_rollup_new (f->store, f->rules, tell_time, f);
  if (drops)
    metrics_rollup_set_cutoff_func (f->rollup, tell_cutoff, f);
  for (guint i = 0; i < N_KEYS; i++)
    f->keys[i] = (Key){ .key = keys[i], .floor = G_MININT64, .cutoff = G_MININT64 };
}

static void
fixture_clear (Fixture *f)
{
  metrics_rollup_free (f->rollup);
  g_clear_pointer (&f->others, g_ptr_array_unref);
  metrics_rollup_rules_free (f->rules);
  model_free (f->model);
  g_assert_finalize_object (f->store);
}

static Key *
pick_key (Fixture *f)
{
  return &f->keys[g_test_rand_int_range (0, N_KEYS)];
}

static gint64
random_time (gint64 from, gint64 to)
{
  return from + (gint64) (g_test_rand_double () * (to - from + 1));
}

/* Where the answer is on disk, it comes when the main loop is idle. */
static void
run_waiting (Run *run, gint budget)
{
  MetricsQueryState state;

  while ((state = run_next (run, budget)) != METRICS_QUERY_DONE)
    {
      g_assert_cmpint (state, !=, METRICS_QUERY_LOST);
      g_assert_cmpint (state, !=, METRICS_QUERY_REFUSED);
      if (state == METRICS_QUERY_NOT_YET)
        g_main_context_iteration (NULL, TRUE);
    }
}

static void
put_waiting (MetricsStore *store, const char *key, MetricsPoint point)
{
  MetricsQuerySpec spec = { .kind = METRICS_QUERY_PUT, .key = key, .key_len = strlen (key), .point = point };
  g_autoptr (Run) run = NULL;
  g_autoptr (GError) error = NULL;

  if (metrics_store_put (store, key, strlen (key), point, &error))
    return;
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET);
  run = run_new (store, &spec);
  run_waiting (run, 50);
}

static guint64
delete_waiting (MetricsStore *store, const MetricsQuerySpec *spec)
{
  g_autoptr (Run) run = run_new (store, spec);

  run_waiting (run, 50);
  return metrics_query_get_n_deleted (run->query);
}

static void
put_at (Fixture *f, Key *key, gint64 time)
{
  MetricsPoint point = { .time = time, .value = g_test_rand_int_range (-500, 500) / 4. };

  if (time < MAX (key->floor, key->cutoff))
    return;
  model_put (f->model, key->key, point);
  put_waiting (f->store, key->key, point);
  key->newest = MAX (key->newest, time);
}

static void
put_some (Fixture *f)
{
  Key *key = pick_key (f);
  guint n = g_test_rand_int_range (1, 40);

  if (g_test_rand_int_range (0, 3) == 0)
    put_at (f, key, random_time (MAX (-3000, key->newest - 5000), key->newest));
  else
    for (guint i = 0; i < n; i++)
      put_at (f, key, key->newest + g_test_rand_int_range (1, 50));
}

/* Of what is dropped, whole buckets are deleted: else there is no telling what is left. */
static void
delete_some (Fixture *f)
{
  Key *key = pick_key (f);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key->key, G_MININT64, G_MAXINT64);
  gint kind = g_test_rand_int_range (0, 12);

  if (kind > 0)
    {
      spec.from = random_time (-3000, key->newest + 100);
      spec.to = spec.from + random_time (0, kind < 3 ? 5000 : 300);
    }
  if (kind == 1)
    spec.to = G_MAXINT64;
  if (f->drops && kind > 0)
    {
      spec.from = (spec.from + 6000) / COARSEST * COARSEST - 6000;
      if (kind > 1)
        spec.to = (spec.to + 6000) / COARSEST * COARSEST - 6000 + COARSEST - 1;
    }
  if (!f->drops)
    g_assert_cmpuint (delete_waiting (f->store, &spec), ==, model_delete (f->model, &spec));
  else
    {
      delete_waiting (f->store, &spec);
      model_delete (f->model, &spec);
    }
  if (kind == 0)
    key->floor = G_MININT64;
}

static void
drop_some (Fixture *f)
{
  Key *key = pick_key (f);
  gint64 wanted = random_time (-3000, key->newest + 700);
  gsize len = strlen (key->key);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, key->key, G_MININT64, 0);
  gint64 before;

  if (!f->drops || wanted <= key->cutoff)
    return;
  key->cutoff = wanted;
  key->newest = MAX (key->newest, wanted);
  before = metrics_rollup_get_droppable (f->rollup, key->key, len, wanted);
  g_assert_cmpint (before, <=, wanted);
  if (before == G_MININT64)
    return;
  g_assert_true (metrics_rollup_note_drop (f->rollup, key->key, len, before));
  spec.to = before - 1;
  spec.is_raw = TRUE;
  spec.is_pattern = FALSE;
  f->n_dropped += delete_waiting (f->store, &spec);
  key->floor = MAX (key->floor, (before + 6000 + COARSEST - 1) / COARSEST * COARSEST - 6000);
}

static void
work (Fixture *f)
{
  gint budget = g_test_rand_int_range (1, 400);

  if (f->others != NULL && g_test_rand_int_range (0, 100) == 0)
    metrics_rollup_set_rules (f->rollup, f->others->pdata[g_test_rand_int_range (0, f->others->len)]);
  if (g_test_rand_int_range (0, 4) == 0)
    metrics_rollup_begin (f->rollup);
  if (metrics_rollup_work (f->rollup, &budget) == METRICS_QUERY_NOT_YET)
    g_main_context_iteration (NULL, FALSE);
}

/* All goes to the disk, and leaves memory. */
static void
cool (Fixture *f)
{
  gint budget = G_MAXINT;

  dummy_chunk_source_save (f->source, f->store, metrics_store_get_entries (f->store)->newest_id);
  metrics_store_evict (f->store, 0, &budget);
}

static void
change (Fixture *f)
{
  gint choice = g_test_rand_int_range (0, 100);

  if (choice < 60)
    put_some (f);
  else if (choice < 64)
    delete_some (f);
  else if (choice < 70)
    drop_some (f);
  else
    work (f);
}

static MetricsQuerySpec
make_spec (Fixture *f)
{
  static const gint64 steps[] = { 10, 20, 60, 120, 600, 1200, 7 };
  static const MetricsAggregation functions[]
      = { METRICS_AGGREGATION_AVG,   METRICS_AGGREGATION_SUM, METRICS_AGGREGATION_COUNT,
          METRICS_AGGREGATION_MIN,   METRICS_AGGREGATION_MAX, METRICS_AGGREGATION_LAST,
          METRICS_AGGREGATION_FIRST, METRICS_AGGREGATION_P95, METRICS_AGGREGATION_MEDIAN };
  const Key *key = pick_key (f);
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, f->drops || g_test_rand_bit () ? key->key : "*",
                                   G_MININT64, G_MAXINT64);

  if (g_test_rand_bit ())
    spec.from = random_time (-3000, key->newest);
  if (g_test_rand_bit ())
    spec.to = random_time (spec.from == G_MININT64 ? -3000 : spec.from, key->newest + 100);
  spec.step = steps[g_test_rand_int_range (0, G_N_ELEMENTS (steps))];
  spec.aggregation = functions[g_test_rand_int_range (0, G_N_ELEMENTS (functions))];
  if (!f->drops)
    return spec;

  /* What there is of older times only can be told of what the rules keep. */
  spec.aggregation = key->key[0] == 'a'   ? functions[g_test_rand_int_range (0, 3)]
                     : key->key[0] == 'b' ? METRICS_AGGREGATION_MAX
                     : key->key[0] == 'c' ? METRICS_AGGREGATION_LAST
                                          : METRICS_AGGREGATION_MIN;
  spec.step = key->key[0] == 'c'   ? COARSEST * g_test_rand_int_range (1, 4)
              : key->key[0] == 'b' ? 20 * g_test_rand_int_range (1, 70)
                                   : 10 * g_test_rand_int_range (1, 130);
  if (spec.from != G_MININT64)
    spec.from = (spec.from / spec.step - 1) * spec.step;
  if (spec.to != G_MAXINT64)
    spec.to = (spec.to / spec.step + 1) * spec.step - 1;
  return spec;
}

/* Once a query has come to a series, it shows it as it is then, whatever happens next. */
static void
check (Fixture *f)
{
  MetricsQuerySpec spec = make_spec (f);
  g_autoptr (GArray) expected = NULL;
  g_autoptr (GPtrArray) list = model_list (f->model, &spec);
  g_autoptr (Run) run = NULL;

  expected = model_answer (f->model, &spec);
  run = run_new (f->store, &spec);
  if (strcmp (spec.key, "*") != 0 && g_test_rand_bit ())
    {
      g_assert_cmpint (run_next (run, 1), !=, METRICS_QUERY_ROW);
      for (guint i = 0; i < 5; i++)
        change (f);
    }
  run_waiting (run, g_test_rand_int_range (1, 300));
  model_assert_rows (expected, run->rows, &spec);
  f->n_read += run->rows->len;
  f->n_rolled = MAX (f->n_rolled, metrics_rollup_get_n_points (f->store));
}

/* What is counted is what there is. */
static void
check_count (Fixture *f)
{
  MetricsEntryList *entries = metrics_store_get_entries (f->store);
  guint64 n_series = 0;
  guint64 n_points = 0;

  for (const MetricsEntry *entry = entries->first; entry != NULL; entry = entry->next)
    {
      if (!entry->head.is_hidden || entry->head.is_dead)
        continue;
      n_series++;
      n_points += entry->series.n_points;
    }
  g_assert_cmpuint (metrics_rollup_get_n_series (f->store), ==, n_series);
  g_assert_cmpuint (metrics_rollup_get_n_points (f->store), ==, n_points);
}

/* How much there is of all is a matter of what is deleted when, and of which rules hold how long. */
static gboolean
has_seen_enough (const Fixture *f, guint n)
{
  return f->n_read > n && f->n_rolled > 1000 && (!f->drops || f->n_dropped > n / 100);
}

static void
test_model (gconstpointer user_data)
{
  Fixture f;
  MetricsQuerySpec all = spec_of (METRICS_QUERY_DELETE, "*", G_MININT64, G_MAXINT64);
  guint n = get_operations (30000);

  fixture_init (&f, GPOINTER_TO_INT (user_data));
  for (guint i = 0; i < n || !has_seen_enough (&f, n); i++)
    {
      g_assert_cmpuint (i, <, 100 * n);
      change (&f);
      if (i % 4 == 0)
        check (&f);
    }
  if (!f.drops)
    g_assert_cmpuint (metrics_store_get_n_points (f.store), ==, model_count_points (f.model));
  check_count (&f);

  run_delete (f.store, &all, 100);
  check_count (&f);
  g_assert_cmpuint (metrics_rollup_get_n_points (f.store), ==, 0);
  fixture_clear (&f);
}

/* Makes a store of the first @n changes that were told to the journal. */
static MetricsStore *
restore (Tape *tape, guint n)
{
  MetricsStore *store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  guint64 newest_id = 0;

  for (guint i = 0; i < n; i++)
    {
      const Change *change = tape_get (tape, i);
      MetricsChunkRequest request;

      newest_id = MAX (newest_id, change->id);
      if (change->kind == CHANGE_BEGIN)
        metrics_store_restore_series (store, change->id, change->key, strlen (change->key), NULL);
      else if (change->kind == CHANGE_PUT)
        metrics_store_restore_put (store, change->id, change->point, &request);
      else
        metrics_store_restore_remove (store, change->id, change->from, change->to, &request);
    }
  metrics_store_restore_finish (store, newest_id);
  return store;
}

static void
read_all (Fixture *f)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = run_new (f->store, &spec);

  run_to_end (run, 1000);
  for (guint i = 0; i < run->rows->len; i++)
    {
      const ModelRow *row = &g_array_index (run->rows, ModelRow, i);

      model_put (f->model, row->key, row->point);
    }
}

/* A crash between any two changes: what is rolled up agrees with the points that are there then, and after
 * it was worked on. */
static void
crash (Fixture *f, Tape *tape)
{
  Fixture after = *f;
  guint n = tape_get_length (tape);
  guint n_lost = g_test_rand_int_range (0, 60);

  after.store = restore (tape, n - MIN (n, n_lost));
  after.model = model_new ();
  read_all (&after);
  after.rollup = metrics_rollup_new (after.store, after.rules, tell_time, &after);
  check_count (&after);
  for (guint i = 0; i < 12; i++)
    {
      if (i > 5)
        work (&after);
      check (&after);
    }
  f->n_read = after.n_read;
  metrics_rollup_free (after.rollup);
  model_free (after.model);
  g_assert_finalize_object (after.store);
}

static void
test_cold (gconstpointer user_data)
{
  Fixture f;
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (Tape) tape = tape_new ();
  guint n = get_operations (6000);

  fixture_init (&f, GPOINTER_TO_INT (user_data));
  f.source = source;
  metrics_store_set_chunk_source (f.store, METRICS_CHUNK_SOURCE (source));
  metrics_store_set_journal (f.store, METRICS_JOURNAL (tape));
  for (guint i = 0; i < n || f.n_read <= n || dummy_chunk_source_get_n_fetched (source) == 0; i++)
    {
      g_assert_cmpuint (i, <, 100 * n);
      change (&f);
      if (i % 4 == 0)
        check (&f);
      if (i % 100 == 99)
        cool (&f);
      if (g_test_rand_int_range (0, 100) == 0)
        check_count (&f);
    }
  metrics_store_set_journal (f.store, NULL);
  fixture_clear (&f);
}

static void
test_crash (void)
{
  Fixture f;
  g_autoptr (Tape) tape = tape_new ();
  guint n = get_operations (6000);

  fixture_init (&f, FALSE);
  metrics_store_set_journal (f.store, METRICS_JOURNAL (tape));
  for (guint i = 0; i < n || f.n_read <= n; i++)
    {
      g_assert_cmpuint (i, <, 100 * n);
      change (&f);
      if (g_test_rand_int_range (0, 30) == 0)
        crash (&f, tape);
    }
  metrics_store_set_journal (f.store, NULL);
  fixture_clear (&f);
}

static void
work_until (Fixture *f, gboolean has_job)
{
  do
    {
      gint budget = 100;

      metrics_rollup_work (f->rollup, &budget);
    }
  while ((f->rollup->job->key != NULL) != has_job);
}

static void
finish_round (Fixture *f)
{
  gint budget = G_MAXINT;

  metrics_rollup_begin (f->rollup);
  g_assert_cmpint (metrics_rollup_work (f->rollup, &budget), ==, METRICS_QUERY_DONE);
}

/* However many late points come during a job, what it remembers of them is bounded. */
static void
test_notes (void)
{
  Fixture f;

  fixture_init (&f, FALSE);
  for (gint64 time = 0; time < 100000; time++)
    g_assert_true (metrics_store_put (f.store, "d", 1, (MetricsPoint){ .time = time, .value = 1 }, NULL));
  metrics_rollup_begin (f.rollup);
  work_until (&f, TRUE);
  for (guint i = 0; i < 10000; i++)
    {
      MetricsPoint point = { .time = i % 100 * 600, .value = 0 };

      g_assert_true (metrics_store_put (f.store, "d", 1, point, NULL));
    }
  g_assert_cmpuint (f.rollup->job->noted->len, >, 0);
  g_assert_cmpuint (f.rollup->job->noted->len, <, 100);

  /* All of them are rolled again. */
  work_until (&f, FALSE);
  finish_round (&f);
  finish_round (&f);
  g_assert_null (metrics_rollup_lookup_mark (f.store, "d", 1, METRICS_ROLLUP_LATE));
  g_assert_null (metrics_rollup_lookup_mark (f.store, "d", 1, METRICS_ROLLUP_FILL));
  fixture_clear (&f);
}

/* Whatever the rules become, and whoever reads meanwhile: the answers are as without any. */
static void
test_other_rules (void)
{
  Fixture f;
  guint n = get_operations (30000);

  fixture_init (&f, FALSE);
  f.others = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_rollup_rules_free);
  g_ptr_array_add (f.others, parse (config));
  for (guint i = 0; i < G_N_ELEMENTS (other_configs); i++)
    g_ptr_array_add (f.others, parse (other_configs[i]));
  for (guint i = 0; i < n || !has_seen_enough (&f, n); i++)
    {
      g_assert_cmpuint (i, <, 100 * n);
      change (&f);
      if (i % 4 == 0)
        check (&f);
    }
  g_assert_cmpuint (metrics_store_get_n_points (f.store), ==, model_count_points (f.model));
  check_count (&f);

  /* What no rule asks for goes. */
  metrics_rollup_set_rules (f.rollup, f.others->pdata[2]);
  finish_round (&f);
  /* The first one may have been begun before, and be disturbed by a deletion. */
  finish_round (&f);
  g_assert_cmpuint (metrics_rollup_get_n_points (f.store), ==, 0);
  check_count (&f);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/rollup/model/all-there", GINT_TO_POINTER (FALSE), test_model);
  g_test_add_data_func ("/rollup/model/dropped", GINT_TO_POINTER (TRUE), test_model);
  g_test_add_data_func ("/rollup/model/cold", GINT_TO_POINTER (FALSE), test_cold);
  g_test_add_data_func ("/rollup/model/cold-dropped", GINT_TO_POINTER (TRUE), test_cold);
  g_test_add_func ("/rollup/model/other-rules", test_other_rules);
  g_test_add_func ("/rollup/model/crash", test_crash);
  g_test_add_func ("/rollup/model/notes", test_notes);
  return g_test_run ();
}
