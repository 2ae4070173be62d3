/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-written.h"

/* SQLite tells how many pages it has written to the write-ahead log, but not how many it moves from there
 * into the file: a page that stands in the log many times is moved once. So the file's own method of writing
 * is replaced by one that counts. */

static int
write_counted (sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
  MetricsWritten *self = (MetricsWritten *) file->pMethods;
  int result = self->real->xWrite (file, data, size, offset);

  if (result == SQLITE_OK)
    self->n_bytes += size;
  return result;
}

/**
 * metrics_written_begin:
 * @self: a counter; it has to stay until the database is closed
 * @handle: a database
 * @which: one of its files: SQLITE_FCNTL_FILE_POINTER, or SQLITE_FCNTL_JOURNAL_POINTER for its write-ahead
 * log
 *
 * Begins to count. A file that is not open is not counted.
 */
void
metrics_written_begin (MetricsWritten *self, sqlite3 *handle, int which)
{
  sqlite3_file *file = NULL;

  g_return_if_fail (self->real == NULL);

  if (sqlite3_file_control (handle, "main", which, &file) != SQLITE_OK || file == NULL
      || file->pMethods == NULL)
    return;
  self->real = file->pMethods;
  self->methods = *self->real;
  self->methods.xWrite = write_counted;
  file->pMethods = &self->methods;
}
