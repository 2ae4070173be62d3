/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-backup.h"

#include "storage/metrics-damage.h"
#include "storage/metrics-new-file.h"
#include "storage/metrics-source.h"

#include <glib/gi18n.h>

/* A copy of the database as of one moment, while a server writes it.
 *
 * SQLite begins a backup anew whenever somebody else has written, unless the reading connection is in a
 * transaction of its own: then it sees one moment however long that takes, and the backup of a busy server
 * ends. The price is that the server cannot move what it writes meanwhile into its file: the write-ahead log
 * grows by it, and is used again from its beginning after the backup. */

/* A mebibyte at a time, to be stopped and to tell how far it is. */
#define PAGES_A_STEP 256

static gboolean
copy_pages (sqlite3_backup *backup, const MetricsWatch *watch, int *code)
{
  do
    {
      *code = sqlite3_backup_step (backup, PAGES_A_STEP);
      if (!watch->progress (sqlite3_backup_pagecount (backup) - sqlite3_backup_remaining (backup),
                            sqlite3_backup_pagecount (backup), watch->user_data))
        return FALSE;
    }
  while (*code == SQLITE_OK);
  return TRUE;
}

/* Returns: the database that it is written to; no journal is kept, for a part of it is worth nothing */
static sqlite3 *
open_target (const char *path, int *code)
{
  sqlite3 *target = NULL;

  *code = sqlite3_open_v2 (path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
  if (*code == SQLITE_OK)
    *code = sqlite3_exec (target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", NULL, NULL, NULL);
  return target;
}

static gboolean
copy (sqlite3 *source, const char *path, const char *name, const MetricsWatch *watch, GError **error)
{
  int code;
  g_autoptr (sqlite3) target = open_target (path, &code);
  sqlite3_backup *backup = code == SQLITE_OK ? sqlite3_backup_init (target, "main", source, "main") : NULL;
  gboolean goes_on = TRUE;

  if (backup != NULL)
    {
      goes_on = copy_pages (backup, watch, &code);
      sqlite3_backup_finish (backup);
    }
  else if (code == SQLITE_OK)
    code = sqlite3_extended_errcode (target);
  if (!goes_on)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("interrupted: nothing is written"));
      return FALSE;
    }
  return code == SQLITE_DONE || metrics_source_fail (NULL, name, code, error);
}

/* The copy has what SQLite reads, which is not all. */
static void
report_damage (const char *folder, const MetricsWatch *watch)
{
  g_autofree char *path = metrics_source_build_path (folder);
  g_autofree char *text = NULL;
  MetricsWalDamage damage;

  if (!metrics_wal_find_damage (path, &damage))
    return;
  text = metrics_damage_describe_wal (path, &damage);
  watch->report (text, watch->user_data);
}

/**
 * metrics_backup_write:
 * @folder: (type filename): where a server keeps its points, whether it runs or not
 * @path: (type filename): the file to write, whose name nothing has
 * @watch: whom to tell how far it is, and what of the database cannot be copied
 * @error: return location for a #GError
 *
 * Writes a copy of the database: what is committed when it begins, and nothing of later.
 *
 * Returns: %FALSE where that was not possible; there is no file then
 */
gboolean
metrics_backup_write (const char *folder, const char *path, const MetricsWatch *watch, GError **error)
{
  g_autoptr (sqlite3) source = NULL;
  g_autoptr (MetricsNewFile) file = NULL;

  g_return_val_if_fail (folder != NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  source = metrics_source_open (folder, error);
  if (source == NULL)
    return FALSE;
  report_damage (folder, watch);
  file = metrics_new_file_begin (path, error);
  return file != NULL && copy (source, metrics_new_file_get_path (file), path, watch, error)
         && metrics_new_file_finish (file, error);
}
