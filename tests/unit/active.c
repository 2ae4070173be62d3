/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "active.h"

#include <string.h>

Active *
active_new (MetricsStore *store, Model *model, const MetricsQuerySpec *spec)
{
  Active *self = g_new0 (Active, 1);

  self->run = run_new (store, spec);
  self->series = model_list (model, spec);
  self->n_states = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < self->series->len; i++)
    {
      const ModelSeries *series = g_ptr_array_index (self->series, i);

      g_array_append_val (self->n_states, series->states->len);
    }
  return self;
}

void
active_free (Active *self)
{
  run_free (self->run);
  g_ptr_array_unref (self->series);
  g_array_unref (self->n_states);
  g_free (self);
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

void
active_check_answer (const Active *active)
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

/* Whoever waits is answered by the source, if there is one. */
void
run_to_end_from (Run *run, gint budget, DummyChunkSource *source)
{
  MetricsQueryState state;

  while ((state = run_next (run, budget)) != METRICS_QUERY_DONE)
    {
      g_assert_cmpint (state, !=, METRICS_QUERY_LOST);
      g_assert_cmpint (state, !=, METRICS_QUERY_REFUSED);
      if (state == METRICS_QUERY_NOT_YET)
        g_assert_true (dummy_chunk_source_answer_any (source));
    }
}

static GArray *
ask_store (MetricsStore *store, DummyChunkSource *source, const char *key, Run **run)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, key, G_MININT64, G_MAXINT64);

  *run = run_new (store, &spec);
  run_to_end_from (*run, 1000, source);
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
void
active_follow_deletion (Active *active, MetricsStore *store, Model *model, DummyChunkSource *source)
{
  for (guint i = 0; i < active->series->len; i++)
    {
      ModelSeries *series = g_ptr_array_index (active->series, i);
      g_autoptr (Run) run = NULL;
      const GArray *rows;

      if (!g_ptr_array_find (model->series, series, NULL))
        {
          forget_series (active, i--);
          continue;
        }
      rows = ask_store (store, source, series->key, &run);
      if (is_state (rows, series->points))
        continue;
      model_series_ref (series);
      active->n_deleted += model_delete_from (model, series, &active->run->spec);
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

void
active_check_deletion (const Active *active)
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

void
assert_store_is (MetricsStore *store, Model *model, DummyChunkSource *source)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (GArray) expected = model_answer (model, &spec);
  g_autoptr (Run) run = run_new (store, &spec);

  run_to_end_from (run, 4096, source);
  model_assert_rows (expected, run->rows, &spec);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, expected->len);
  g_assert_cmpuint (metrics_store_get_n_series (store), ==, model->series->len);
}
