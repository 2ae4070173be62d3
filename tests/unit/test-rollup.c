/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "store/metrics-rollup.h"

typedef struct
{
  MetricsStore *store;
  MetricsRollupRules *rules;
  MetricsRollup *rollup;
  Model *model;
} Fixture;

static gint64
tell_time (gpointer user_data)
{
  return 1000000;
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
set_up (Fixture *f, gconstpointer user_data)
{
  f->rules = parse ("[rollup]\na=last 10s:100y 600s:100y\n");
  f->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  f->rollup = metrics_rollup_new (f->store, f->rules, tell_time, NULL);
  f->model = model_new ();
}

static void
tear_down (Fixture *f, gconstpointer user_data)
{
  metrics_rollup_free (f->rollup);
  metrics_rollup_rules_free (f->rules);
  model_free (f->model);
  g_assert_finalize_object (f->store);
}

static void
put_both (Fixture *f, gint64 time, double value)
{
  MetricsPoint point = { .time = time, .value = value };

  g_assert_true (metrics_store_put (f->store, "a", 1, point, NULL));
  model_put (f->model, "a", point);
}

static void
finish_round (Fixture *f)
{
  gint budget = G_MAXINT;

  metrics_rollup_begin (f->rollup);
  g_assert_cmpint (metrics_rollup_work (f->rollup, &budget), ==, METRICS_QUERY_DONE);
}

static void
assert_buckets (Fixture *f)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "a", G_MININT64, G_MAXINT64);

  spec.aggregation = METRICS_AGGREGATION_LAST;
  for (spec.step = 10; spec.step <= 600; spec.step += 590)
    {
      g_autoptr (GArray) expected = model_answer (f->model, &spec);
      g_autoptr (Run) run = run_new (f->store, &spec);

      run_to_end (run, 1000);
      model_assert_rows (expected, run->rows, &spec);
    }
}

/* A bucket is complete when a point has come behind it, and is not when that was deleted: then one can come
 * into it that is behind all others. */
static void
test_newest_deleted (Fixture *f, gconstpointer user_data)
{
  static const gint64 times[] = { 610, 700, 2000, 2500, 1042, 3000 };
  MetricsQuerySpec newest = spec_of (METRICS_QUERY_DELETE, "a", GPOINTER_TO_INT (user_data), G_MAXINT64);

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      if (times[i] == 1042)
        g_assert_cmpuint (run_delete (f->store, &newest, 100), ==, model_delete (f->model, &newest));
      finish_round (f);
      put_both (f, times[i], i);
      assert_buckets (f);
      finish_round (f);
      assert_buckets (f);
    }
}

/* What came late is noted by the coarsest bucket that the rules have then; another one that begins where that
 * did, and ends earlier, does not take its place. */
static void
test_late_by_other_rules (Fixture *f, gconstpointer user_data)
{
  MetricsRollupRules *others = parse ("[rollup]\na=last 10s:100y 60s:100y\n");
  static const gint64 times[] = { 610, 1100, 2000, 3000 };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    put_both (f, times[i], i);
  finish_round (f);
  put_both (f, 1105, 7);
  metrics_rollup_set_rules (f->rollup, others);
  put_both (f, 615, 8);
  assert_buckets (f);
  finish_round (f);
  assert_buckets (f);
  metrics_rollup_rules_free (others);
}

int
main (int argc, char **argv)
{
#define ADD(name, data, func)                                                                                \
  g_test_add ("/rollup/" name, Fixture, GINT_TO_POINTER (data), set_up, func, tear_down)

  g_test_init (&argc, &argv, NULL);

  ADD ("newest-deleted", 1300, test_newest_deleted);
  ADD ("newest-deleted/part-of-a-bucket", 650, test_newest_deleted);
  ADD ("newest-deleted/all", 0, test_newest_deleted);
  ADD ("late-by-other-rules", 0, test_late_by_other_rules);

  return g_test_run ();
}
