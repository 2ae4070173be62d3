/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-database-private.h"

/* What a checkpoint does: series, and the chunks that they have. */

/* Finds the last row that begins at a time or before. */
static gboolean
find_row (MetricsDatabase *self,
          guint64 series,
          gint64 time,
          gint64 *first,
          gint64 *last,
          gboolean *found,
          GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_FIND_ROW, error);
  int result;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, series);
  sqlite3_bind_int64 (statement, 2, time);
  result = sqlite3_step (statement);
  *found = result == SQLITE_ROW;
  if (*found)
    {
      *first = sqlite3_column_int64 (statement, 0);
      *last = sqlite3_column_int64 (statement, 1);
    }
  else if (result != SQLITE_DONE)
    metrics_database_fail (self, error);
  sqlite3_reset (statement);
  return result == SQLITE_ROW || result == SQLITE_DONE;
}

/**
 * metrics_database_find_span:
 * @self: a database
 * @series: a series
 * @first: (inout): the first time of a span
 * @last: (inout): its last time
 * @error: return location for a #GError
 *
 * Widens a span by the chunks that overlap it.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_find_span (MetricsDatabase *self,
                            guint64 series,
                            gint64 *first,
                            gint64 *last,
                            GError **error)
{
  gint64 row_first;
  gint64 row_last;
  gboolean found;

  /* Those in between lie within the span. */
  if (!find_row (self, series, *last, &row_first, &row_last, &found, error))
    return FALSE;
  if (found && row_last > *last)
    *last = row_last;
  if (!find_row (self, series, *first, &row_first, &row_last, &found, error))
    return FALSE;
  if (found && row_last >= *first)
    *first = row_first;
  return TRUE;
}

/**
 * metrics_database_insert_series:
 * @self: a database
 * @id: the number of a series
 * @key: its key
 * @error: return location for a #GError
 *
 * Adds a series, where it is not there yet.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_insert_series (MetricsDatabase *self, guint64 id, GBytes *key, GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_INSERT_SERIES, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  metrics_database_bind (statement, 2, key);
  return metrics_database_run (self, statement, error);
}

/**
 * metrics_database_delete_series:
 * @self: a database
 * @id: the number of a series
 * @error: return location for a #GError
 *
 * Deletes a series; its chunks are not touched.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_delete_series (MetricsDatabase *self, guint64 id, GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_DELETE_SERIES, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  return metrics_database_run (self, statement, error);
}

/**
 * metrics_database_insert_chunk:
 * @self: a database
 * @series: the number of a series
 * @first: the first time of the chunk
 * @last: its last time
 * @n_points: how many points it has
 * @data: them
 * @error: return location for a #GError
 *
 * Adds a chunk.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_insert_chunk (MetricsDatabase *self,
                               guint64 series,
                               gint64 first,
                               gint64 last,
                               guint64 n_points,
                               GBytes *data,
                               GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_INSERT_CHUNK, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, series);
  sqlite3_bind_int64 (statement, 2, first);
  sqlite3_bind_int64 (statement, 3, last);
  sqlite3_bind_int64 (statement, 4, n_points);
  metrics_database_bind_checksum (statement, 5, data);
  metrics_database_bind (statement, 6, data);
  return metrics_database_run (self, statement, error);
}

/**
 * metrics_database_delete_chunks:
 * @self: a database
 * @series: the number of a series
 * @first: the first time of a span
 * @last: its last time
 * @n_points: (inout): how many points they have is taken off this
 * @error: return location for a #GError
 *
 * Deletes the chunks that overlap a span. metrics_database_update_series() has to follow.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_delete_chunks (MetricsDatabase *self,
                                guint64 series,
                                gint64 first,
                                gint64 last,
                                gint64 *n_points,
                                GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_DELETE_CHUNKS, error);
  int result;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, series);
  sqlite3_bind_int64 (statement, 2, first);
  sqlite3_bind_int64 (statement, 3, last);
  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    *n_points -= sqlite3_column_int64 (statement, 0);
  if (result != SQLITE_DONE)
    metrics_database_fail (self, error);
  sqlite3_reset (statement);
  return result == SQLITE_DONE;
}

/**
 * metrics_database_update_series:
 * @self: a database
 * @series: the number of a series; where the table does not have it, nothing is done
 * @n_points: how many points more its chunks have now
 * @error: return location for a #GError
 *
 * Notes what the chunks of a series hold, once some were deleted or added.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_update_series (MetricsDatabase *self, guint64 series, gint64 n_points, GError **error)
{
  sqlite3_stmt *statement = metrics_database_prepare (self, METRICS_STATEMENT_UPDATE_SERIES, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, series);
  sqlite3_bind_int64 (statement, 2, n_points);
  return metrics_database_run (self, statement, error);
}
