/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-database-private.h"
#include "storage/metrics-log.h"

#include <glib/gi18n.h>

/* Reads whole tables, and goes on behind what is damaged.
 *
 * Where a page cannot be right SQLite gives up. A search for a row comes to the page where that row would be,
 * so searching for larger and larger numbers leads past the damage: twice as far each time, and then back to
 * the smallest number that can be searched for. What lies between is told as rows that cannot be read. */

typedef struct
{
  MetricsDatabase *database;
  const char *rows;    /* SQL: the rows from ?1 on, by number */
  const char *numbers; /* SQL: the first number from ?1 on */
  MetricsRowFunc func;
  gpointer user_data;
  gboolean is_needed; /* whether it is an error that there is nothing that can be read */
  guint64 n_rows;
} Reading;

static const char *const row_texts[] = {
  "SELECT id, NULL, key, n, first, last FROM series WHERE id >= ?1 ORDER BY id",
  "SELECT id, checksum, data, 0, 0, 0 FROM log WHERE id >= ?1 ORDER BY id",
};

static const char *const number_texts[] = {
  "SELECT id FROM series WHERE id >= ?1 ORDER BY id LIMIT 1",
  "SELECT id FROM log WHERE id >= ?1 ORDER BY id LIMIT 1",
};

static MetricsRow
row_of (sqlite3_stmt *statement)
{
  MetricsRow row = {
    .id = sqlite3_column_int64 (statement, 0),
    .data = sqlite3_column_blob (statement, 2),
    .size = sqlite3_column_bytes (statement, 2),
    .n_points = sqlite3_column_int64 (statement, 3),
    .first_time = sqlite3_column_int64 (statement, 4),
    .last_time = sqlite3_column_int64 (statement, 5),
  };

  row.whole = sqlite3_column_type (statement, 1) == SQLITE_NULL
              || sqlite3_column_int64 (statement, 1) == metrics_log_checksum (row.data, row.size);
  return row;
}

/* Whether the file is to blame, or the medium, so that other parts of it may be readable. */
static gboolean
is_damage (int result)
{
  return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_IOERR;
}

static void
tell_lost (Reading *self, guint64 first, guint64 last)
{
  MetricsRow row = { .id = first, .lost_to = last };

  metrics_database_set_damaged (self->database);
  self->func (&row, self->user_data);
}

/* Reads from a number on. Returns: a result of SQLite; *next is the number behind the last row. */
static int
read_from (Reading *self, guint64 *next)
{
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2 (self->database->handle, self->rows, -1, &statement, NULL);

  if (result == SQLITE_OK)
    {
      sqlite3_bind_int64 (statement, 1, *next);
      while ((result = sqlite3_step (statement)) == SQLITE_ROW)
        {
          MetricsRow row = row_of (statement);

          /* Pages that lead back to pages before. */
          if (row.id < *next)
            {
              result = SQLITE_CORRUPT;
              break;
            }
          self->func (&row, self->user_data);
          self->n_rows++;
          *next = row.id + 1;
        }
    }
  sqlite3_finalize (statement);
  return result;
}

static gboolean
can_search (Reading *self, guint64 number)
{
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2 (self->database->handle, self->numbers, -1, &statement, NULL);

  if (result == SQLITE_OK)
    {
      sqlite3_bind_int64 (statement, 1, number);
      result = sqlite3_step (statement);
    }
  sqlite3_finalize (statement);
  return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* Returns: the first number behind one where reading may go on, or 0 */
static guint64
find_end_of_damage (Reading *self, guint64 bad)
{
  guint64 good = 0;

  for (guint64 distance = 1; good == 0 && distance <= G_MAXINT64 - bad; distance *= 2)
    if (can_search (self, bad + distance))
      good = bad + distance;
    else if (distance > G_MAXINT64 / 2)
      break;
  if (good == 0)
    return 0;
  bad += (good - bad) / 2;
  while (good - bad > 1)
    {
      guint64 middle = bad + (good - bad) / 2;

      if (can_search (self, middle))
        good = middle;
      else
        bad = middle;
    }
  return good;
}

/* Returns: a result of SQLite */
static int
read_by_number (Reading *self)
{
  guint64 next = 1;
  guint64 failed_at = 0;

  for (;;)
    {
      int result = read_from (self, &next);
      guint64 bad = next;

      if (!is_damage (result))
        return result;
      /* Once more: a medium may have hiccups. */
      if (failed_at != bad)
        {
          failed_at = bad;
          continue;
        }
      next = find_end_of_damage (self, bad);
      /* Of a medium that answers nothing more, nothing is known. Without series there is nothing to serve. */
      if (next == 0 && ((result & 0xff) == SQLITE_IOERR || (self->is_needed && self->n_rows == 0)))
        return result;
      tell_lost (self, bad, next != 0 ? next - 1 : G_MAXINT64);
      if (next == 0)
        return SQLITE_DONE;
    }
}

/**
 * metrics_database_read:
 * @self: a database
 * @table: what to read
 * @func: (scope call): called for each row, in order
 * @user_data: for @func
 * @error: return location for a #GError
 *
 * Reads all of a table. Where parts of it are damaged, @func is told which rows these are, and the others are
 * read; the database is not written to any more.
 *
 * Returns: %FALSE where nothing of the table can be read, or there was another error
 */
gboolean
metrics_database_read (MetricsDatabase *self,
                       MetricsTable table,
                       MetricsRowFunc func,
                       gpointer user_data,
                       GError **error)
{
  Reading reading = {
    .database = self,
    .rows = row_texts[table],
    .numbers = number_texts[table],
    .func = func,
    .user_data = user_data,
    .is_needed = table == METRICS_TABLE_SERIES,
  };
  int result = read_by_number (&reading);

  return result == SQLITE_DONE || metrics_database_fail (self, error);
}

/**
 * metrics_database_find_newest:
 * @self: a database
 * @series: (out): the largest number of a series that has a chunk, or 0
 * @error: return location for a #GError
 *
 * Looks into the index of the chunks, at its end.
 *
 * Returns: %FALSE on errors
 */
gboolean
metrics_database_find_newest (MetricsDatabase *self, guint64 *series, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean good = sqlite3_prepare_v2 (self->handle, "SELECT coalesce (max (series), 0) FROM chunk", -1,
                                      &statement, NULL)
                      == SQLITE_OK
                  && sqlite3_step (statement) == SQLITE_ROW;

  *series = good ? MAX (sqlite3_column_int64 (statement, 0), 0) : 0;
  if (!good)
    metrics_database_fail (self, error);
  sqlite3_finalize (statement);
  return good;
}

/**
 * metrics_database_add_advice:
 * @error: (inout) (nullable): an error that ends a start
 *
 * Says behind it what can be done about damage.
 */
void
metrics_database_add_advice (GError **error)
{
  if (error == NULL || *error == NULL)
    return;
  {
    g_autofree char *message = (*error)->message;

    (*error)->message = g_strdup_printf (
        /* Translators: what is wrong, and what can be done about it */
        _ ("%s; 'metricsd --check' tells more, 'metricsd --recover FILE' saves what is whole"), message);
  }
}

/**
 * metrics_database_is_damaged:
 * @self: a database
 *
 * Returns: whether a page was met that cannot be right: nothing is written to the file any more
 */
gboolean
metrics_database_is_damaged (MetricsDatabase *self)
{
  return g_atomic_int_get (&self->damaged);
}

/**
 * metrics_database_set_damaged:
 * @self: a database
 *
 * Has it write nothing to the file any more, but for the end of what is being written. Any thread may call
 * it.
 */
void
metrics_database_set_damaged (MetricsDatabase *self)
{
  g_atomic_int_set (&self->damaged, TRUE);
}
