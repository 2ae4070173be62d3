/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-pattern.h"
#include "store/metrics-sweep.h"

#include "dummy-chunk-source.h"
#include "dummy-journal.h"
#include "helpers.h"

#include <string.h>

#define DAY G_GINT64_CONSTANT (86400)
#define NOW (20000 * DAY)

static MetricsRetention *
try_retention (const char *text, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  MetricsRules *rules;

  g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS, error);
  g_assert_no_error (*error);
  rules = metrics_rules_new (file, "retention", error);
  g_assert_no_error (*error);
  return metrics_retention_new (rules, error);
}

static MetricsRetention *
new_retention (const char *text)
{
  g_autoptr (GError) error = NULL;
  MetricsRetention *retention = try_retention (text, &error);

  g_assert_no_error (error);
  return retention;
}

static void
on_wake (gpointer user_data)
{
  g_main_loop_quit (user_data);
}

/* Sweeps to the end, @budget units at a time. */
static guint64
sweep (MetricsStore *store, gint64 now, gint budget, guint *n_waits)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (MetricsSweep) sweep = metrics_sweep_new (store, now, on_wake, loop);
  gint max_beyond = 400 + metrics_store_get_n_points (store) / 32;

  for (;;)
    {
      gint left = budget;
      MetricsQueryState state = metrics_sweep_next (sweep, &left);

      g_assert_cmpint (left, >=, -max_beyond);
      if (state == METRICS_QUERY_DONE)
        return metrics_sweep_get_n_points (sweep);
      if (state == METRICS_QUERY_NOT_YET)
        {
          g_main_loop_run (loop);
          (*n_waits)++;
        }
      else
        g_assert_cmpint (state, ==, METRICS_QUERY_PAUSED);
    }
}

static void
test_wrong (void)
{
  static const char *const values[] = { "", "7", "x", "0d", "7x", "-1d", "99999999999999y", "forever" };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf ("[retention]\na=1d\ncpu.*=%s\n", values[i]);
      g_autofree char *quoted = g_strdup_printf ("[retention] cpu.*: '%s' is not a duration", values[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (try_retention (text, &error));
      g_assert_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE);
      g_assert_true (g_str_has_prefix (error->message, quoted));
    }
}

static void
test_cutoffs (void)
{
  g_autoptr (MetricsRetention) retention
      = new_retention ("[retention]\ncpu.*=7d\nold=9223372036854775807s\nmem=1d\n");
  g_autoptr (MetricsRetention) none = new_retention ("");

  g_assert_cmpint (metrics_retention_get_keep (retention, 0), ==, 7 * DAY);
  g_assert_cmpint (metrics_retention_get_cutoff (retention, 0, NOW), ==, NOW - 7 * DAY);
  g_assert_cmpint (metrics_retention_get_cutoff (retention, 1, NOW), ==, NOW - G_MAXINT64);
  g_assert_cmpint (metrics_retention_get_cutoff (retention, 1, -5), ==, G_MININT64);
  g_assert_cmpint (metrics_retention_get_cutoff (retention, 3, NOW), ==, G_MININT64);
  g_assert_cmpint (metrics_retention_get_latest_cutoff (retention, NOW), ==, NOW - DAY);
  g_assert_cmpint (metrics_retention_get_latest_cutoff (none, NOW), ==, G_MININT64);
}

static void
test_due (void)
{
  g_autoptr (MetricsRetention) retention = new_retention ("[retention]\ncpu.*=100d\nfast=50s\n");
  const gint64 cutoff = NOW - 100 * DAY;

  g_assert_false (metrics_retention_is_due (retention, 0, NOW, cutoff, NOW));
  g_assert_false (metrics_retention_is_due (retention, 0, NOW, cutoff - 1, NOW));
  g_assert_false (metrics_retention_is_due (retention, 0, NOW, cutoff - DAY + 1, NOW));
  g_assert_true (metrics_retention_is_due (retention, 0, NOW, cutoff - DAY, NOW));
  g_assert_true (metrics_retention_is_due (retention, 0, NOW, G_MININT64, G_MAXINT64));
  /* All of it. */
  g_assert_true (metrics_retention_is_due (retention, 0, NOW, cutoff - 1, cutoff - 1));
  g_assert_false (metrics_retention_is_due (retention, 0, NOW, cutoff - 1, cutoff));
  /* A hundredth of it is less than a second. */
  g_assert_true (metrics_retention_is_due (retention, 1, NOW, NOW - 51, NOW));
  g_assert_false (metrics_retention_is_due (retention, 1, NOW, NOW - 50, NOW));
  /* No rule. */
  g_assert_false (metrics_retention_is_due (retention, 2, NOW, G_MININT64, G_MININT64));
}

static gboolean
try_put (MetricsStore *store, const char *key, gint64 time)
{
  g_autoptr (GError) error = NULL;

  if (metrics_store_put (store, key, strlen (key), (MetricsPoint){ .time = time, .value = 1 }, &error))
    return TRUE;
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_TOO_OLD);
  g_assert_cmpstr (error->message, ==, "older than retention");
  return FALSE;
}

/* By the machine's clock; what lies a little before the cutoff when the test looks lies there still when the
 * store does. */
static void
test_refuse (void)
{
  g_autoptr (MetricsRetention) retention = new_retention ("[retention]\ncpu.*=7d\n*.x=1h\n*=10d\n");
  g_autoptr (MetricsRetention) some = new_retention ("[retention]\ncpu.*=7d\n");
  g_autoptr (MetricsStore) store = metrics_store_new (100, G_MAXUINT64);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  g_assert_true (try_put (store, "cpu.a", G_MININT64));
  metrics_store_set_retention (store, retention, now);
  g_assert_false (try_put (store, "cpu.a", now - 7 * DAY - 1));
  g_assert_true (try_put (store, "cpu.a", now - 6 * DAY));
  g_assert_false (try_put (store, "cpu.a", G_MININT64));
  g_assert_true (try_put (store, "cpu.x", now - 6 * DAY));
  g_assert_false (try_put (store, "mem.x", now - 3601));
  g_assert_true (try_put (store, "mem.x", now - 3000));
  g_assert_true (try_put (store, "other", now - 9 * DAY));
  g_assert_false (try_put (store, "other", now - 10 * DAY - 1));
  g_assert_true (try_put (store, "other", now));
  g_assert_true (try_put (store, "other", G_MAXINT64));
  /* A key that is refused is not there. */
  g_assert_false (try_put (store, "new", 0));
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, 4);

  metrics_store_set_retention (store, some, now);
  g_assert_true (try_put (store, "other", 0));
  g_assert_false (try_put (store, "cpu.a", 0));
  metrics_store_set_retention (store, NULL, now);
  g_assert_true (try_put (store, "cpu.a", 0));
}

/* Cutoffs move on while the store is told of the time only now and then; and the clock may be set back. */
static void
test_refuse_by_now (void)
{
  g_autoptr (MetricsRetention) retention = new_retention ("[retention]\n*=1d\n");
  g_autoptr (MetricsStore) store = metrics_store_new (100, G_MAXUINT64);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  metrics_store_set_retention (store, retention, now - 200);
  g_assert_false (try_put (store, "k", now - DAY - 1));
  metrics_store_set_retention (store, retention, now + 100000);
  g_assert_true (try_put (store, "k", now - DAY + 1000));
  g_assert_false (try_put (store, "k", now - DAY - 1));
}

typedef struct
{
  MetricsStore *store;
  DummyJournal *journal;
  Model *model;
  MetricsRetention *retention;
  guint n_series; /* that a sweep is to shorten */
} Fixture;

static void
set_up (Fixture *f, gconstpointer user_data)
{
  f->store = metrics_store_new (G_MAXINT64, G_MAXUINT64);
  f->journal = dummy_journal_new (FALSE);
  metrics_store_set_journal (f->store, METRICS_JOURNAL (f->journal));
  f->model = model_new ();
}

static void
tear_down (Fixture *f, gconstpointer user_data)
{
  model_free (f->model);
  metrics_store_set_journal (f->store, NULL);
  g_object_unref (f->journal);
  g_object_unref (f->store);
  g_clear_pointer (&f->retention, metrics_retention_free);
}

/* They begin far apart, so that some are all old, some in part, some just a little, some not at all. */
static void
put_some (Fixture *f, const char *key)
{
  gint64 time = NOW - g_test_rand_int_range (0, 40) * DAY / 4;
  gint64 step = g_test_rand_int_range (1, 600);

  for (guint n = g_test_rand_int_range (1, 1500); n > 0; n--)
    {
      double value = step % 2 == 0 ? 3.5 : noise_at (n);

      put (f->store, key, time, value);
      model_put (f->model, key, (MetricsPoint){ .time = time, .value = value });
      time += step * (1 + (value == 3.5 ? 0 : g_test_rand_int_range (0, 3)));
    }
}

/* What the sweep is to do, said in another way: by the text of the rules. */
static guint64
expire_in_model (Fixture *f, gint64 now)
{
  g_autoptr (GPtrArray) all = g_ptr_array_ref (f->model->series);
  guint64 n_points = 0;

  f->n_series = 0;
  for (guint i = all->len; i-- > 0;)
    {
      g_autofree char *key = g_strdup (((ModelSeries *) all->pdata[i])->key);
      const GArray *points = ((ModelSeries *) all->pdata[i])->points;
      gint64 first = g_array_index (points, MetricsPoint, 0).time;
      gint64 last = g_array_index (points, MetricsPoint, points->len - 1).time;
      gint64 keep = g_str_has_prefix (key, "cpu.") ? 2 * DAY : g_str_has_suffix (key, ".x") ? 5 * DAY : 0;
      g_autofree char *pattern = metrics_pattern_escape (key);
      MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, pattern, G_MININT64, now - keep - 1);
      guint64 n;

      if (keep == 0 || (last >= now - keep && (first > now - keep - keep / 100 || first >= now - keep)))
        continue;
      n = model_delete (f->model, &spec);
      n_points += n;
      f->n_series += n > 0;
    }
  return n_points;
}

static void
assert_same (Fixture *f)
{
  static const MetricsQueryKind kinds[] = { METRICS_QUERY_POINTS, METRICS_QUERY_KEYS };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      MetricsQuerySpec spec = spec_of (kinds[i], "*", G_MININT64, G_MAXINT64);
      g_autoptr (Run) run = run_new (f->store, &spec);
      g_autoptr (GArray) expected = model_answer (f->model, &spec);

      run_to_end (run, 1000);
      model_assert_rows (expected, run->rows, &spec);
    }
}

/* Sweep after sweep, while points come. */
static void
test_model (Fixture *f, gconstpointer user_data)
{
  static const char *const keys[] = { "cpu.a", "cpu.x", "a.x", "b.x", "mem", "cpu", "x", "\xc3\xa9.x" };
  static const gint budgets[] = { 1, 7, 4096 };
  gint64 now = NOW;
  guint64 n_all = 0;
  guint n_full = 0, n_rounds = get_operations (40);

  f->retention = new_retention ("[retention]\ncpu.*=2d\n*.x=5d\n");
  for (guint round = 0; round < n_rounds || n_full <= n_rounds / 4; round++)
    {
      guint64 position, n_points;
      guint n_waits = 0;

      metrics_store_set_retention (f->store, NULL, now);
      for (guint i = g_test_rand_int_range (0, G_N_ELEMENTS (keys)); i > 0; i--)
        put_some (f, keys[g_test_rand_int_range (0, G_N_ELEMENTS (keys))]);
      metrics_store_set_retention (f->store, f->retention, now);

      position = metrics_journal_get_position (METRICS_JOURNAL (f->journal));
      n_points = expire_in_model (f, now);
      n_full += f->n_series > 0;
      n_all += n_points;
      g_assert_cmpuint (sweep (f->store, now, budgets[round % G_N_ELEMENTS (budgets)], &n_waits), ==,
                        n_points);
      g_assert_cmpuint (n_waits, ==, 0);
      /* One change for each series that is shortened: no more has to be written. */
      g_assert_cmpuint (metrics_journal_get_position (METRICS_JOURNAL (f->journal)), ==,
                        position + f->n_series);
      g_assert_cmpuint (metrics_store_get_n_expired (f->store), ==, n_all);
      assert_same (f);
      now += g_test_rand_int_range (0, DAY / 4);
      g_assert_cmpuint (round, <, 100 * n_rounds);
    }
}

static void
test_no_rules (Fixture *f, gconstpointer user_data)
{
  guint n_waits = 0;

  for (guint i = 0; i < 5; i++)
    put_some (f, "cpu.a");
  g_assert_cmpuint (sweep (f->store, G_MAXINT64, 1, &n_waits), ==, 0);
  f->retention = new_retention ("");
  metrics_store_set_retention (f->store, f->retention, NOW);
  g_assert_cmpuint (sweep (f->store, G_MAXINT64, 1, &n_waits), ==, 0);
  assert_same (f);
}

/* Others delete, and put, where it stands. */
static void
test_meanwhile (Fixture *f, gconstpointer user_data)
{
  f->retention = new_retention ("[retention]\n*=1d\n");
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (MetricsSweep) sweep = NULL;
      MetricsQueryState state = METRICS_QUERY_PAUSED;
      MetricsQuerySpec all = spec_of (METRICS_QUERY_DELETE, "k*", G_MININT64, G_MAXINT64);

      metrics_store_set_retention (f->store, NULL, NOW);
      for (guint i = 0; i < 20; i++)
        {
          g_autofree char *key = g_strdup_printf ("k%u", i);

          for (gint64 time = -500; time < 500; time++)
            put (f->store, key, NOW - DAY + time, 1);
        }
      metrics_store_set_retention (f->store, f->retention, NOW);
      sweep = metrics_sweep_new (f->store, NOW + DAY / 100, on_wake, NULL);
      for (guint n = round; n > 0 && state == METRICS_QUERY_PAUSED; n--)
        {
          gint budget = 5;

          state = metrics_sweep_next (sweep, &budget);
        }
      run_delete (f->store, &all, 100);
      /* A series that came later is for the next sweep. */
      metrics_store_set_retention (f->store, NULL, NOW);
      put (f->store, "k3", 0, 1);
      while (state == METRICS_QUERY_PAUSED)
        {
          gint budget = 5;

          state = metrics_sweep_next (sweep, &budget);
        }
      g_assert_cmpint (state, ==, METRICS_QUERY_DONE);
      g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, 1);
      run_delete (f->store, &all, 100);
    }
}

static void
test_given_up (Fixture *f, gconstpointer user_data)
{
  guint64 n_before, n_left = 0;

  f->retention = new_retention ("[retention]\n*=1d\n");
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      for (gint64 time = 0; time < 1000; time++)
        put (f->store, key, time, noise_at (time));
    }
  n_before = metrics_store_get_n_points (f->store);
  metrics_store_set_retention (f->store, f->retention, NOW);
  for (guint n = 1; metrics_store_get_n_points (f->store) > 0; n++)
    {
      g_autoptr (MetricsSweep) sweep = metrics_sweep_new (f->store, NOW, on_wake, NULL);

      for (guint i = 0; i < n; i++)
        {
          gint budget = 3;

          metrics_sweep_next (sweep, &budget);
        }
      g_clear_pointer (&sweep, metrics_sweep_free);
      n_left = metrics_store_get_n_points (f->store);
      g_assert_cmpuint (metrics_store_get_n_expired (f->store), ==, n_before - n_left);
    }
}

/* To the second: the cutoff itself is kept. */
static void
test_edge (Fixture *f, gconstpointer user_data)
{
  guint n_waits = 0;

  put (f->store, "kept", NOW - DAY, 1);
  put (f->store, "gone", NOW - DAY - 1, 1);
  f->retention = new_retention ("[retention]\n*=1d\n");
  metrics_store_set_retention (f->store, f->retention, NOW);
  g_assert_cmpuint (sweep (f->store, NOW, 100, &n_waits), ==, 1);
  g_assert_cmpuint (sweep (f->store, NOW + 1, 100, &n_waits), ==, 1);
  g_assert_cmpuint (metrics_store_get_n_series (f->store), ==, 0);
}

/* A chunk that is cut has to be brought from where it is. */
static void
test_waits (void)
{
  g_autoptr (DummyChunkSource) source = dummy_chunk_source_new ();
  g_autoptr (MetricsRetention) retention = new_retention ("[retention]\n*=1d\n");
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  g_autoptr (DummyJournal) journal = dummy_journal_new (FALSE);
  gint all = G_MAXINT;
  guint n_waits = 0;

  metrics_store_set_chunk_source (store, METRICS_CHUNK_SOURCE (source));
  metrics_store_set_journal (store, METRICS_JOURNAL (journal));
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      for (gint64 time = -5000; time < 5000; time++)
        put (store, key, NOW - DAY + time, noise_at (time));
    }
  dummy_chunk_source_save (source, store, 3);
  metrics_store_evict (store, 0, &all);
  metrics_store_set_retention (store, retention, NOW);
  g_assert_cmpuint (sweep (store, NOW, 100, &n_waits), ==, 3 * 5000);
  g_assert_cmpuint (n_waits, >=, 3);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 3 * 5000);
  {
    g_autoptr (MetricsSweep) given_up = metrics_sweep_new (store, NOW + 2000, on_wake, NULL);
    gint budget = 1000;

    g_assert_cmpint (metrics_sweep_next (given_up, &budget), ==, METRICS_QUERY_NOT_YET);
  }
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 3 * 5000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/retention/wrong", test_wrong);
  g_test_add_func ("/retention/cutoffs", test_cutoffs);
  g_test_add_func ("/retention/due", test_due);
  g_test_add_func ("/retention/refuse", test_refuse);
  g_test_add_func ("/retention/refuse-by-now", test_refuse_by_now);
  g_test_add ("/retention/model", Fixture, NULL, set_up, test_model, tear_down);
  g_test_add ("/retention/no-rules", Fixture, NULL, set_up, test_no_rules, tear_down);
  g_test_add ("/retention/meanwhile", Fixture, NULL, set_up, test_meanwhile, tear_down);
  g_test_add ("/retention/given-up", Fixture, NULL, set_up, test_given_up, tear_down);
  g_test_add ("/retention/edge", Fixture, NULL, set_up, test_edge, tear_down);
  g_test_add_func ("/retention/waits", test_waits);
  return g_test_run ();
}
