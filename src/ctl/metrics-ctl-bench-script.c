/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-script.h"

/* After how many points it is asked whether to go on. */
#define LOOK_EVERY 4096

static void
clear_answer (gpointer pointer)
{
  MetricsBenchAnswer *answer = pointer;

  if (answer->bytes != NULL)
    g_string_free (answer->bytes, TRUE);
}

static MetricsBenchScript *
new_script (gboolean reads)
{
  MetricsBenchScript *self = g_new0 (MetricsBenchScript, 1);

  self->bytes = g_string_new (NULL);
  self->lengths = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (reads)
    {
      self->answers = g_array_new (FALSE, FALSE, sizeof (MetricsBenchAnswer));
      g_array_set_clear_func (self->answers, clear_answer);
    }
  return self;
}

/**
 * metrics_bench_script_free:
 * @self: (transfer full): a script
 */
void
metrics_bench_script_free (MetricsBenchScript *self)
{
  g_string_free (self->bytes, TRUE);
  g_array_unref (self->lengths);
  g_clear_pointer (&self->answers, g_array_unref);
  g_free (self);
}

static GPtrArray *
new_scripts (guint n, gboolean reads)
{
  GPtrArray *scripts = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_bench_script_free);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (scripts, new_script (reads));
  return scripts;
}

/* What was appended to the bytes since they had that length is a request. */
static void
end_request (MetricsBenchScript *self, gsize start)
{
  guint32 len = (guint32) (self->bytes->len - start);

  g_assert (len > 0);
  g_array_append_val (self->lengths, len);
  self->n_requests++;
}

static void
add_put (MetricsBenchScript *self,
         const MetricsBenchDialect *dialect,
         const MetricsBenchData *data,
         GArray *points)
{
  gsize start = self->bytes->len;

  dialect->append_put (self->bytes, data, (const guint32 *) (gpointer) points->data, points->len);
  end_request (self, start);
  self->n_points += points->len;
  g_array_set_size (points, 0);
}

/**
 * metrics_bench_scripts_new_puts:
 * @dialect: how to say it
 * @data: the points
 * @order: (nullable) (array): in which order they are put, where it is not their own
 * @n_scripts: over how many connections, at most as many as there are series
 *
 * Writes down the puts of all points. The series are dealt out to the connections in turn. Where the points
 * are cancelled meanwhile, here as below, the scripts are incomplete and must not be carried out.
 *
 * Returns: (transfer full) (element-type MetricsBenchScript): a script a connection
 */
GPtrArray *
metrics_bench_scripts_new_puts (const MetricsBenchDialect *dialect,
                                const MetricsBenchData *data,
                                const guint32 *order,
                                guint n_scripts)
{
  GPtrArray *scripts = new_scripts (n_scripts, FALSE);
  g_autoptr (GPtrArray) pending = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  guint n_points = metrics_bench_data_get_n_points (data);

  for (guint i = 0; i < n_scripts; i++)
    g_ptr_array_add (pending, g_array_new (FALSE, FALSE, sizeof (guint32)));
  for (guint i = 0; i < n_points; i++)
    {
      guint32 point = order != NULL ? order[i] : i;
      guint nth = metrics_bench_data_get_series (data, point) % n_scripts;
      GArray *points = g_ptr_array_index (pending, nth);

      if (i % LOOK_EVERY == 0 && metrics_bench_data_is_cancelled (data))
        break;
      g_array_append_val (points, point);
      if (points->len == dialect->points_a_put)
        add_put (g_ptr_array_index (scripts, nth), dialect, data, points);
    }
  for (guint i = 0; i < n_scripts; i++)
    {
      GArray *points = g_ptr_array_index (pending, i);

      if (points->len > 0)
        add_put (g_ptr_array_index (scripts, i), dialect, data, points);
    }
  return scripts;
}

static void
add_get (MetricsBenchScript *self,
         const MetricsBenchDialect *dialect,
         const MetricsBenchData *data,
         guint series)
{
  MetricsBenchAnswer answer = { .n_points = metrics_bench_data_count_points (data, series),
                                .key = metrics_bench_data_get_key (data, series) };
  gsize start = self->bytes->len;

  if (dialect->append_answer != NULL)
    {
      answer.bytes = g_string_new (NULL);
      dialect->append_answer (answer.bytes, data, series, 1);
    }
  dialect->append_get (self->bytes, data, series);
  end_request (self, start);
  g_array_append_val (self->answers, answer);
}

/**
 * metrics_bench_scripts_new_reads:
 * @dialect: how to say it
 * @data: what the server holds
 * @n_reads: how many series to read, over all connections
 * @n_scripts: over how many connections, at most as many as there are series and reads
 *
 * Writes down reads of whole series, one after the other and again from the first.
 *
 * Returns: (transfer full) (element-type MetricsBenchScript): a script a connection
 */
GPtrArray *
metrics_bench_scripts_new_reads (const MetricsBenchDialect *dialect,
                                 const MetricsBenchData *data,
                                 guint n_reads,
                                 guint n_scripts)
{
  GPtrArray *scripts = new_scripts (n_scripts, TRUE);
  guint n_series = metrics_bench_data_get_n_series (data);

  for (guint i = 0; i < MIN (n_series, n_reads) && !metrics_bench_data_is_cancelled (data); i++)
    add_get (g_ptr_array_index (scripts, i % n_scripts), dialect, data, i);
  for (guint i = 0; i < n_scripts; i++)
    {
      MetricsBenchScript *script = g_ptr_array_index (scripts, i);

      script->n_requests = n_reads / n_scripts + (i < n_reads % n_scripts ? 1 : 0);
    }
  return scripts;
}

static void
add_get_all (MetricsBenchScript *self,
             const MetricsBenchDialect *dialect,
             const MetricsBenchData *data,
             gboolean in_order)
{
  MetricsBenchAnswer answer
      = { .n_points = metrics_bench_data_get_n_points (data), .key = metrics_bench_data_get_prefix (data) };
  gsize start = self->bytes->len;

  if (in_order && dialect->append_answer != NULL)
    {
      answer.bytes = g_string_new (NULL);
      dialect->append_answer (answer.bytes, data, 0, metrics_bench_data_get_n_series (data));
    }
  dialect->append_get_all (self->bytes, data);
  end_request (self, start);
  g_array_append_val (self->answers, answer);
}

/**
 * metrics_bench_scripts_new_read_all:
 * @dialect: how to say it
 * @data: what the server holds
 * @in_order: whether the series were first put in their order, so that the answer is known
 * @n_reads: how many times to read all, over all connections
 * @n_scripts: over how many connections, at most @n_reads
 *
 * Writes down reads of everything: by one request, or, where the dialect has none for it, by one for each
 * series.
 *
 * Returns: (transfer full) (element-type MetricsBenchScript): a script a connection
 */
GPtrArray *
metrics_bench_scripts_new_read_all (const MetricsBenchDialect *dialect,
                                    const MetricsBenchData *data,
                                    gboolean in_order,
                                    guint n_reads,
                                    guint n_scripts)
{
  GPtrArray *scripts = new_scripts (n_scripts, TRUE);

  for (guint i = 0; i < n_scripts; i++)
    {
      MetricsBenchScript *script = g_ptr_array_index (scripts, i);

      if (dialect->append_get_all != NULL)
        add_get_all (script, dialect, data, in_order);
      else
        for (guint series = 0; series < metrics_bench_data_get_n_series (data); series++)
          add_get (script, dialect, data, series);
      script->n_requests *= n_reads / n_scripts + (i < n_reads % n_scripts ? 1 : 0);
    }
  return scripts;
}
