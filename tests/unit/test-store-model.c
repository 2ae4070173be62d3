/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"

#include <float.h>
#include <string.h>

/* Random operations on a store and on the model: each answer has to be the same. The seed is GLib's, which is
 * printed, and which --seed sets. */

/* What kind of data it is. */
typedef struct
{
  const char *name;
  guint n_operations;
  guint n_keys;
  gint64 n_times;       /* how many times there are */
  guint in_order;       /* how many puts of a hundred come in the order of time */
  gboolean is_extreme;  /* whether times and values are near their limits */
  guint late;           /* in place of that: how far back late points come, one of two hundred */
  gboolean is_constant; /* whether values seldom change, at a regular step */
  guint put_weight;     /* how many operations of a hundred put one point or, rarely, some hundred */
  guint delete_weight;  /* how many delete; the others ask */
  guint all_weight;     /* how many questions of a hundred are for all keys */
} Setup;

static const Setup setups[] = {
  /* Everything happens to the same few points. */
  { "dense", 200000, 6, 40, 20, FALSE, 0, FALSE, 60, 10, 30 },
  { "extreme", 60000, 5, 60, 20, TRUE, 0, FALSE, 60, 5, 30 },
  /* Several chunks a series. */
  { "chunks", 60000, 3, 5000, 60, FALSE, 0, FALSE, 95, 1, 20 },
  /* Chunks of one value, as long as they like. */
  { "constant", 6000, 2, 20000, 95, FALSE, 0, TRUE, 90, 2, 20 },
  /* Buckets that do not fit into memory. */
  { "long", 20000, 2, 100000, 90, FALSE, 0, FALSE, 97, 0, 50 },
  /* One series in order, and now and then a late point not far back. */
  { "late", 60000, 1, 60000, 100, FALSE, 300, FALSE, 99, 0, 50 },
  { "wide", 100000, 3000, 100, 50, FALSE, 0, FALSE, 94, 1, 1 },
};

typedef struct
{
  const Setup *setup;
  MetricsStore *store;
  Model *model;
  gint64 clock; /* the next time in order */
} Fixture;

static char *
random_key (const Setup *setup)
{
  static const char *const heads[] = { "k", "a*", "\xc3\xa9", "b\\", "?", "host.name." };
  /* Keys of one length that differ at their beginning alone are among them. */
  static const char *const tails[] = { "", ".long.tail.of.many.bytes" };
  guint i = g_test_rand_int_range (0, setup->n_keys);

  return g_strdup_printf ("%s%u%s", heads[i % G_N_ELEMENTS (heads)], i, tails[i / 2 % G_N_ELEMENTS (tails)]);
}

static gint64
random_time (Fixture *f)
{
  const Setup *setup = f->setup;
  gint64 time = g_test_rand_int_range (0, setup->n_times);

  if (!setup->is_extreme)
    return time - setup->n_times / 2;
  switch (g_test_rand_int_range (0, 3))
    {
    case 0:
      return G_MININT64 + time;
    case 1:
      return G_MAXINT64 - time;
    default:
      return time - setup->n_times / 2;
    }
}

static double
random_value (const Setup *setup)
{
  static const double values[]
      = { 0.0, -0.0, 1.0, -1.0, 0.1, 1e300, -1e300, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, 0x1p900, 0x1p899 };

  if (setup->is_extreme && g_test_rand_bit ())
    return values[g_test_rand_int_range (0, G_N_ELEMENTS (values))];
  if (setup->is_constant && g_test_rand_int_range (0, 1000) > 0)
    return 3.5;
  if (g_test_rand_bit ())
    return g_test_rand_int_range (-10, 10);
  return g_test_rand_double_range (-1000, 1000);
}

static void
put_one (Fixture *f, const char *key, gint64 time)
{
  double value = random_value (f->setup);

  put (f->store, key, time, value);
  model_put (f->model, key, (MetricsPoint){ .time = time, .value = value });
}

/* Some series in their order, as programs put that measure; now and then one is left out or comes twice. */
static void
put_round (Fixture *f)
{
  const GPtrArray *series = f->model->series;
  guint first = series->len > 0 ? g_test_rand_int_range (0, series->len) : 0;
  gint64 time = random_time (f);

  for (guint i = first; i < MIN (series->len, first + 20); i++)
    {
      const ModelSeries *one = g_ptr_array_index (series, i);

      if (g_test_rand_int_range (0, 10) > 0)
        put_one (f, one->key, time);
      if (g_test_rand_int_range (0, 10) == 0)
        put_one (f, one->key, random_time (f));
    }
}

static void
put_random (Fixture *f)
{
  g_autofree char *key = random_key (f->setup);

  if (g_test_rand_int_range (0, 20) == 0)
    {
      put_round (f);
      return;
    }
  if ((guint) g_test_rand_int_range (0, 100) >= f->setup->in_order)
    {
      put_one (f, key, random_time (f));
      return;
    }
  if (f->setup->late > 0)
    {
      gboolean is_late = g_test_rand_int_range (0, 200) == 0;

      put_one (f, key, is_late ? f->clock - g_test_rand_int_range (0, f->setup->late) * 5 : f->clock);
      f->clock += is_late ? 0 : 10;
      return;
    }
  /* Now and then many at once, in either order. */
  if (g_test_rand_int_range (0, 20) == 0)
    {
      gint64 start = random_time (f) / 2;
      gint64 step = g_test_rand_bit () ? 1 : -1;
      guint n = g_test_rand_int_range (0, MIN (f->setup->n_times, f->setup->is_constant ? 3000 : 600));

      for (guint i = 0; i < n; i++)
        put_one (f, key, start + i * step);
      return;
    }
  f->clock = f->clock >= f->setup->n_times / 2 ? -f->setup->n_times / 2 : f->clock + 1;
  put_one (f, key, f->clock);
}

static gint64
random_step (const Setup *setup)
{
  switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      return 1;
    case 1:
      return G_MAXINT64 - g_test_rand_int_range (0, 2);
    case 2:
      return g_test_rand_int_range (1, setup->n_times * 4);
    default:
      return g_test_rand_int_range (1, MAX (setup->n_times / 4, 2));
    }
}

static void
random_span (Fixture *f, MetricsQuerySpec *spec)
{
  gint64 a = random_time (f);
  gint64 b = g_test_rand_bit () ? random_time (f) : a + g_test_rand_int_range (0, 3) * (a < 0 ? 1 : -1);

  spec->from = g_test_rand_int_range (0, 4) == 0 ? G_MININT64 : MIN (a, b);
  spec->to = g_test_rand_int_range (0, 4) == 0 ? G_MAXINT64 : MAX (a, b);
  if (g_test_rand_int_range (0, 50) == 0)
    {
      spec->from = 1;
      spec->to = 0;
    }
}

/* The key of the spec has to live as long as it: it goes to @key. */
static MetricsQuerySpec
random_spec (Fixture *f, MetricsQueryKind kind, char **key)
{
  static const char *const patterns[]
      = { "*", "k*", "*1", "?0", "??", "a\\**", "*a*e*", "\xc3\xa9?", "x", "k0" };
  gboolean all = (guint) g_test_rand_int_range (0, 100) < f->setup->all_weight;
  MetricsQuerySpec spec;

  *key
      = all ? g_strdup (patterns[g_test_rand_int_range (0, G_N_ELEMENTS (patterns))]) : random_key (f->setup);
  spec = spec_of (kind, *key, 0, 0);
  spec.is_pattern = all;
  random_span (f, &spec);
  spec.step = random_step (f->setup);
  spec.aggregation = g_test_rand_int_range (METRICS_AGGREGATION_AVG, METRICS_AGGREGATION_RATE + 1);
  return spec;
}

static gint
random_budget (void)
{
  static const gint budgets[] = { 1, 3, 50, 300, 4096, 4096, 1000000 };

  return budgets[g_test_rand_int_range (0, G_N_ELEMENTS (budgets))];
}

static void
ask (Fixture *f, const MetricsQuerySpec *spec)
{
  g_autoptr (GArray) expected = model_answer (f->model, spec);
  g_autoptr (Run) run = run_new (f->store, spec);

  run_to_end (run, random_budget ());
  model_assert_rows (expected, run->rows, spec);
}

static void
ask_random (Fixture *f)
{
  g_autofree char *key = NULL;
  MetricsQuerySpec spec = random_spec (f, g_test_rand_int_range (0, METRICS_QUERY_KEYS + 1), &key);

  ask (f, &spec);
}

static void
delete_random (Fixture *f)
{
  g_autofree char *key = NULL;
  MetricsQuerySpec spec = random_spec (f, METRICS_QUERY_DELETE, &key);

  /* Mostly small spans, so that something is left to ask for. */
  if (spec.to > spec.from && g_test_rand_int_range (0, 10) > 0)
    {
      spec.from = CLAMP (spec.from, -f->setup->n_times, f->setup->n_times);
      spec.to = MIN (spec.to, spec.from + f->setup->n_times / 20);
    }
  g_assert_cmpuint (run_delete (f->store, &spec, random_budget ()), ==, model_delete (f->model, &spec));
}

static void
check_counts (Fixture *f)
{
  g_assert_cmpuint (metrics_store_get_n_series (f->store), ==, f->model->series->len);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, model_count_points (f->model));
  if (f->model->series->len == 0)
    g_assert_cmpuint (metrics_store_get_memory (f->store), ==, 0);
}

static void
check_all (Fixture *f)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);

  ask (f, &spec);
  spec.kind = METRICS_QUERY_KEYS;
  ask (f, &spec);
  check_counts (f);
}

static void
test_random (gconstpointer data)
{
  Fixture f = { .setup = data };
  guint n = get_operations (f.setup->n_operations);
  MetricsQuerySpec all = spec_of (METRICS_QUERY_DELETE, "*", G_MININT64, G_MAXINT64);

  f.store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  f.model = model_new ();
  for (guint i = 0; i < n; i++)
    {
      guint choice = g_test_rand_int_range (0, 100);

      if (choice < f.setup->put_weight)
        put_random (&f);
      else if (choice < f.setup->put_weight + f.setup->delete_weight)
        delete_random (&f);
      else
        ask_random (&f);
      if (i % 64 == 0)
        check_counts (&f);
    }
  check_all (&f);

  g_assert_cmpuint (run_delete (f.store, &all, 100), ==, model_delete (f.model, &all));
  check_all (&f);
  model_free (f.model);
  g_assert_finalize_object (f.store);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (setups); i++)
    {
      g_autofree char *path = g_strdup_printf ("/store/model/%s", setups[i].name);

      g_test_add_data_func (path, &setups[i], test_random);
    }
  return g_test_run ();
}
