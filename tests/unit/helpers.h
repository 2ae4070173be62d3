/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "model.h"

G_BEGIN_DECLS

/* A query and what it has answered so far. */
typedef struct
{
  MetricsQuery *query; /* (owned) */
  MetricsQuerySpec spec;
  char *key;       /* (owned): of the spec */
  GPtrArray *keys; /* (owned) (element-type utf8): those of the rows */
  GArray *rows;    /* (owned) (element-type ModelRow) */
  guint n_calls;
  gint max_beyond; /* how far a call may go beyond its budget */
} Run;

Run *run_new (MetricsStore *store, const MetricsQuerySpec *spec);
void run_free (Run *self);
MetricsQueryState run_next (Run *self, gint budget);
void run_to_end (Run *self, gint budget);
gboolean run_as_far (Run *self, gint budget);

guint64 run_delete (MetricsStore *store, const MetricsQuerySpec *spec, gint budget);
gboolean put_as_far (MetricsStore *store, const char *key, gint64 time, double value);
void put (MetricsStore *store, const char *key, gint64 time, double value);
MetricsQuerySpec spec_of (MetricsQueryKind kind, const char *pattern, gint64 from, gint64 to);

guint get_operations (guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

/* Values that no coding makes shorter: 1 at 0. */
double noise_at (gint64 i);

G_END_DECLS
