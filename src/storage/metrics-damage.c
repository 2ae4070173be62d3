/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-damage.h"

#include "storage/metrics-log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

/* What is said of damage when a database is read. */

/**
 * metrics_damage_report:
 * @path: the database
 * @table: the table
 * @id: the number of the row
 * @reason: what is wrong with it, in English
 *
 * Names a row that is left out.
 */
void
metrics_damage_report (const char *path, const char *table, guint64 id, const char *reason)
{
  g_message (_ ("'%s': row %" G_GUINT64_FORMAT " of table '%s' is damaged and left out: %s"), path, id, table,
             reason);
}

/**
 * metrics_damage_report_lost:
 * @path: the database
 * @table: the table
 * @row: what was read
 *
 * Names the rows that cannot be read, where there are such.
 *
 * Returns: whether @row is of that kind
 */
gboolean
metrics_damage_report_lost (const char *path, const char *table, const MetricsRow *row)
{
  if (row->lost_to == 0)
    return FALSE;
  if (row->lost_to == G_MAXINT64)
    g_message (_ ("'%s': the rows of table '%s' from %" G_GUINT64_FORMAT
                  " on are on damaged pages and left out"),
               path, table, row->id);
  else
    g_message (_ ("'%s': the rows of table '%s' from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                  " are on damaged pages and left out"),
               path, table, row->id, row->lost_to);
  return TRUE;
}

/**
 * metrics_damage_keep:
 * @path: the database
 * @row: a row of the log that is damaged
 *
 * Copies it into a file of its own beside the database, for the next checkpoint deletes it with the others.
 */
void
metrics_damage_keep (const char *path, const MetricsRow *row)
{
  g_autofree char *copy = g_strdup_printf ("%s.damaged-%" G_GUINT64_FORMAT "-%08x", path, row->id,
                                           metrics_log_checksum (row->data, row->size));
  g_autoptr (GError) error = NULL;

  if (row->data == NULL)
    return;
  if (g_file_set_contents_full (copy, (const char *) row->data, row->size,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &error))
    g_message (_ ("what that row has is kept in '%s'"), copy);
  else
    g_message ("%s", error->message);
}

/**
 * metrics_damage_describe_wal:
 * @path: the database
 * @damage: what is wrong with its write-ahead log
 *
 * Returns: (transfer full): what to say of it to who only reads it
 */
char *
metrics_damage_describe_wal (const char *path, const MetricsWalDamage *damage)
{
  return g_strdup_printf (_ ("'%s-wal' is damaged: %" G_GUINT64_FORMAT
                             " frames from the damage on, with what was written last, are not read; "
                             "'metricsd --recover FILE' saves what is whole"),
                          path, damage->n_frames);
}

/**
 * metrics_damage_keep_wal:
 * @path: the database; nobody has it open
 * @damage: what is wrong with its write-ahead log
 *
 * Names what is not read of the log, and copies all of it into a file of its own, for the next commits take
 * the place of what is behind the damage.
 *
 * Returns: whether the copy is where it lasts
 */
gboolean
metrics_damage_keep_wal (const char *path, const MetricsWalDamage *damage)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  g_autofree char *copy = g_strdup_printf ("%s.damaged-%016" G_GINT64_MODIFIER "x-%" G_GUINT64_FORMAT,
                                           log_path, damage->salts, damage->end);
  g_autoptr (GError) error = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (log_path, FALSE, &error);
  gboolean good
      = file != NULL
        && g_file_set_contents_full (copy, g_mapped_file_get_contents (file), g_mapped_file_get_length (file),
                                     G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                     &error);

  if (good)
    g_message (_ ("'%s' is damaged: %" G_GUINT64_FORMAT
                  " frames from the damage on, with what was written last, are not read; all of it is kept "
                  "in '%s'"),
               log_path, damage->n_frames, copy);
  else
    g_message (_ ("'%s' is damaged: %" G_GUINT64_FORMAT
                  " frames from the damage on, with what was written last, are not read; it cannot be "
                  "copied: %s"),
               log_path, damage->n_frames, error->message);
  return good;
}

/**
 * metrics_damage_cut_wal:
 * @path: the database; nothing was written to it yet
 * @damage: what is wrong with its write-ahead log
 *
 * Has the log end where SQLite sees its end, so that what stands behind that is not found once more, behind
 * what is written now.
 *
 * Returns: whether that lasts
 */
gboolean
metrics_damage_cut_wal (const char *path, const MetricsWalDamage *damage)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  int fd = open (log_path, O_WRONLY | O_CLOEXEC);
  gboolean good = fd >= 0 && ftruncate (fd, damage->end) == 0 && fsync (fd) == 0;

  if (!good)
    g_message ("'%s': %s", log_path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return good;
}

/**
 * metrics_damage_open:
 * @path: a database
 * @synchronous: see metrics_database_open()
 * @error: return location for a #GError
 *
 * Opens a database whose write-ahead log may be damaged. What that has behind the damage SQLite does not
 * read, and would write over: it is kept aside first. Where it cannot be kept, or where the file has some of
 * it already and so goes with none of what is read, nothing is written.
 *
 * Returns: (transfer full) (nullable): it
 */
MetricsDatabase *
metrics_damage_open (const char *path, gboolean synchronous, GError **error)
{
  MetricsDatabase *database;
  MetricsWalDamage damage;
  gboolean is_damaged = metrics_wal_find_damage (path, &damage);
  gboolean is_kept = is_damaged && metrics_damage_keep_wal (path, &damage);

  database = metrics_database_open (path, synchronous, error);
  if (database != NULL && is_damaged
      && (!is_kept || damage.is_moved || !metrics_damage_cut_wal (path, &damage)))
    metrics_database_set_damaged (database);
  return database;
}
