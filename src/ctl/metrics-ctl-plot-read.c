/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-plot-read.h"

static void
clear_part (gpointer data)
{
  MetricsCtlPlotPart *part = data;

  g_free (part->key);
  g_clear_pointer (&part->points, g_array_unref);
}

static void
free_read (gpointer data)
{
  MetricsCtlPlotRead *self = data;

  g_array_unref (self->parts);
  g_hash_table_unref (self->others);
  g_object_unref (self->client);
  g_strfreev (self->patterns);
  g_free (self);
}

/**
 * metrics_ctl_plot_read_new:
 * @plot: what the command line asks for
 * @find: whether the keys that match are to be looked for
 *
 * Returns: (transfer full): a request, without parts; the span and the step have yet to be set
 */
MetricsCtlPlotRead *
metrics_ctl_plot_read_new (const MetricsCtlPlot *plot, gboolean find)
{
  MetricsCtlPlotRead *self = g_new0 (MetricsCtlPlotRead, 1);

  self->find = find;
  self->parts = g_array_new (FALSE, TRUE, sizeof (MetricsCtlPlotPart));
  g_array_set_clear_func (self->parts, clear_part);
  self->others = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->client = g_object_ref (metrics_ctl_get_client (plot->ctl));
  self->patterns = g_strdupv (plot->patterns);
  self->limit = plot->limit;
  self->function = plot->function;
  return self;
}

/**
 * metrics_ctl_plot_read_add:
 * @self: a request that was not started
 * @key: whose points to read
 * @from: from when on
 */
void
metrics_ctl_plot_read_add (MetricsCtlPlotRead *self, const char *key, gint64 from)
{
  MetricsCtlPlotPart part = { .key = g_strdup (key), .from = from };

  g_array_append_val (self->parts, part);
}

/* Those that have points in the span come first, then those that may get some. */
static gboolean
find (MetricsCtlPlotRead *self, GError **error)
{
  g_autoptr (GPtrArray) keys = metrics_ctl_find_keys (self->client, self->patterns, NULL, error);

  if (keys == NULL)
    return FALSE;
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < keys->len; i++)
      {
        const MetricsKeyInfo *info = g_ptr_array_index (keys, i);
        gboolean now = info->last >= self->from && info->first <= self->to;

        if (now != (round == 0))
          continue;
        if (self->parts->len < self->limit)
          metrics_ctl_plot_read_add (self, info->key, self->from);
        else
          g_hash_table_add (self->others, g_strdup (info->key));
      }
  return TRUE;
}

static void
run (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  MetricsCtlPlotRead *self = task_data;
  GError *error = NULL;

  if (self->find && !find (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < self->parts->len; i++)
    {
      MetricsCtlPlotPart *part = &g_array_index (self->parts, MetricsCtlPlotPart, i);

      part->points = metrics_ctl_read_steps (self->client, part->key, part->from, self->to, self->step,
                                             self->function, NULL, &error);
      if (part->points == NULL)
        {
          g_task_return_error (task, error);
          return;
        }
    }
  g_task_return_boolean (task, TRUE);
}

/**
 * metrics_ctl_plot_read_start:
 * @self: (transfer full): a request
 * @callback: (scope async): called in the main context when it is over; the task's data are the request with
 * the answer
 * @user_data: for it
 *
 * Asks the server, in a thread of its own: one question follows from the answer to another.
 */
void
metrics_ctl_plot_read_start (MetricsCtlPlotRead *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, metrics_ctl_plot_read_start);
  g_task_set_task_data (task, self, free_read);
  g_task_run_in_thread (task, run);
}
