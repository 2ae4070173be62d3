/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"

#include <math.h>

#include <string.h>

Run *
run_new (MetricsStore *store, const MetricsQuerySpec *spec)
{
  Run *self = g_new0 (Run, 1);

  self->query = metrics_query_new (store, spec);
  self->spec = *spec;
  /* A step; and the chunks of one series, which are sparse where much was put late or deleted. */
  self->max_beyond = 400 + metrics_store_get_n_points (store) / 32;
  self->spec.key = self->key = g_strndup (spec->key, spec->key_len);
  self->keys = g_ptr_array_new_with_free_func (g_free);
  self->rows = g_array_new (FALSE, FALSE, sizeof (ModelRow));
  return self;
}

void
run_free (Run *self)
{
  metrics_query_free (self->query);
  g_ptr_array_unref (self->keys);
  g_array_unref (self->rows);
  g_free (self->key);
  g_free (self);
}

static void
add_row (Run *self, const MetricsQueryRow *row)
{
  const char *last = self->keys->len > 0 ? g_ptr_array_index (self->keys, self->keys->len - 1) : NULL;
  ModelRow line = { 0 };

  if (last == NULL || strlen (last) != row->key_len || memcmp (last, row->key, row->key_len) != 0)
    {
      last = g_strndup (row->key, row->key_len);
      g_ptr_array_add (self->keys, (char *) last);
    }
  line.key = last;
  line.n_total = row->n_total;
  line.first = row->first;
  line.last = row->last;
  if (self->spec.kind == METRICS_QUERY_KEYS)
    g_array_append_val (self->rows, line);
  else
    g_assert_cmpuint (row->n_points, >, 0);
  for (guint i = 0; i < row->n_points; i++)
    {
      line.point = row->points[i];
      g_array_append_val (self->rows, line);
    }
}

/* One call; what it does beyond its budget has to be within what is promised. */
MetricsQueryState
run_next (Run *self, gint budget)
{
  gint left = budget;
  MetricsQueryRow row;
  MetricsQueryState state = metrics_query_next (self->query, &left, &row);

  self->n_calls++;
  g_assert_cmpint (left, <=, budget);
  g_assert_cmpint (left, >=, -self->max_beyond);
  if (state == METRICS_QUERY_ROW)
    add_row (self, &row);
  else if (state == METRICS_QUERY_PAUSED)
    g_assert_cmpint (left, <=, 0);
  return state;
}

void
run_to_end (Run *self, gint budget)
{
  MetricsQueryState state;

  while ((state = run_next (self, budget)) != METRICS_QUERY_DONE)
    {
      g_assert_cmpint (state, !=, METRICS_QUERY_LOST);
      g_assert_cmpint (state, !=, METRICS_QUERY_REFUSED);
      if (state == METRICS_QUERY_NOT_YET)
        g_main_context_iteration (NULL, TRUE);
    }
}

/* Returns: whether it came to its end: of a damaged disk not all can be read */
gboolean
run_as_far (Run *self, gint budget)
{
  MetricsQueryState state;

  while ((state = run_next (self, budget)) != METRICS_QUERY_DONE)
    {
      if (state == METRICS_QUERY_LOST || state == METRICS_QUERY_REFUSED)
        return FALSE;
      if (state == METRICS_QUERY_NOT_YET)
        g_main_context_iteration (NULL, TRUE);
    }
  return TRUE;
}

guint64
run_delete (MetricsStore *store, const MetricsQuerySpec *spec, gint budget)
{
  g_autoptr (Run) run = run_new (store, spec);

  run_to_end (run, budget);
  g_assert_cmpuint (run->rows->len, ==, 0);
  return metrics_query_get_n_deleted (run->query);
}

/* Returns: whether it was taken: where it falls among points that are on disk alone, these have to be read */
gboolean
put_as_far (MetricsStore *store, const char *key, gint64 time, double value)
{
  MetricsQuerySpec spec = { .kind = METRICS_QUERY_PUT, .key = key, .key_len = strlen (key) };
  g_autoptr (Run) run = NULL;
  g_autoptr (GError) error = NULL;

  spec.point = (MetricsPoint){ .time = time, .value = value };
  if (metrics_store_put (store, key, strlen (key), spec.point, &error))
    return TRUE;
  g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET);
  /* What other puts have done does not count for this one. */
  metrics_store_take_work (store);
  run = run_new (store, &spec);
  return run_as_far (run, 1000);
}

void
put (MetricsStore *store, const char *key, gint64 time, double value)
{
  g_assert_true (put_as_far (store, key, time, value));
}

MetricsQuerySpec
spec_of (MetricsQueryKind kind, const char *pattern, gint64 from, gint64 to)
{
  return (MetricsQuerySpec){
    .kind = kind, .key = pattern, .key_len = strlen (pattern), .is_pattern = TRUE, .from = from, .to = to
  };
}

/* How many of @n operations there is time for: under a sanitizer all is slower. */
guint
get_operations (guint n)
{
  return g_getenv ("METRICSD_SANITIZED") != NULL ? MAX (n / 10, 1) : n;
}

double
noise_at (gint64 i)
{
  return cos (i);
}
