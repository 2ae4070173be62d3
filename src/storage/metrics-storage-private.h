/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-storage.h"

#include "storage/metrics-fetcher.h"
#include "storage/metrics-writer.h"

G_BEGIN_DECLS

/**
 * MetricsStorage:
 *
 * Keeps what a store has in a folder.
 */
struct _MetricsStorage
{
  GObject parent_instance;

  char *path; /* (owned): of the database */
  MetricsDurability durability;
  int lock;                    /* -1 when it is closed */
  MetricsDatabase *database;   /* (owned) (nullable): the writer's from metrics_storage_load() on */
  MetricsWriter *writer;       /* (owned) (nullable) */
  MetricsFetcher *fetcher;     /* (owned) (nullable): from metrics_storage_load() on */
  MetricsStore *store;         /* (owned) (nullable): while there is a writer */
  GSource *notice;             /* (owned) (nullable): the writer has something for the main thread */
  MetricsStorageFigures final; /* when there is no writer any more */

  guint64 position;
  guint64 kept;          /* what was last told */
  guint64 pending;       /* bytes of changes that wait to be written, as last heard of */
  guint64 many_pending;  /* how many bytes may wait before who makes more waits with them */
  guint64 memory_high;   /* above that, chunks that are written leave memory */
  guint64 memory_target; /* until it is no more than that */
  gboolean evicting;
  gboolean has_settled; /* whether a checkpoint has ended since report_tight() */
  gboolean is_tight;    /* whether it was said that memory is short for so many series */
  char *reason;         /* (owned) (nullable): why nothing can be written, while that is so */
  gboolean damaged;     /* whether it will stay so */
  guint64 n_damaged;    /* how many damaged rows were named */
};

void metrics_storage_set_limits (MetricsStorage *self);
void metrics_storage_fit (MetricsStorage *self);

G_END_DECLS
