/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-series.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "ctl/metrics-ctl-text.h"

#include <math.h>
#include <string.h>

/* A line is broken where the next point is further away than so many of the usual steps: one that is missing,
 * or comes a little late, is no gap. */
#define LONGEST_STEP 2.5

/**
 * metrics_ctl_series_new:
 * @key: its key
 *
 * Returns: (transfer full): a series without points
 */
MetricsCtlSeries *
metrics_ctl_series_new (const char *key)
{
  MetricsCtlSeries *self = g_new0 (MetricsCtlSeries, 1);

  self->key = g_strdup (key);
  self->label = metrics_ctl_escape (key, strlen (key), G_MAXSIZE);
  self->points = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
  return self;
}

/**
 * metrics_ctl_series_free:
 * @self: (transfer full) (nullable): a series
 */
void
metrics_ctl_series_free (MetricsCtlSeries *self)
{
  if (self == NULL)
    return;
  g_free (self->key);
  g_free (self->label);
  g_array_unref (self->points);
  g_free (self);
}

static guint
find (const MetricsCtlSeries *self, gint64 time)
{
  guint low = 0, high = self->points->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->points, MetricsPoint, middle).time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/**
 * metrics_ctl_series_replace:
 * @self: a series
 * @from: a time
 * @points: (element-type MetricsPoint): what there is from then on, ascending
 */
void
metrics_ctl_series_replace (MetricsCtlSeries *self, gint64 from, const GArray *points)
{
  g_array_set_size (self->points, find (self, from));
  g_array_append_vals (self->points, points->data, points->len);
}

/**
 * metrics_ctl_series_forget:
 * @self: a series
 * @before: a time
 *
 * Lets go of the points before that time, but for the last of them, from which a line goes on.
 */
void
metrics_ctl_series_forget (MetricsCtlSeries *self, gint64 before)
{
  guint n = find (self, before);

  if (n > 1)
    g_array_remove_range (self->points, 0, n - 1);
}

/**
 * metrics_ctl_series_summarize:
 * @self: a series
 * @from: the earliest time
 * @to: the latest time
 *
 * Returns: what is said of the points of this span
 */
MetricsCtlSummary
metrics_ctl_series_summarize (const MetricsCtlSeries *self, gint64 from, gint64 to)
{
  MetricsCtlSummary summary = { 0 };

  for (guint i = find (self, from); i < self->points->len; i++)
    {
      const MetricsPoint *point = &g_array_index (self->points, MetricsPoint, i);

      if (point->time > to)
        break;
      summary.min = summary.n > 0 ? MIN (summary.min, point->value) : point->value;
      summary.max = summary.n > 0 ? MAX (summary.max, point->value) : point->value;
      summary.last = point->value;
      summary.last_time = point->time;
      summary.n++;
      /* The mean of those so far moves: their sum could be more than a double holds. */
      summary.avg += point->value / summary.n - summary.avg / summary.n;
    }
  /* Rounding does not bring it outside of what it is the mean of. */
  summary.avg = CLAMP (summary.avg, summary.min, summary.max);
  return summary;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/**
 * metrics_ctl_series_get_longest_step:
 * @self: a series
 * @step: the step of what was made of its points
 *
 * Returns: what two of its points may be apart for a line to join them; more is a gap
 */
double
metrics_ctl_series_get_longest_step (const MetricsCtlSeries *self, gint64 step)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 1; i < self->points->len; i++)
    {
      double apart = (double) ((guint64) g_array_index (self->points, MetricsPoint, i).time
                               - (guint64) g_array_index (self->points, MetricsPoint, i - 1).time);

      g_array_append_val (steps, apart);
    }
  if (steps->len == 0)
    return (double) step;
  g_array_sort (steps, compare_doubles);
  return LONGEST_STEP * MAX (g_array_index (steps, double, (steps->len - 1) / 2), (double) step);
}

/**
 * metrics_ctl_find_keys:
 * @client: where to ask
 * @patterns: what to look for
 * @cancellable: (nullable): ends the wait
 * @error: return location for a #GError
 *
 * Finds the keys that match any of the patterns, in the order of the patterns, each key once.
 *
 * Returns: (transfer full) (nullable) (element-type MetricsKeyInfo): the keys; %NULL where the server cannot
 * say
 */
GPtrArray *
metrics_ctl_find_keys (MetricsClient *client, const GStrv patterns, GCancellable *cancellable, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) all = NULL;

  for (guint i = 0; patterns[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) found = metrics_client_keys (client, patterns[i], cancellable, error);

      if (found == NULL)
        return NULL;
      if (all == NULL && patterns[i + 1] == NULL)
        return g_steal_pointer (&found);
      if (all == NULL)
        all = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_key_info_free);
      for (guint j = 0; j < found->len; j++)
        {
          const MetricsKeyInfo *info = g_ptr_array_index (found, j);
          MetricsKeyInfo *copy;

          if (g_hash_table_contains (seen, info->key))
            continue;
          copy = metrics_key_info_copy (info);
          g_hash_table_add (seen, copy->key);
          g_ptr_array_add (all, copy);
        }
    }
  return g_steal_pointer (&all);
}

/**
 * metrics_ctl_get_pattern_of_key:
 * @key: a key
 *
 * Makes a pattern that matches a key. It is no longer than a pattern may be: where escaping makes it longer,
 * it may match other keys too.
 *
 * Returns: (transfer full): the pattern
 */
char *
metrics_ctl_get_pattern_of_key (const char *key)
{
  g_autofree char *pattern = metrics_pattern_escape (key);

  if (strlen (pattern) <= METRICS_KEY_MAX)
    return g_steal_pointer (&pattern);
  return g_strdelimit (g_strdup (key), "*?\\", '?');
}

/**
 * metrics_ctl_read_steps:
 * @client: where to ask
 * @key: whose points
 * @from: the earliest time
 * @to: the latest time
 * @step: for each of which there is a point
 * @function: what is made of the points of a step
 * @cancellable: (nullable): ends the wait
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable) (element-type MetricsPoint): a point for each step that has any; %NULL
 * where the server cannot say
 */
GArray *
metrics_ctl_read_steps (MetricsClient *client,
                        const char *key,
                        gint64 from,
                        gint64 to,
                        gint64 step,
                        MetricsFunction function,
                        GCancellable *cancellable,
                        GError **error)
{
  g_autofree char *pattern = metrics_ctl_get_pattern_of_key (key);
  g_autoptr (GPtrArray) samples
      = metrics_client_range_buckets (client, pattern, from, to, step, function, cancellable, error);
  GArray *points;

  if (samples == NULL)
    return NULL;
  points = g_array_sized_new (FALSE, FALSE, sizeof (MetricsPoint), samples->len);
  for (guint i = 0; i < samples->len; i++)
    {
      const MetricsSample *sample = g_ptr_array_index (samples, i);
      MetricsPoint point = { sample->timestamp, sample->value };

      if (strcmp (sample->key, key) == 0)
        g_array_append_val (points, point);
    }
  return points;
}
