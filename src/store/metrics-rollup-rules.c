/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-rollup-rules.h"

#include <glib/gi18n.h>
#include <string.h>

/* The group [rollup] of a configuration: `pattern = function step:keep ...`. */

struct _MetricsRollupRules
{
  gatomicrefcount n_refs;
  MetricsRules *rules; /* (owned) */
  GArray *values;      /* (owned) (element-type MetricsRollupRule): one for each of the rules */
};

/**
 * metrics_rollup_get_functions:
 * @aggregation: what buckets are to be reduced to
 * @functions: (out caller-allocates): what has to be kept of small buckets, so that larger ones can be
 *   reduced to it
 *
 * Returns: how many these are; 0 where nothing but all points would do
 */
guint
metrics_rollup_get_functions (MetricsAggregation aggregation,
                              MetricsAggregation functions[METRICS_ROLLUP_MAX_FUNCTIONS])
{
  functions[0] = aggregation;
  switch (aggregation)
    {
    case METRICS_AGGREGATION_AVG:
      functions[0] = METRICS_AGGREGATION_SUM;
      functions[1] = METRICS_AGGREGATION_COUNT;
      return 2;
    case METRICS_AGGREGATION_MIN:
    case METRICS_AGGREGATION_MAX:
    case METRICS_AGGREGATION_SUM:
    case METRICS_AGGREGATION_COUNT:
    case METRICS_AGGREGATION_FIRST:
    case METRICS_AGGREGATION_LAST:
      return 1;
    case METRICS_AGGREGATION_NONE:
    case METRICS_AGGREGATION_MEDIAN:
    case METRICS_AGGREGATION_P95:
    case METRICS_AGGREGATION_P99:
    case METRICS_AGGREGATION_RATE:
    default:
      return 0;
    }
}

/* Returns: (nullable): what is wrong with a word */
static const char *
parse_function (MetricsRollupRule *rule, const char *word)
{
  MetricsAggregation aggregation = metrics_aggregation_from_name (word, strlen (word));

  if (aggregation == METRICS_AGGREGATION_NONE)
    return _ ("a rule begins with a function: avg, min, max, sum, count, first or last");
  if (aggregation == METRICS_AGGREGATION_RATE)
    return _ ("a rate cannot be made of rates: let last be kept");
  rule->n_functions = metrics_rollup_get_functions (aggregation, rule->functions);
  if (rule->n_functions == 0)
    return _ ("a percentile cannot be made of percentiles: let avg, min or max be kept");
  return NULL;
}

/* It is said in words, below. */
G_STATIC_ASSERT (METRICS_ROLLUP_MAX_TIERS == 8);

static const char *
parse_tier (MetricsRollupRule *rule, const char *word)
{
  const char *colon = strchr (word, ':');
  const MetricsRollupTier *finer = rule->n_tiers > 0 ? &rule->tiers[rule->n_tiers - 1] : NULL;
  MetricsRollupTier tier;

  if (colon == NULL || !metrics_rules_parse_duration (word, colon - word, &tier.step)
      || !metrics_rules_parse_duration (colon + 1, strlen (colon + 1), &tier.keep))
    return _ ("a tier is STEP:KEEP, for example 1m:60d; each is a number from 1 and one of the letters s, m "
              "(minutes), h, d, w, y");
  if (rule->n_tiers == METRICS_ROLLUP_MAX_TIERS)
    return _ ("at most 8 tiers");
  if (tier.keep < tier.step)
    return _ ("a tier has to be kept for longer than its step");
  if (finer != NULL && (tier.step <= finer->step || tier.step % finer->step != 0))
    return _ ("the step of a tier has to be a multiple of that of the tier before");
  if (finer != NULL && (tier.keep < finer->keep || finer->keep < tier.step))
    return _ ("a tier has to be kept for at least as long as the tier before, and that for at least the "
              "step of this one");
  rule->tiers[rule->n_tiers++] = tier;
  return NULL;
}

/* Returns: (transfer full) (nullable): what is wrong, which begins with the word that is */
static char *
parse_rule (MetricsRollupRule *rule, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);
  gboolean had_function = FALSE;

  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *wrong;

      if (words[i][0] == '\0')
        continue;
      wrong = had_function ? parse_tier (rule, words[i]) : parse_function (rule, words[i]);
      if (wrong != NULL)
        return g_strdup_printf ("'%s': %s", words[i], wrong);
      had_function = TRUE;
    }
  return rule->n_tiers > 0
             ? NULL
             : g_strdup (_ ("a function and at least one tier are wanted, such as: avg 1m:60d 1h:10y"));
}

/**
 * metrics_rollup_rules_new:
 * @file: a configuration, see metrics_rules_new()
 * @group: the name of a group of it
 * @error: return location for a #GError
 *
 * Reads the rules of the group; where it is not there, there are none.
 *
 * Returns: (transfer full): the rules, or %NULL where one is wrong
 */
MetricsRollupRules *
metrics_rollup_rules_new (GKeyFile *file, const char *group, GError **error)
{
  g_autoptr (MetricsRollupRules) self = g_new0 (MetricsRollupRules, 1);

  g_atomic_ref_count_init (&self->n_refs);
  self->values = g_array_new (FALSE, TRUE, sizeof (MetricsRollupRule));
  self->rules = metrics_rules_new (file, group, error);
  if (self->rules == NULL)
    return NULL;
  for (guint i = 0; i < metrics_rules_get_n_rules (self->rules); i++)
    {
      MetricsRollupRule rule = { 0 };
      g_autofree char *wrong = parse_rule (&rule, metrics_rules_get_value (self->rules, i));

      if (wrong != NULL)
        {
          metrics_rules_refuse (self->rules, i, wrong, error);
          return NULL;
        }
      g_array_append_val (self->values, rule);
    }
  return g_steal_pointer (&self);
}

/**
 * metrics_rollup_rules_ref:
 * @self: rules, which never change
 *
 * Returns: (transfer full): the same
 */
MetricsRollupRules *
metrics_rollup_rules_ref (const MetricsRollupRules *self)
{
  MetricsRollupRules *rules = (MetricsRollupRules *) self;

  g_atomic_ref_count_inc (&rules->n_refs);
  return rules;
}

/**
 * metrics_rollup_rules_free:
 * @self: (transfer full) (nullable): rules
 *
 * Lets go of them.
 */
void
metrics_rollup_rules_free (MetricsRollupRules *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->n_refs))
    return;
  g_clear_pointer (&self->rules, metrics_rules_free);
  g_array_unref (self->values);
  g_free (self);
}

/**
 * metrics_rollup_rules_get_n_rules:
 * @self: rules
 *
 * Returns: how many there are
 */
guint
metrics_rollup_rules_get_n_rules (const MetricsRollupRules *self)
{
  return self->values->len;
}

/**
 * metrics_rollup_rules_get_finest:
 * @self: rules
 *
 * Returns: the smallest step of all, in seconds; %G_MAXINT64 where there is no rule
 */
gint64
metrics_rollup_rules_get_finest (const MetricsRollupRules *self)
{
  gint64 finest = G_MAXINT64;

  for (guint i = 0; i < self->values->len; i++)
    finest = MIN (finest, g_array_index (self->values, MetricsRollupRule, i).tiers[0].step);
  return finest;
}

/**
 * metrics_rollup_rules_get_coarsest:
 * @self: rules
 *
 * Returns: the largest step of all, in seconds; 0 where there is no rule
 */
gint64
metrics_rollup_rules_get_coarsest (const MetricsRollupRules *self)
{
  gint64 coarsest = 0;

  for (guint i = 0; i < self->values->len; i++)
    {
      const MetricsRollupRule *rule = &g_array_index (self->values, MetricsRollupRule, i);

      coarsest = MAX (coarsest, rule->tiers[rule->n_tiers - 1].step);
    }
  return coarsest;
}

/**
 * metrics_rollup_rules_find:
 * @self: rules
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Returns: (transfer none) (nullable): the first rule that matches
 */
const MetricsRollupRule *
metrics_rollup_rules_find (const MetricsRollupRules *self, const char *key, gsize len)
{
  guint i = metrics_rules_find (self->rules, key, len);

  return i < self->values->len ? &g_array_index (self->values, MetricsRollupRule, i) : NULL;
}
