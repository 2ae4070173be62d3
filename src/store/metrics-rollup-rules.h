/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-aggregation.h"
#include "common/metrics-rules.h"

G_BEGIN_DECLS

/* How many tiers a rule may have. */
#define METRICS_ROLLUP_MAX_TIERS 8

/* How many series a tier is kept in at most: of means, sum and count are. */
#define METRICS_ROLLUP_MAX_FUNCTIONS 2

/**
 * MetricsRollupTier:
 * @step: how many seconds a point of it stands for
 * @keep: for how many seconds it is kept
 */
typedef struct
{
  gint64 step;
  gint64 keep;
} MetricsRollupTier;

/**
 * MetricsRollupRule:
 * @n_functions: how many there are
 * @functions: what is kept of each bucket
 * @n_tiers: how many there are, at least 1
 * @tiers: the finest first: steps are multiples of those before, and what is coarser is not kept for less
 *
 * What is kept of the series whose key matches.
 */
typedef struct
{
  guint n_functions;
  MetricsAggregation functions[METRICS_ROLLUP_MAX_FUNCTIONS];
  guint n_tiers;
  MetricsRollupTier tiers[METRICS_ROLLUP_MAX_TIERS];
} MetricsRollupRule;

typedef struct _MetricsRollupRules MetricsRollupRules;

MetricsRollupRules *metrics_rollup_rules_new (GKeyFile *file, const char *group, GError **error);
MetricsRollupRules *metrics_rollup_rules_ref (const MetricsRollupRules *self);
void metrics_rollup_rules_free (MetricsRollupRules *self);

guint metrics_rollup_rules_get_n_rules (const MetricsRollupRules *self);
gint64 metrics_rollup_rules_get_finest (const MetricsRollupRules *self);
gint64 metrics_rollup_rules_get_coarsest (const MetricsRollupRules *self);
const MetricsRollupRule *metrics_rollup_rules_find (const MetricsRollupRules *self,
                                                    const char *key,
                                                    gsize len);

guint metrics_rollup_get_functions (MetricsAggregation aggregation,
                                    MetricsAggregation functions[METRICS_ROLLUP_MAX_FUNCTIONS]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRollupRules, metrics_rollup_rules_free)

G_END_DECLS
