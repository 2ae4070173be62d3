/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-retention.h"

#include "store/metrics-store.h"

#include <glib/gi18n.h>
#include <string.h>

/* How long points are kept: rules of `pattern=duration`, of which the first one that matches a key holds for
 * it; what none matches is kept for ever. Times of points are read as seconds since the Unix epoch.
 *
 * The point at which a rule ends is its cutoff: points before it are too old. They go by a sweep, see
 * metrics-sweep.c, and no more are taken. */

/* The past of a series goes when it is so much of the time for which it is kept: else one point would go of
 * each series at each sweep, and for each a chunk be coded anew and a change be written down. */
#define PARTS 100

struct _MetricsRetention
{
  MetricsRules *rules; /* (owned) */
  gint64 *keeps;       /* (owned) (array): how many seconds, of each rule */
  gint64 shortest;     /* of them; G_MAXINT64 where there are none */
};

static gboolean
read_keep (MetricsRetention *self, guint rule, GError **error)
{
  const char *value = metrics_rules_get_value (self->rules, rule);
  g_autofree char *reason = NULL;

  if (metrics_rules_parse_duration (value, strlen (value), &self->keeps[rule]))
    {
      self->shortest = MIN (self->shortest, self->keeps[rule]);
      return TRUE;
    }
  reason = g_strdup_printf (_ ("'%s' is not a duration: it is a number from 1 and one of the letters s, m "
                               "(minutes), h, d, w, y, as in 7d"),
                            value);
  metrics_rules_refuse (self->rules, rule, reason, error);
  return FALSE;
}

/**
 * metrics_retention_new:
 * @rules: (transfer full): the rules; their values are durations
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable): what they say, or %NULL where a value is no duration
 */
MetricsRetention *
metrics_retention_new (MetricsRules *rules, GError **error)
{
  g_autoptr (MetricsRetention) self = g_new0 (MetricsRetention, 1);

  self->rules = rules;
  self->shortest = G_MAXINT64;
  self->keeps = g_new (gint64, metrics_rules_get_n_rules (rules));
  for (guint i = 0; i < metrics_rules_get_n_rules (rules); i++)
    if (!read_keep (self, i, error))
      return NULL;
  return g_steal_pointer (&self);
}

/**
 * metrics_retention_free:
 * @self: (transfer full) (nullable): a retention
 */
void
metrics_retention_free (MetricsRetention *self)
{
  if (self == NULL)
    return;
  metrics_rules_free (self->rules);
  g_free (self->keeps);
  g_free (self);
}

/**
 * metrics_retention_get_rules:
 * @self: a retention
 *
 * Returns: (transfer none): its rules
 */
const MetricsRules *
metrics_retention_get_rules (const MetricsRetention *self)
{
  return self->rules;
}

/**
 * metrics_retention_get_keep:
 * @self: a retention
 * @rule: one of its rules
 *
 * Returns: for how many seconds points are kept
 */
gint64
metrics_retention_get_keep (const MetricsRetention *self, guint rule)
{
  g_assert (rule < metrics_rules_get_n_rules (self->rules));

  return self->keeps[rule];
}

static gint64
get_cutoff (gint64 keep, gint64 now)
{
  return now >= G_MININT64 + keep ? now - keep : G_MININT64;
}

/**
 * metrics_retention_get_cutoff:
 * @self: a retention
 * @rule: one of its rules, or as many as there are for none
 * @now: the time now, in seconds since the Unix epoch
 *
 * Returns: the oldest time that is kept; %G_MININT64 where everything is
 */
gint64
metrics_retention_get_cutoff (const MetricsRetention *self, guint rule, gint64 now)
{
  return rule < metrics_rules_get_n_rules (self->rules) ? get_cutoff (self->keeps[rule], now) : G_MININT64;
}

/**
 * metrics_retention_get_latest_cutoff:
 * @self: a retention
 * @now: the time now, in seconds since the Unix epoch
 *
 * Returns: a time from which on all points are kept, whatever their key
 */
gint64
metrics_retention_get_latest_cutoff (const MetricsRetention *self, gint64 now)
{
  return metrics_rules_get_n_rules (self->rules) > 0 ? get_cutoff (self->shortest, now) : G_MININT64;
}

/**
 * metrics_retention_is_due:
 * @self: a retention
 * @rule: the rule of a series, or as many as there are for none
 * @now: the time now, in seconds since the Unix epoch
 * @first: the time of the first point of the series
 * @last: that of its last point
 *
 * Whether a sweep is to delete what is too old: where all of the series is, or a hundredth of the time for
 * which it is kept.
 *
 * Returns: whether it is
 */
gboolean
metrics_retention_is_due (const MetricsRetention *self, guint rule, gint64 now, gint64 first, gint64 last)
{
  gint64 cutoff = metrics_retention_get_cutoff (self, rule, now);

  if (first >= cutoff)
    return FALSE;
  return last < cutoff || (guint64) cutoff - (guint64) first >= (guint64) self->keeps[rule] / PARTS;
}

/**
 * metrics_retention_check:
 * @self: a retention
 * @key: (array length=key_len): a key
 * @key_len: its length in bytes
 * @time: the time of a point that is to be put
 * @now: the time now, in seconds since the Unix epoch
 * @error: return location for a #GError
 *
 * Returns: %FALSE where the point is too old to be kept
 */
gboolean
metrics_retention_check (const MetricsRetention *self,
                         const char *key,
                         gsize key_len,
                         gint64 time,
                         gint64 now,
                         GError **error)
{
  if (time >= metrics_retention_get_latest_cutoff (self, now)
      || time >= metrics_retention_get_cutoff (self, metrics_rules_find (self->rules, key, key_len), now))
    return TRUE;
  g_set_error_literal (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_TOO_OLD, "older than retention");
  return FALSE;
}
