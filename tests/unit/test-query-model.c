/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "active.h"

/* Queries that go on bit by bit while others put and delete. */

#define N_KEYS 8
#define N_TIMES 40
#define MAX_ACTIVE 6

typedef struct
{
  MetricsStore *store;
  Model *model;
  GPtrArray *active; /* (owned) (element-type Active) */
  guint n_finished;
} Fixture;

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
  spec.step = g_test_rand_int_range (1, 20);
  spec.aggregation = g_test_rand_int_range (METRICS_AGGREGATION_AVG, METRICS_AGGREGATION_RATE + 1);
  g_ptr_array_add (f->active, active_new (f->store, f->model, &spec));
}

static void
advance (Fixture *f, guint index, gint budget)
{
  Active *active = g_ptr_array_index (f->active, index);
  MetricsQueryState state = run_next (active->run, budget);

  if (active->run->spec.kind == METRICS_QUERY_DELETE)
    active_follow_deletion (active, f->store, f->model, NULL);
  if (state != METRICS_QUERY_DONE)
    return;
  if (active->run->spec.kind == METRICS_QUERY_DELETE)
    active_check_deletion (active);
  else
    active_check_answer (active);
  f->n_finished++;
  g_ptr_array_remove_index (f->active, index);
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
        assert_store_is (f.store, f.model, NULL);
    }
  g_assert_cmpuint (f.n_finished, >, n / 100);

  g_ptr_array_unref (f.active);
  assert_store_is (f.store, f.model, NULL);
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
