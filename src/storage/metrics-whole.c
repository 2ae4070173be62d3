/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-whole.h"

#include "coding/metrics-coding.h"

/* What the data of a row holds, and whether it can be read to its end. */

/**
 * metrics_whole_chunk:
 * @data: (array length=size): the data of a chunk
 * @size: how many bytes that is
 * @span: (out caller-allocates): what it holds
 *
 * Returns: whether all of its points can be read
 */
gboolean
metrics_whole_chunk (const guint8 *data, gsize size, MetricsSpan *span)
{
  MetricsCoded coded;
  gint64 times[METRICS_CODING_MAX_POINTS];
  gint64 step;

  if (!metrics_coding_open (&coded, data, size) || !metrics_coding_check (&coded))
    return FALSE;
  span->n_points = coded.n;
  if (metrics_coding_is_regular (&coded, &span->first, &step))
    {
      span->last = (guint64) span->first + (guint64) step * (coded.n - 1);
      return TRUE;
    }
  metrics_coding_read_times (&coded, 0, coded.n, times);
  span->first = times[0];
  span->last = times[coded.n - 1];
  return TRUE;
}

/**
 * metrics_whole_log:
 * @data: (array length=size): the data of a row of the log
 * @size: how many bytes that is
 * @func: (scope call) (nullable): called for each change, in order
 * @user_data: for @func
 *
 * Returns: whether all of its changes can be read
 */
gboolean
metrics_whole_log (const guint8 *data, gsize size, MetricsChangeFunc func, gpointer user_data)
{
  g_autoptr (GBytes) changes = metrics_log_unpack (data, size);
  MetricsLogReader reader;
  MetricsLogChange change;

  if (changes == NULL)
    return FALSE;
  metrics_log_reader_init (&reader, g_bytes_get_data (changes, NULL), g_bytes_get_size (changes));
  while (metrics_log_reader_next (&reader, &change))
    if (func != NULL)
      func (&change, user_data);
  return !reader.damaged;
}
