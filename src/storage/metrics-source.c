/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-source.h"

#include "storage/metrics-database.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <inttypes.h>

/* A database that is only read, be there a server that writes it or not. */

#define BUSY_MSEC (10 * 1000)

/**
 * metrics_source_build_path:
 * @folder: (type filename): where a server keeps its points
 *
 * Returns: (transfer full) (type filename): the name of its database
 */
char *
metrics_source_build_path (const char *folder)
{
  return g_build_filename (folder, "metricsd.db", NULL);
}

/**
 * metrics_source_refuse:
 * @path: (type filename): a file
 * @error: return location for a #GError
 *
 * Says that it is none of metricsd. Where its header is damaged it looks like that.
 *
 * Returns: %FALSE
 */
gboolean
metrics_source_refuse (const char *path, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("'%s' is not a file of metricsd; if it is one that is damaged, 'metricsd --recover FILE' "
                  "saves what is whole"),
               path);
  return FALSE;
}

/**
 * metrics_source_fail:
 * @handle: (nullable): a database
 * @path: (type filename): its file
 * @code: what SQLite has returned
 * @error: return location for a #GError
 *
 * Says what is wrong with it.
 *
 * Returns: %FALSE
 */
gboolean
metrics_source_fail (sqlite3 *handle, const char *path, int code, GError **error)
{
  gboolean is_last = handle != NULL && sqlite3_extended_errcode (handle) == code;
  const char *reason;

  if ((code & 0xff) == SQLITE_NOTADB)
    return metrics_source_refuse (path, error);
  reason = is_last ? sqlite3_errmsg (handle) : sqlite3_errstr (code);
  if ((code & 0xff) == SQLITE_CORRUPT)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 /* Translators: a file, and what is wrong with it */
                 _ ("'%s': %s; 'metricsd --recover FILE' saves what is whole"), path, reason);
  else
    g_set_error (error, G_IO_ERROR, (code & 0xff) == SQLITE_FULL ? G_IO_ERROR_NO_SPACE : G_IO_ERROR_FAILED,
                 "'%s': %s", path, reason);
  return FALSE;
}

/* Begins to read, so that what is read is of one moment. */
static int
open_and_begin (const char *path, int flags, sqlite3 **handle)
{
  int code = sqlite3_open_v2 (path, handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE | flags, NULL);

  if (code != SQLITE_OK)
    return code;
  sqlite3_busy_timeout (*handle, BUSY_MSEC);
  code = sqlite3_exec (*handle, "BEGIN", NULL, NULL, NULL);
  return code == SQLITE_OK ? sqlite3_exec (*handle, "PRAGMA schema_version", NULL, NULL, NULL) : code;
}

/* In a folder where nothing can be made, as on a medium that cannot be written, SQLite has no place for what
 * it shares with others; where nobody has the file open it needs none. */
static int
open_unshared (const char *path, sqlite3 **handle, int code)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = g_filename_to_uri (absolute, NULL, NULL);
  g_autofree char *full = g_strconcat (uri, "?immutable=1", NULL);
  GStatBuf status;

  if (uri == NULL || ((code & 0xff) != SQLITE_CANTOPEN && (code & 0xff) != SQLITE_READONLY)
      || (g_stat (log, &status) == 0 && status.st_size > 0))
    return code;
  sqlite3_close (g_steal_pointer (handle));
  return open_and_begin (full, SQLITE_OPEN_URI, handle);
}

static int
read_number (sqlite3 *handle, const char *text, gint64 *number)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (handle, text, -1, &statement, NULL);

  if (code == SQLITE_OK)
    {
      code = sqlite3_step (statement);
      *number = code == SQLITE_ROW ? sqlite3_column_int64 (statement, 0) : 0;
    }
  sqlite3_finalize (statement);
  return code == SQLITE_ROW ? SQLITE_OK : code;
}

static gboolean
check_format (sqlite3 *handle, const char *path, GError **error)
{
  gint64 application_id = 0;
  gint64 version = 0;
  int code = read_number (handle, "PRAGMA application_id", &application_id);

  if (code == SQLITE_OK)
    code = read_number (handle, "PRAGMA user_version", &version);
  if (code != SQLITE_OK)
    return metrics_source_fail (handle, path, code, error);
  if (application_id != METRICS_DATABASE_APPLICATION_ID)
    return metrics_source_fail (NULL, path, SQLITE_NOTADB, error);
  if (version <= METRICS_DATABASE_FORMAT)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("'%s' is of a newer metricsd: its format is %" PRId64 ", known is %d"), path, version,
               METRICS_DATABASE_FORMAT);
  return FALSE;
}

/**
 * metrics_source_open:
 * @folder: (type filename): where a server keeps its points
 * @error: return location for a #GError
 *
 * Opens the database of a folder for reading, in a transaction: all that is read is of one moment, whatever
 * is written meanwhile. The lock of the folder is not needed.
 *
 * Returns: (transfer full) (nullable): it
 */
sqlite3 *
metrics_source_open (const char *folder, GError **error)
{
  g_autofree char *path = metrics_source_build_path (folder);
  g_autoptr (sqlite3) handle = NULL;
  GStatBuf status;
  int code;

  if (g_stat (path, &status) < 0)
    {
      code = errno;
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "'%s': %s", path, g_strerror (code));
      return NULL;
    }
  code = open_and_begin (path, 0, &handle);
  if (code != SQLITE_OK)
    code = open_unshared (path, &handle, code);
  if (code != SQLITE_OK)
    {
      metrics_source_fail (handle, path, code, error);
      return NULL;
    }
  return check_format (handle, path, error) ? g_steal_pointer (&handle) : NULL;
}
