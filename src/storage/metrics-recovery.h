/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-recover.h"
#include "storage/metrics-salvage.h"

G_BEGIN_DECLS

/**
 * MetricsRecovery:
 * @found: (unowned): what there is
 * @watch: (unowned): whom to tell
 * @figures: (unowned): what became of it
 * @chunks: (owned) (element-type MetricsSalvaged): the chunks to save, which lie apart and in order
 * @logs: (owned) (element-type MetricsSalvaged): the rows of the log to save, in order
 * @keys: (owned) (element-type gint64 GBytes): the series to save
 * @users: (owned) (element-type GBytes gint64): whose these keys are
 * @begun: (owned) (element-type gint64 GBytes): the series that begin in the log
 * @touched: (owned) (element-type gint64): the series of which the log has changes
 * @spans: (owned) (element-type gint64 MetricsSalvaged): what the index says, by the number of the chunk
 * @buffer: (owned): what is read into
 *
 * What is saved, out of what was found, and what is said to be lost.
 */
typedef struct
{
  MetricsSalvage *found;
  const MetricsWatch *watch;
  MetricsRecoverFigures *figures;
  GArray *chunks;
  GArray *logs;
  GHashTable *keys;
  GHashTable *users;
  GHashTable *begun;
  GHashTable *touched;
  GHashTable *spans;
  GByteArray *buffer;
} MetricsRecovery;

MetricsRecovery *metrics_recovery_new (MetricsSalvage *found,
                                       const MetricsWatch *watch,
                                       MetricsRecoverFigures *figures);
void metrics_recovery_free (MetricsRecovery *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRecovery, metrics_recovery_free)

G_END_DECLS
