/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"

#include <string.h>

/* Queries that go on bit by bit while others put and delete. An answer has to show the series that there were
 * when it began, in their order, each of them in a state that it had since then, and none of the points that
 * were stored then may be missing. */

#define N_KEYS 8
#define N_TIMES 40
#define MAX_ACTIVE 6

typedef struct
{
  Run *run;          /* (owned) */
  GPtrArray *series; /* (owned) (element-type ModelSeries): that match, when it began; of a deletion, those
                        that it has not reached yet */
  GArray *n_states;  /* (owned) (element-type guint): how many states each of them had had */
  guint64 n_deleted; /* in the model */
} Active;

typedef struct
{
  MetricsStore *store;
  Model *model;
  GPtrArray *active; /* (owned) (element-type Active) */
  guint n_finished;
} Fixture;

static void
active_free (Active *active)
{
  run_free (active->run);
  g_ptr_array_unref (active->series);
  g_array_unref (active->n_states);
  g_free (active);
}

static void
put_random (Fixture *f)
{
  g_autofree char *key
      = g_strdup_printf ("%c%d", g_test_rand_bit () ? 'a' : 'b', g_test_rand_int_range (0, N_KEYS));
  gint64 start = g_test_rand_int_range (0, N_TIMES);
  /* Sometimes more than a chunk. */
  guint n = g_test_rand_int_range (0, 50) == 0 ? g_test_rand_int_range (1, 700) : 1;

  for (guint i = 0; i < n; i++)
    {
      MetricsPoint point = { .time = start + i, .value = g_test_rand_int_range (0, 1000) };

      put (f->store, key, point.time, point.value);
      model_put (f->model, key, point);
    }
}

static void
begin_random (Fixture *f)
{
  static const char *const patterns[] = { "*", "*", "a*", "b?", "*3", "a1", "b2" };
  gboolean delete = g_test_rand_int_range (0, 3) == 0;
  MetricsQueryKind kind = delete ? METRICS_QUERY_DELETE : g_test_rand_int_range (0, METRICS_QUERY_KEYS + 1);
  const char *pattern = patterns[g_test_rand_int_range (0, G_N_ELEMENTS (patterns))];
  gint64 from = g_test_rand_bit () ? G_MININT64 : g_test_rand_int_range (0, N_TIMES);
  gint64 to = g_test_rand_bit () ? G_MAXINT64 : from + g_test_rand_int_range (0, N_TIMES);
  MetricsQuerySpec spec = spec_of (kind, pattern, from, MAX (from, to));
  Active *active = g_new0 (Active, 1);

  spec.step = g_test_rand_int_range (1, 20);
  spec.aggregation = g_test_rand_int_range (METRICS_AGGREGATION_AVG, METRICS_AGGREGATION_RATE + 1);
  active->run = run_new (f->store, &spec);
  active->series = model_list (f->model, &spec);
  active->n_states = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < active->series->len; i++)
    {
      const ModelSeries *series = g_ptr_array_index (active->series, i);

      g_array_append_val (active->n_states, series->states->len);
    }
  g_ptr_array_add (f->active, active);
}

static gboolean
has_all (const GArray *state, const GArray *start, const MetricsQuerySpec *spec)
{
  gboolean has_span = spec->kind == METRICS_QUERY_POINTS || spec->kind == METRICS_QUERY_BUCKETS;
  guint j = 0;

  for (guint i = 0; i < start->len; i++)
    {
      gint64 time = g_array_index (start, MetricsPoint, i).time;

      if (has_span && (time < spec->from || time > spec->to))
        continue;
      while (j < state->len && g_array_index (state, MetricsPoint, j).time < time)
        j++;
      if (j == state->len || g_array_index (state, MetricsPoint, j).time != time)
        return FALSE;
    }
  return TRUE;
}

/* Whether the rows from @at on, as many as there are of that key, are what a state of a series gives. */
static gboolean
is_answer (const Run *run, guint at, guint n, const ModelSeries *series, const GArray *state)
{
  g_autoptr (GArray) expected = g_array_new (FALSE, FALSE, sizeof (ModelRow));

  model_answer_series (series->key, state, &run->spec, expected);
  if (expected->len != n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      if (!model_is_same_row (&g_array_index (expected, ModelRow, i),
                              &g_array_index (run->rows, ModelRow, at + i), &run->spec))
        return FALSE;
    }
  return TRUE;
}

/* Returns: whether one of the states since the query began explains the rows */
static gboolean
is_explained (const Active *active, guint index, guint at, guint n)
{
  const ModelSeries *series = g_ptr_array_index (active->series, index);
  guint first = g_array_index (active->n_states, guint, index);
  const GArray *start
      = first < series->states->len ? g_ptr_array_index (series->states, first) : series->points;

  for (guint i = first; i <= series->states->len; i++)
    {
      const GArray *state = i < series->states->len ? g_ptr_array_index (series->states, i) : series->points;

      if (has_all (state, start, &active->run->spec) && is_answer (active->run, at, n, series, state))
        return TRUE;
    }
  return FALSE;
}

static void
check_answer (const Active *active)
{
  const GArray *rows = active->run->rows;
  g_autofree char *text = model_describe (&active->run->spec);
  guint at = 0;

  for (guint i = 0; i < active->series->len; i++)
    {
      const ModelSeries *series = g_ptr_array_index (active->series, i);
      guint n = 0;

      while (at + n < rows->len && strcmp (g_array_index (rows, ModelRow, at + n).key, series->key) == 0)
        n++;
      if (!is_explained (active, i, at, n))
        g_error ("%s: nothing explains the %u rows of '%s'", text, n, series->key);
      at += n;
    }
  g_assert_cmpuint (at, ==, rows->len);
}

static GArray *
ask_store (Fixture *f, const char *key, Run **run)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, key, G_MININT64, G_MAXINT64);

  *run = run_new (f->store, &spec);
  run_to_end (*run, 1000);
  return (*run)->rows;
}

static gboolean
is_state (const GArray *rows, const GArray *points)
{
  if (rows->len != points->len)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    {
      if (g_array_index (rows, ModelRow, i).point.time != g_array_index (points, MetricsPoint, i).time)
        return FALSE;
    }
  return TRUE;
}

static void
forget_series (Active *active, guint index)
{
  g_ptr_array_remove_index (active->series, index);
  g_array_remove_index (active->n_states, index);
}

/* Finds out which series a deletion has reached, and does the same to the model. Each has to be deleted from
 * in full, or not at all. */
static void
follow_deletion (Fixture *f, Active *active)
{
  for (guint i = 0; i < active->series->len; i++)
    {
      ModelSeries *series = g_ptr_array_index (active->series, i);
      g_autoptr (Run) run = NULL;
      const GArray *rows;

      if (!g_ptr_array_find (f->model->series, series, NULL))
        {
          forget_series (active, i--);
          continue;
        }
      rows = ask_store (f, series->key, &run);
      if (is_state (rows, series->points))
        continue;
      model_series_ref (series);
      active->n_deleted += model_delete_from (f->model, series, &active->run->spec);
      g_assert_true (is_state (rows, series->points));
      forget_series (active, i--);
      model_series_unref (series);
    }
}

static gboolean
has_none (const GArray *state, const MetricsQuerySpec *spec)
{
  for (guint i = 0; i < state->len; i++)
    {
      gint64 time = g_array_index (state, MetricsPoint, i).time;

      if (time >= spec->from && time <= spec->to)
        return FALSE;
    }
  return TRUE;
}

static void
check_deletion (const Active *active)
{
  const MetricsQuerySpec *spec = &active->run->spec;

  g_assert_cmpuint (metrics_query_get_n_deleted (active->run->query), ==, active->n_deleted);
  /* Where nothing was seen to be deleted, there has to have been a moment when nothing could be. */
  for (guint i = 0; i < active->series->len; i++)
    {
      const ModelSeries *series = g_ptr_array_index (active->series, i);
      gboolean found = has_none (series->points, spec);

      for (guint j = g_array_index (active->n_states, guint, i); j < series->states->len && !found; j++)
        found = has_none (g_ptr_array_index (series->states, j), spec);
      g_assert_true (found);
    }
}

static void
advance (Fixture *f, guint index, gint budget)
{
  Active *active = g_ptr_array_index (f->active, index);
  MetricsQueryState state = run_next (active->run, budget);

  if (active->run->spec.kind == METRICS_QUERY_DELETE)
    follow_deletion (f, active);
  if (state != METRICS_QUERY_DONE)
    return;
  if (active->run->spec.kind == METRICS_QUERY_DELETE)
    check_deletion (active);
  else
    check_answer (active);
  f->n_finished++;
  g_ptr_array_remove_index (f->active, index);
}

static void
check_store (Fixture *f)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (GArray) expected = model_answer (f->model, &spec);
  g_autoptr (Run) run = run_new (f->store, &spec);

  run_to_end (run, 4096);
  model_assert_rows (expected, run->rows, &spec);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, expected->len);
}

static void
do_random (Fixture *f)
{
  guint choice = g_test_rand_int_range (0, 100);

  if (choice < 40)
    put_random (f);
  else if (choice < 50 && f->active->len < MAX_ACTIVE)
    begin_random (f);
  else if (choice < 51 && f->active->len > 0)
    g_ptr_array_remove_index (f->active, g_test_rand_int_range (0, f->active->len));
  else if (f->active->len > 0)
    advance (f, g_test_rand_int_range (0, f->active->len), g_test_rand_int_range (1, 30));
}

static void
test_interleaved (void)
{
  Fixture f = { .store = metrics_store_new (G_MAXUINT64, G_MAXUINT64), .model = model_new () };
  MetricsQuerySpec all = spec_of (METRICS_QUERY_DELETE, "*", G_MININT64, G_MAXINT64);
  guint n = get_operations (300000);

  f.active = g_ptr_array_new_with_free_func ((GDestroyNotify) active_free);
  f.model->keep_states = TRUE;
  for (guint i = 0; i < n; i++)
    {
      do_random (&f);
      if (i % 1000 == 0)
        check_store (&f);
    }
  g_assert_cmpuint (f.n_finished, >, n / 100);

  g_ptr_array_unref (f.active);
  check_store (&f);
  g_assert_cmpuint (run_delete (f.store, &all, 100), ==, model_delete (f.model, &all));
  g_assert_cmpuint (metrics_store_get_memory (f.store), ==, 0);
  model_free (f.model);
  g_assert_finalize_object (f.store);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/query/model/interleaved", test_interleaved);
  return g_test_run ();
}
