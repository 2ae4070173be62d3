/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What says that a file is one of these, and how it is made. */
#define METRICS_DATABASE_APPLICATION_ID 0x4d545244
#define METRICS_DATABASE_FORMAT 1

/**
 * MetricsTable:
 * @METRICS_TABLE_SERIES: keys by number
 * @METRICS_TABLE_LOG: changes that the chunks may not have yet
 *
 * The tables of a database that are read as a whole, in the order in which they are.
 */
typedef enum
{
  METRICS_TABLE_SERIES,
  METRICS_TABLE_LOG,
} MetricsTable;

/**
 * MetricsRow:
 * @id: its number
 * @lost_to: 0, or where rows cannot be read, the number of the last of them; @id is that of the first, and
 *   nothing else is known
 * @whole: whether @data is what was written
 * @data: (array length=size): a key, or a batch of changes
 * @size: its length
 * @n_points: of a series: how many points its chunks have
 * @first_time: the time of the first of them
 * @last_time: the time of the last of them
 *
 * A row of any table.
 */
typedef struct
{
  guint64 id;
  guint64 lost_to;
  gboolean whole;
  const guint8 *data;
  gsize size;
  guint64 n_points;
  gint64 first_time;
  gint64 last_time;
} MetricsRow;

typedef void (*MetricsRowFunc) (const MetricsRow *row, gpointer user_data);

typedef struct _MetricsDatabase MetricsDatabase;

MetricsDatabase *metrics_database_open (const char *path, gboolean synchronous, GError **error);
gboolean metrics_database_set_synchronous (MetricsDatabase *self, gboolean synchronous, GError **error);
void metrics_database_close (MetricsDatabase *self);
void metrics_database_add_advice (GError **error);
gboolean metrics_database_is_damaged (MetricsDatabase *self);
void metrics_database_set_damaged (MetricsDatabase *self);
gboolean metrics_database_read (MetricsDatabase *self,
                                MetricsTable table,
                                MetricsRowFunc func,
                                gpointer user_data,
                                GError **error);
gboolean metrics_database_find_span (MetricsDatabase *self,
                                     guint64 series,
                                     gint64 *first,
                                     gint64 *last,
                                     GError **error);
gboolean metrics_database_find_newest (MetricsDatabase *self, guint64 *series, GError **error);

gboolean metrics_database_begin (MetricsDatabase *self, GError **error);
gboolean metrics_database_begin_reading (MetricsDatabase *self, GError **error);
gboolean metrics_database_commit (MetricsDatabase *self, GError **error);
void metrics_database_rollback (MetricsDatabase *self);
guint64 metrics_database_get_free (MetricsDatabase *self);
gboolean metrics_database_check_space (MetricsDatabase *self, guint64 size, GError **error);
gboolean metrics_database_is_stuck (MetricsDatabase *self);
gboolean metrics_database_is_flushed (MetricsDatabase *self);
gboolean metrics_database_flush (MetricsDatabase *self, gboolean all, GError **error);

gboolean metrics_database_insert_log (MetricsDatabase *self, guint64 id, GBytes *data, GError **error);
gboolean metrics_database_delete_log (MetricsDatabase *self, guint64 last, GError **error);
gboolean metrics_database_insert_series (MetricsDatabase *self, guint64 id, GBytes *key, GError **error);
gboolean metrics_database_delete_series (MetricsDatabase *self, guint64 id, GError **error);
gboolean metrics_database_insert_chunk (MetricsDatabase *self,
                                        guint64 series,
                                        gint64 first,
                                        gint64 last,
                                        guint64 n_points,
                                        GBytes *data,
                                        GError **error);
gboolean metrics_database_delete_chunks (MetricsDatabase *self,
                                         guint64 series,
                                         gint64 first,
                                         gint64 last,
                                         gint64 *n_points,
                                         GError **error);
gboolean metrics_database_update_series (MetricsDatabase *self,
                                         guint64 series,
                                         gint64 n_points,
                                         GError **error);

gboolean metrics_database_shrink (MetricsDatabase *self, gboolean *done, GError **error);

guint64 metrics_database_get_wal_size (MetricsDatabase *self);
guint64 metrics_database_get_bytes_written (MetricsDatabase *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsDatabase, metrics_database_close)

G_END_DECLS
