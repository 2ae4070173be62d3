/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

G_BEGIN_DECLS

/* A store as simple as can be, to compare the real one with: a sorted array of points for each key. */

typedef struct
{
  guint ref_count;
  char *key;         /* (owned) */
  GArray *points;    /* (owned) (element-type MetricsPoint): ascending */
  GPtrArray *states; /* (owned) (nullable) (element-type GArray): what it was before each change, oldest
                        first; only where the test asks for it */
} ModelSeries;

typedef struct
{
  GPtrArray *series; /* (owned) (element-type ModelSeries): in the order of the first put */
  GHashTable *table; /* (owned) (element-type utf8 ModelSeries): the same ones */
  gboolean keep_states;
} Model;

/* A line of an answer. */
typedef struct
{
  const char *key; /* (unowned) */
  MetricsPoint point;
  double tolerance; /* of point.value */
  guint64 n_total;  /* this one and the next two are for keys */
  gint64 first;
  gint64 last;
} ModelRow;

Model *model_new (void);
void model_free (Model *self);

ModelSeries *model_series_ref (ModelSeries *series);
void model_series_unref (ModelSeries *series);

void model_put (Model *self, const char *key, MetricsPoint point);
guint64 model_delete_from (Model *self, ModelSeries *series, const MetricsQuerySpec *spec);
guint64 model_delete (Model *self, const MetricsQuerySpec *spec);
guint64 model_count_points (Model *self);

gboolean model_matches (const MetricsQuerySpec *spec, const char *key);
GPtrArray *model_list (Model *self, const MetricsQuerySpec *spec);
GArray *model_answer (Model *self, const MetricsQuerySpec *spec);
void model_answer_series (const char *key, const GArray *points, const MetricsQuerySpec *spec, GArray *rows);

gboolean model_is_same_row (const ModelRow *expected, const ModelRow *row, const MetricsQuerySpec *spec);
void model_assert_rows (const GArray *expected, const GArray *rows, const MetricsQuerySpec *spec);
char *model_describe (const MetricsQuerySpec *spec);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, model_free)

G_END_DECLS
