/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-damage.h"

#include "common/metrics-log.h"
#include "storage/metrics-log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <inttypes.h>
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
  g_autofree char *row = g_strdup_printf ("%" PRIu64, id);

  metrics_log (METRICS_EVENT_ROW_DAMAGED,
               METRICS_FIELDS (METRICS_TEXT (FILE, path), METRICS_TEXT (TABLE, table),
                               METRICS_TEXT (ROW, row), METRICS_TEXT (REASON, reason)),
               /* Translators: a file, the number of a row, the name of its table, and what is wrong with it
                */
               _ ("'%s': row %s of table '%s' is damaged and left out: %s"), path, row, table, reason);
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
  gboolean is_open = row->lost_to == G_MAXINT64;
  g_autofree char *rows = NULL;

  if (row->lost_to == 0)
    return FALSE;
  rows = is_open ? g_strdup_printf ("%" PRIu64 "-", row->id)
                 : g_strdup_printf ("%" PRIu64 "-%" PRIu64, row->id, (guint64) row->lost_to);
  metrics_log (METRICS_EVENT_ROW_DAMAGED,
               METRICS_FIELDS (METRICS_TEXT (FILE, path), METRICS_TEXT (TABLE, table),
                               METRICS_TEXT (ROW, rows), METRICS_TEXT (REASON, "damaged pages")),
               /* Translators: a file, the name of a table, and numbers of rows: 5-9, or 5- where no end is
                * known */
               _ ("'%s': rows of table '%s' are on damaged pages and left out: %s"), path, table, rows);
  return TRUE;
}

static void
report_kept (const char *copy)
{
  metrics_log (METRICS_EVENT_DAMAGE_KEPT, METRICS_FIELDS (METRICS_TEXT (FILE, copy)),
               _ ("what is damaged was copied to '%s'"), copy);
}

static void
report_not_kept (const char *path, const char *reason)
{
  metrics_log (METRICS_EVENT_DAMAGE_NOT_KEPT,
               METRICS_FIELDS (METRICS_TEXT (FILE, path), METRICS_TEXT (REASON, reason)),
               _ ("what is damaged in '%s' cannot be kept: %s"), path, reason);
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
    report_kept (copy);
  else
    report_not_kept (path, error->message);
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
  /* Translators: a frame is a piece of a file of SQLite's */
  return g_strdup_printf (ngettext ("'%s-wal' is damaged: %" PRIu64
                                    " frame from the damage on, with what was written last, is not "
                                    "read; 'metricsd --recover FILE' saves what is whole",
                                    "'%s-wal' is damaged: %" PRIu64
                                    " frames from the damage on, with what was written last, are not "
                                    "read; 'metricsd --recover FILE' saves what is whole",
                                    damage->n_frames),
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

  metrics_log (METRICS_EVENT_WAL_DAMAGED,
               METRICS_FIELDS (METRICS_TEXT (FILE, log_path), METRICS_NUMBER (COUNT, damage->n_frames)),
               /* Translators: a frame is a piece of a file of SQLite's */
               ngettext ("'%s' is damaged: %" PRIu64
                         " frame from the damage on, with what was written last, is not read",
                         "'%s' is damaged: %" PRIu64
                         " frames from the damage on, with what was written last, are not read",
                         damage->n_frames),
               log_path, damage->n_frames);
  if (good)
    report_kept (copy);
  else
    report_not_kept (log_path, error->message);
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
    report_not_kept (log_path, g_strerror (errno));
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
