/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-database.h"
#include "storage/metrics-written.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* What SQLite's write-ahead log has before each page. */
#define METRICS_FRAME_HEADER 24

/* What the connection that writes says to SQLite again and again. */
typedef enum
{
  METRICS_STATEMENT_BEGIN,
  METRICS_STATEMENT_COMMIT,
  METRICS_STATEMENT_FIND_ROW,
  METRICS_STATEMENT_INSERT_LOG,
  METRICS_STATEMENT_DELETE_LOG,
  METRICS_STATEMENT_CLEAR_LOG,
  METRICS_STATEMENT_INSERT_SERIES,
  METRICS_STATEMENT_UPDATE_SERIES,
  METRICS_STATEMENT_DELETE_SERIES,
  METRICS_STATEMENT_INSERT_CHUNK,
  METRICS_STATEMENT_DELETE_CHUNKS,
  METRICS_N_STATEMENTS,
} MetricsStatement;

struct _MetricsDatabase
{
  char *path;
  sqlite3 *handle;                                /* (owned) */
  sqlite3_stmt *statements[METRICS_N_STATEMENTS]; /* (owned): made when they are first needed */
  int n_frames;                                   /* of the write-ahead log */
  int page_size;
  gboolean is_synchronous; /* whether a commit waits for the disk */
  gint damaged;            /* atomic: whether a page was met that cannot be right */
  gboolean stuck;          /* whether the write-ahead log could not be moved for want of space */
  gboolean flush_due;      /* whether it is to be moved into the file however short it is */
  gboolean shrinking;      /* whether room is being given back */
  MetricsWritten file;     /* counts what is written to the file */
  MetricsWritten wal;      /* and to the write-ahead log */
  guint64 wal_size;        /* of the write-ahead log, at the last commit */
};

gboolean metrics_database_fail (MetricsDatabase *self, GError **error);
gboolean metrics_database_check_damage (MetricsDatabase *self, GError **error);

sqlite3_stmt *metrics_database_prepare (MetricsDatabase *self, MetricsStatement which, GError **error);
gboolean metrics_database_run (MetricsDatabase *self, sqlite3_stmt *statement, GError **error);
void metrics_database_bind (sqlite3_stmt *statement, int column, GBytes *bytes);
void metrics_database_bind_checksum (sqlite3_stmt *statement, int column, GBytes *bytes);

G_END_DECLS
