/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"
#include "store/metrics-rollup-rules.h"

G_BEGIN_DECLS

typedef struct _MetricsEntry MetricsEntry;
typedef struct _MetricsRollup MetricsRollup;

/**
 * MetricsRollupClock:
 * @user_data: what was given to metrics_rollup_new()
 *
 * Returns: the time now, in seconds since the Unix epoch; %G_MININT64 while that cannot be believed: then
 *   nothing is too old
 */
typedef gint64 (*MetricsRollupClock) (gpointer user_data);

/**
 * MetricsRollupCutoff:
 * @key: (array length=len): a key
 * @len: its length in bytes
 * @now: the time now
 * @user_data: what was given to metrics_rollup_set_cutoff_func()
 *
 * Returns: the time before which no point of the key is taken any more; %G_MININT64 where there is none
 */
typedef gint64 (*MetricsRollupCutoff) (const char *key, gsize len, gint64 now, gpointer user_data);

MetricsRollup *metrics_rollup_new (MetricsStore *store,
                                   const MetricsRollupRules *rules,
                                   MetricsRollupClock clock,
                                   gpointer user_data);
void metrics_rollup_free (MetricsRollup *self);
void metrics_rollup_set_rules (MetricsRollup *self, const MetricsRollupRules *rules);

void metrics_rollup_set_cutoff_func (MetricsRollup *self, MetricsRollupCutoff func, gpointer user_data);
void metrics_rollup_set_wake_func (MetricsRollup *self, MetricsQueryWakeFunc func, gpointer user_data);
void metrics_rollup_begin (MetricsRollup *self);
MetricsQueryState metrics_rollup_work (MetricsRollup *self, gint *budget);

guint64 metrics_rollup_get_n_series (MetricsStore *store);
guint64 metrics_rollup_get_n_points (MetricsStore *store);

/* For those who drop raw points that are too old. */
gint64 metrics_rollup_get_droppable (MetricsRollup *self, const char *key, gsize len, gint64 cutoff);
gboolean metrics_rollup_note_drop (MetricsRollup *self, const char *key, gsize len, gint64 before);

/* For the store and its queries. */
gboolean metrics_rollup_note_put (MetricsRollup *self, MetricsEntry *entry, gint64 time, GError **error);
void metrics_rollup_note_delete (MetricsRollup *self, MetricsEntry *entry, gint64 from, gint64 to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRollup, metrics_rollup_free)

G_END_DECLS
