/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dummy-chunk-source.h"
#include "helpers.h"

G_BEGIN_DECLS

/* A query that goes on while others change the store, and what it may answer: the series that there were when
 * it began, each of them in a state that it had since then, and none of the points that were stored then may
 * be missing. The model has to keep states. */
typedef struct
{
  Run *run;          /* (owned) */
  GPtrArray *series; /* (owned) (element-type ModelSeries): that match, when it began; of a deletion, those
                        that it has not reached yet */
  GArray *n_states;  /* (owned) (element-type guint): how many states each of them had had */
  guint64 n_deleted; /* in the model */
} Active;

Active *active_new (MetricsStore *store, Model *model, const MetricsQuerySpec *spec);
void active_free (Active *self);

void active_check_answer (const Active *self);
void active_follow_deletion (Active *self, MetricsStore *store, Model *model, DummyChunkSource *source);
void active_check_deletion (const Active *self);

void run_to_end_from (Run *run, gint budget, DummyChunkSource *source);
void assert_store_is (MetricsStore *store, Model *model, DummyChunkSource *source);

G_END_DECLS
