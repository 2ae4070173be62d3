/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "store/metrics-rollup.h"

static gint64
tell_time (gpointer user_data)
{
  return 1000000;
}

static MetricsRollup *
roll_up (MetricsStore *store, const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  MetricsRollupRules *rules;
  MetricsRollup *rollup;

  g_key_file_load_from_data (file, text, -1, G_KEY_FILE_KEEP_TRANSLATIONS, &error);
  g_assert_no_error (error);
  rules = metrics_rollup_rules_new (file, "rollup", &error);
  g_assert_no_error (error);
  rollup = metrics_rollup_new (store, rules, tell_time, NULL);
  metrics_rollup_rules_free (rules);
  return rollup;
}

static void
finish_round (MetricsRollup *rollup)
{
  gint budget = G_MAXINT;

  metrics_rollup_begin (rollup);
  g_assert_cmpint (metrics_rollup_work (rollup, &budget), ==, METRICS_QUERY_DONE);
}

static void
assert_buckets (MetricsStore *store, Model *model)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_BUCKETS, "a", G_MININT64, G_MAXINT64);
  g_autoptr (GArray) expected = NULL;
  g_autoptr (Run) run = NULL;

  spec.step = 600;
  spec.aggregation = METRICS_AGGREGATION_LAST;
  expected = model_answer (model, &spec);
  run = run_new (store, &spec);
  run_to_end (run, 1000);
  model_assert_rows (expected, run->rows, &spec);
}

/* A bucket is complete when a point has come behind it, and is not when that was deleted: then one can come
 * into it that is behind all others. */
static void
test_newest_deleted (gconstpointer user_data)
{
  static const gint64 times[] = { 610, 700, 2000, 2500, 1042, 3000 };
  gint64 from = GPOINTER_TO_INT (user_data);
  MetricsQuerySpec newest = spec_of (METRICS_QUERY_DELETE, "a", from, G_MAXINT64);
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  MetricsRollup *rollup = roll_up (store, "[rollup]\na=last 60s:100y 600s:100y\n");
  Model *model = model_new ();

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      if (times[i] == 1042)
        g_assert_cmpuint (run_delete (store, &newest, 100), ==, model_delete (model, &newest));
      finish_round (rollup);
      g_assert_true (metrics_store_put (store, "a", 1, (MetricsPoint){ .time = times[i], .value = i }, NULL));
      model_put (model, "a", (MetricsPoint){ .time = times[i], .value = i });
      assert_buckets (store, model);
      finish_round (rollup);
      assert_buckets (store, model);
    }
  metrics_rollup_free (rollup);
  model_free (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/rollup/newest-deleted", GINT_TO_POINTER (1300), test_newest_deleted);
  g_test_add_data_func ("/rollup/newest-deleted/part-of-a-bucket", GINT_TO_POINTER (650),
                        test_newest_deleted);
  g_test_add_data_func ("/rollup/newest-deleted/all", GINT_TO_POINTER (0), test_newest_deleted);
  return g_test_run ();
}
