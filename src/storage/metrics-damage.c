/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-damage.h"

#include "storage/metrics-log.h"

#include <glib/gi18n.h>

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
