/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-journal.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

/**
 * MetricsDurability:
 * @METRICS_DURABILITY_NONE: changes are written now and then, and nothing waits for the disk
 * @METRICS_DURABILITY_INTERVAL: changes are on disk within a second
 * @METRICS_DURABILITY_ALWAYS: a change is acknowledged when it is on disk
 */
typedef enum
{
  METRICS_DURABILITY_NONE,
  METRICS_DURABILITY_INTERVAL,
  METRICS_DURABILITY_ALWAYS,
} MetricsDurability;

/**
 * MetricsStorageFigures:
 * @commits: how many commits succeeded
 * @commit_usec: how long they took together, in microseconds
 * @bytes_written: how many bytes were written to files, as SQLite asked for it
 * @errors: how many attempts failed
 * @rows_damaged: how many damaged rows were named, a span of them on a damaged page being one
 * @pending: how many bytes of changes wait to be written
 * @file_bytes: how large the database is, its write-ahead log included
 *
 * What a storage has done since it was opened.
 */
typedef struct
{
  guint64 commits;
  guint64 commit_usec;
  guint64 bytes_written;
  guint64 errors;
  guint64 rows_damaged;
  guint64 pending;
  guint64 file_bytes;
} MetricsStorageFigures;

#define METRICS_TYPE_STORAGE (metrics_storage_get_type ())
G_DECLARE_FINAL_TYPE (MetricsStorage, metrics_storage, METRICS, STORAGE, GObject)

MetricsStorage *metrics_storage_new (const char *folder,
                                     MetricsDurability durability,
                                     gint64 lock_timeout,
                                     GError **error);
gboolean metrics_storage_load (MetricsStorage *self, MetricsStore *store, GError **error);
void metrics_storage_update (MetricsStorage *self, MetricsDurability durability);
gboolean metrics_storage_close (MetricsStorage *self, GError **error);
const char *metrics_storage_get_trouble (MetricsStorage *self);
void metrics_storage_get_figures (MetricsStorage *self, MetricsStorageFigures *figures);

G_END_DECLS
