/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-database-private.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

/* Where the bytes are: in the write-ahead log, in the file, or nowhere yet.
 *
 * A commit goes into the write-ahead log, which begins anew once all of it was moved into the file. Where the
 * file cannot grow by what is in the log, the log can only become longer. So that this stays a small step,
 * which the reserve of metrics-reserve.c covers, nothing is committed while the log cannot be moved, it is
 * kept short where there is little space, and a group of chunks is written only where it fits in twice. */

/* What the write-ahead log may have before it is moved into the file: usually, and where there is little
 * space. */
#define MAX_FRAMES 1000
#define FEW_FRAMES 64
#define LITTLE_SPACE (16 << 20)

static guint64
get_size (const char *path, const char *suffix)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);
  struct stat attributes;

  return stat (name, &attributes) == 0 ? attributes.st_size : 0;
}

/**
 * metrics_database_get_free:
 * @self: a database
 *
 * Returns: how many bytes the file system has left, as far as that is known
 */
guint64
metrics_database_get_free (MetricsDatabase *self)
{
  struct statvfs attributes;

  if (statvfs (self->path, &attributes) < 0)
    return G_MAXUINT64;
  return (guint64) attributes.f_bavail * attributes.f_frsize;
}

static guint64
read_bytes (MetricsDatabase *self, const char *text)
{
  sqlite3_stmt *statement = NULL;
  guint64 n_pages = 0;

  if (sqlite3_prepare_v2 (self->handle, text, -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    n_pages = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return n_pages * self->page_size;
}

static guint64
minus (guint64 a, guint64 b)
{
  return a > b ? a - b : 0;
}

static gboolean
set_full (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, sqlite3_errstr (SQLITE_FULL));
  return FALSE;
}

/**
 * metrics_database_check_space:
 * @self: a database
 * @size: how many bytes are about to be written in one transaction
 * @error: return location for a #GError
 *
 * Tells before a large transaction whether it fits into the write-ahead log, and from there into the file.
 *
 * Returns: whether it does; else @error is set to %G_IO_ERROR_NO_SPACE
 */
gboolean
metrics_database_check_space (MetricsDatabase *self, guint64 size, GError **error)
{
  guint64 used = (guint64) self->n_frames * (self->page_size + METRICS_FRAME_HEADER);
  guint64 slack = minus (get_size (self->path, "-wal"), used);
  guint64 unused = read_bytes (self, "PRAGMA freelist_count");

  return minus (size, slack) + minus (size, unused) <= metrics_database_get_free (self) || set_full (error);
}

/**
 * metrics_database_is_stuck:
 * @self: a database
 *
 * Returns: whether the write-ahead log could not be moved when that was tried last: until it can, nothing is
 *   to be written but what makes room
 */
gboolean
metrics_database_is_stuck (MetricsDatabase *self)
{
  return self->stuck;
}

/**
 * metrics_database_is_flushed:
 * @self: a database
 *
 * Returns: whether there is nothing in the write-ahead log that metrics_database_flush() could move
 */
gboolean
metrics_database_is_flushed (MetricsDatabase *self)
{
  return self->n_frames == 0;
}

static gboolean
is_due (MetricsDatabase *self)
{
  return self->flush_due || self->n_frames >= MAX_FRAMES
         || (self->n_frames >= FEW_FRAMES && metrics_database_get_free (self) < LITTLE_SPACE);
}

/**
 * metrics_database_flush:
 * @self: a database
 * @all: whether to do so in any case
 * @error: return location for a #GError
 *
 * Moves the write-ahead log into the file where it has become long.
 *
 * Returns: %FALSE on errors; nothing is lost by them
 */
gboolean
metrics_database_flush (MetricsDatabase *self, gboolean all, GError **error)
{
  int result;

  if (metrics_database_is_damaged (self) || (self->n_frames == 0 && !self->flush_due)
      || !(all || is_due (self)))
    return TRUE;
  /* SQLite would write all that fits, again and again. */
  self->stuck = minus (read_bytes (self, "PRAGMA page_count"), get_size (self->path, ""))
                > metrics_database_get_free (self);
  if (self->stuck)
    return set_full (error);
  result = sqlite3_wal_checkpoint_v2 (self->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  /* Who reads just now (a backup) holds it up: it is done after a later commit. */
  if (result == SQLITE_BUSY)
    return TRUE;
  self->stuck = (result & 0xff) == SQLITE_FULL;
  if (result != SQLITE_OK)
    return metrics_database_fail (self, error);
  self->n_frames = 0;
  self->flush_due = FALSE;
  return TRUE;
}
