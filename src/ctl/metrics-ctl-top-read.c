/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-top-read.h"

#include "ctl/metrics-ctl-axis.h"
#include "ctl/metrics-ctl-series.h"

#include <string.h>

/* What each step of a window is read for. The count comes first: it weighs the means. */
static const MetricsFunction functions[]
    = { METRICS_FUNCTION_COUNT, METRICS_FUNCTION_MIN, METRICS_FUNCTION_MAX, METRICS_FUNCTION_AVG };

/**
 * metrics_ctl_top_read_new:
 * @client: where to ask
 * @now: the time at which the window ends
 * @window: how long it is, in seconds
 *
 * Returns: (transfer full): a request for nothing yet
 */
MetricsCtlTopRead *
metrics_ctl_top_read_new (MetricsClient *client, gint64 now, gint64 window)
{
  MetricsCtlTopRead *self = g_new0 (MetricsCtlTopRead, 1);

  self->now = now;
  self->window = window;
  self->client = g_object_ref (client);
  self->keys = g_ptr_array_new_with_free_func (g_free);
  self->stats = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

/**
 * metrics_ctl_top_read_free:
 * @self: (transfer full) (nullable): a request
 */
void
metrics_ctl_top_read_free (MetricsCtlTopRead *self)
{
  if (self == NULL)
    return;
  g_strfreev (self->patterns);
  g_ptr_array_unref (self->keys);
  g_clear_pointer (&self->samples, g_ptr_array_unref);
  g_hash_table_unref (self->stats);
  g_object_unref (self->client);
  g_free (self);
}

/**
 * metrics_ctl_top_get_step:
 * @window: how long the window is, in seconds
 *
 * Returns: how long a step of it is: the window reaches back by so many of them, the one of now included
 */
gint64
metrics_ctl_top_get_step (gint64 window)
{
  return MAX ((window + METRICS_CTL_TOP_STEPS - 1) / METRICS_CTL_TOP_STEPS, 1);
}

static MetricsCtlTopStats *
get_stats (MetricsCtlTopRead *self, const char *key)
{
  MetricsCtlTopStats *stats = g_hash_table_lookup (self->stats, key);

  if (stats == NULL)
    {
      stats = g_new0 (MetricsCtlTopStats, 1);
      g_hash_table_insert (self->stats, g_strdup (key), stats);
    }
  return stats;
}

static void
take (MetricsCtlTopStats *stats, MetricsFunction function, guint step, double value)
{
  gboolean first = TRUE;

  /* Where points went between two of the questions, the counts say which steps there are. */
  if (function != METRICS_FUNCTION_COUNT && stats->counts[step] == 0)
    return;
  for (guint i = 0; i < step && first; i++)
    first = stats->counts[i] == 0;
  if (function == METRICS_FUNCTION_COUNT)
    {
      stats->counts[step] = (guint64) value;
      stats->n += stats->counts[step];
    }
  else if (function == METRICS_FUNCTION_MIN)
    stats->min = first ? value : MIN (stats->min, value);
  else if (function == METRICS_FUNCTION_MAX)
    stats->max = first ? value : MAX (stats->max, value);
  else
    {
      stats->steps[step] = value;
      stats->avg += value * ((double) stats->counts[step] / (double) stats->n);
    }
}

/* Reads the windows of what a pattern matches; of one key alone where that is given. What was read for
 * another pattern, the keys of @done, is not counted again. */
static gboolean
read_windows (MetricsCtlTopRead *self, const char *pattern, const char *key, GHashTable *done, GError **error)
{
  gint64 step = metrics_ctl_top_get_step (self->window);
  gint64 first = metrics_ctl_step_floor (self->now, step) - (METRICS_CTL_TOP_STEPS - 1) * step;

  /* The whole is in two steps as long as it is, or in one; what is before it belongs to neither. */
  if (self->coarse)
    step *= METRICS_CTL_TOP_STEPS;
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      g_autoptr (GPtrArray) samples = metrics_client_range_buckets (self->client, pattern, first, self->now,
                                                                    step, functions[i], NULL, error);

      if (samples == NULL)
        return FALSE;
      for (guint j = 0; j < samples->len; j++)
        {
          const MetricsSample *sample = g_ptr_array_index (samples, j);
          gint64 nth = (sample->timestamp - metrics_ctl_step_floor (first, step)) / step;

          if ((key == NULL || strcmp (key, sample->key) == 0)
              && (done == NULL || !g_hash_table_contains (done, sample->key)) && nth >= 0
              && nth < METRICS_CTL_TOP_STEPS)
            take (get_stats (self, sample->key), functions[i], (guint) nth, sample->value);
        }
    }
  return TRUE;
}

static void
add_keys (GHashTable *keys, GHashTable *others)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, others);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_hash_table_add (keys, g_strdup (key));
}

static gboolean
read_all_windows (MetricsCtlTopRead *self, GError **error)
{
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; self->patterns[i] != NULL; i++)
    {
      if (i > 0)
        add_keys (done, self->stats);
      if (!read_windows (self, self->patterns[i], NULL, done, error))
        return FALSE;
    }
  return TRUE;
}

/* The newest points of what any of the patterns matches, each once. */
static gboolean
read_newest (MetricsCtlTopRead *self, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; self->patterns[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) samples = metrics_client_last (self->client, self->patterns[i], NULL, error);

      if (samples == NULL)
        return FALSE;
      if (i == 0 && self->patterns[1] == NULL)
        {
          self->samples = g_steal_pointer (&samples);
          return TRUE;
        }
      if (self->samples == NULL)
        self->samples = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_sample_free);
      for (guint j = 0; j < samples->len; j++)
        {
          const MetricsSample *sample = g_ptr_array_index (samples, j);

          if (g_hash_table_add (seen, g_strdup (sample->key)))
            g_ptr_array_add (self->samples, metrics_sample_copy (sample));
        }
    }
  return TRUE;
}

/**
 * metrics_ctl_top_read_run:
 * @self: a request
 * @error: return location for a #GError
 *
 * Asks the server, and waits for the answers.
 *
 * Returns: %FALSE where the server cannot say
 */
gboolean
metrics_ctl_top_read_run (MetricsCtlTopRead *self, GError **error)
{
  if (self->patterns != NULL && !read_newest (self, error))
    return FALSE;
  if (self->all)
    return read_all_windows (self, error);
  for (guint i = 0; i < self->keys->len; i++)
    {
      const char *key = g_ptr_array_index (self->keys, i);
      g_autofree char *pattern = metrics_ctl_get_pattern_of_key (key);

      if (!read_windows (self, pattern, key, NULL, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * metrics_ctl_top_read_give:
 * @self: a request that was answered
 * @row: a row
 *
 * Gives a row what was read of its window.
 */
void
metrics_ctl_top_read_give (MetricsCtlTopRead *self, MetricsCtlTopRow *row)
{
  gpointer key = NULL, value = NULL;
  MetricsCtlTopStats *stats;

  if (g_hash_table_steal_extended (self->stats, row->key, &key, &value))
    g_free (key);
  stats = value;
  if (self->coarse && stats != NULL)
    {
      /* The steps that are known stay. */
      memset (stats->counts, 0, sizeof stats->counts);
      if (row->stats != NULL)
        {
          memcpy (stats->steps, row->stats->steps, sizeof stats->steps);
          memcpy (stats->counts, row->stats->counts, sizeof stats->counts);
        }
    }
  metrics_ctl_top_row_take_stats (row, stats, self->coarse ? row->read_at : self->now);
}

static void
run (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (metrics_ctl_top_read_run (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * metrics_ctl_top_read_start:
 * @self: (transfer full): a request
 * @callback: (scope async): called in the main context when it is over; the task's data are the request with
 * the answer
 * @user_data: for it
 *
 * Asks the server, in a thread of its own.
 */
void
metrics_ctl_top_read_start (MetricsCtlTopRead *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, metrics_ctl_top_read_start);
  g_task_set_task_data (task, self, (GDestroyNotify) metrics_ctl_top_read_free);
  g_task_run_in_thread (task, run);
}
