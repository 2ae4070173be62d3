/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-rules.h"

#include "common/metrics-pattern.h"
#include "common/metrics-time.h"

#include <glib/gi18n.h>
#include <string.h>

/* What a group of a key file says about keys: `pattern=value`, a line each, in the order of the file. The
 * first one whose pattern matches holds for a key.
 *
 * Of what patterns can have, GKeyFile takes neither `=` nor, but at the end, `[` and `]`: there a `?` has to
 * do. What it takes as a translation (`name[xx]`) has to be asked for, see metrics_rules_new(). */

typedef struct
{
  char *text;              /* (owned): the pattern as it was written */
  char *value;             /* (owned): without blanks around it */
  MetricsPattern *pattern; /* (owned) */
} Rule;

struct _MetricsRules
{
  char *group;   /* (owned) */
  GArray *rules; /* (owned) (element-type Rule) */
};

static void
rule_clear (Rule *rule)
{
  g_free (rule->text);
  g_free (rule->value);
  metrics_pattern_free (rule->pattern);
}

static const Rule *
get_rule (const MetricsRules *self, guint rule)
{
  g_assert (rule < self->rules->len);

  return &g_array_index (self->rules, Rule, rule);
}

/* It goes to a terminal or to a log, and is of any bytes. */
static void
refuse (const char *group, const char *text, const char *reason, GError **error)
{
  g_autofree char *name = g_utf8_make_valid (text, -1);

  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s] %s: %s", group, name, reason);
}

/* Whether a pattern stands there for the first time. */
static gboolean
is_new (const MetricsRules *self, const char *text)
{
  for (guint i = 0; i < self->rules->len; i++)
    if (strcmp (get_rule (self, i)->text, text) == 0)
      return FALSE;
  return TRUE;
}

/* Finds a pattern before that matches whatever this one matches, so that this one's rule would never hold. It
 * is found where it has no wildcard but `*`, and no character is escaped: then it matches the other one's
 * text only where a `*` of its own takes up each wildcard of that, and so whatever stands for it. */
static const Rule *
find_wider (const MetricsRules *self, const char *text)
{
  if (strchr (text, '\\') != NULL)
    return NULL;
  for (guint i = 0; i < self->rules->len; i++)
    {
      const Rule *rule = get_rule (self, i);

      if (strpbrk (rule->text, "?\\") == NULL && metrics_pattern_matches (rule->pattern, text, strlen (text)))
        return rule;
    }
  return NULL;
}

static gboolean
add (MetricsRules *self, GKeyFile *file, const char *text, GError **error)
{
  Rule rule = { 0 };
  const Rule *wider;

  if (!metrics_pattern_is_word (text, strlen (text)))
    {
      refuse (self->group, text,
              _ ("not a pattern: it is a key, in which * stands for any characters, ? for one, and \\ makes "
                 "the next one literal"),
              error);
      return FALSE;
    }
  /* Of two, GKeyFile knows the last value alone. */
  if (!is_new (self, text))
    {
      refuse (self->group, text, _ ("given twice"), error);
      return FALSE;
    }
  wider = find_wider (self, text);
  if (wider != NULL)
    {
      g_autofree char *reason
          = g_strdup_printf (_ ("it would never hold, for %s stands before it and matches the same keys: the "
                                "first rule that matches a key holds"),
                             wider->text);

      refuse (self->group, text, reason, error);
      return FALSE;
    }
  if (self->rules->len == METRICS_RULES_MAX)
    {
      g_autofree char *reason = g_strdup_printf (/* Translators: the number is 256 */
                                                 _ ("more than %d rules"), METRICS_RULES_MAX);

      refuse (self->group, text, reason, error);
      return FALSE;
    }
  rule.text = g_strdup (text);
  rule.value = g_strstrip (g_key_file_get_value (file, self->group, text, NULL));
  rule.pattern = metrics_pattern_new (text, strlen (text));
  g_array_append_val (self->rules, rule);
  return TRUE;
}

/**
 * metrics_rules_new:
 * @file: a key file, loaded with %G_KEY_FILE_KEEP_TRANSLATIONS: else it leaves out, and says nothing, what
 *   ends in brackets
 * @group: the name of a group
 * @error: return location for a #GError
 *
 * Reads the rules of a group. What their values mean is not looked at. A group that is not there has none.
 *
 * Returns: (transfer full): the rules, or %NULL where a pattern is none, stands there twice, has one before
 * it that leaves it nothing to match, or there are too many; the error begins with the group and the pattern
 */
MetricsRules *
metrics_rules_new (GKeyFile *file, const char *group, GError **error)
{
  g_autoptr (MetricsRules) self = g_new0 (MetricsRules, 1);
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);

  self->group = g_strdup (group);
  self->rules = g_array_new (FALSE, FALSE, sizeof (Rule));
  g_array_set_clear_func (self->rules, (GDestroyNotify) rule_clear);
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!add (self, file, keys[i], error))
      return NULL;
  return g_steal_pointer (&self);
}

/**
 * metrics_rules_free:
 * @self: (transfer full) (nullable): rules
 */
void
metrics_rules_free (MetricsRules *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->rules);
  g_free (self->group);
  g_free (self);
}

/**
 * metrics_rules_get_n_rules:
 * @self: rules
 *
 * Returns: how many there are
 */
guint
metrics_rules_get_n_rules (const MetricsRules *self)
{
  return self->rules->len;
}

/**
 * metrics_rules_get_pattern:
 * @self: rules
 * @rule: which one, from 0
 *
 * Returns: (transfer none): its pattern, as it was written
 */
const char *
metrics_rules_get_pattern (const MetricsRules *self, guint rule)
{
  return get_rule (self, rule)->text;
}

/**
 * metrics_rules_get_value:
 * @self: rules
 * @rule: which one, from 0
 *
 * Returns: (transfer none): its value, as it was written, without blanks around it; of any bytes
 */
const char *
metrics_rules_get_value (const MetricsRules *self, guint rule)
{
  return get_rule (self, rule)->value;
}

/**
 * metrics_rules_find:
 * @self: rules
 * @key: (array length=len): a key
 * @len: its length in bytes
 *
 * Returns: the first rule whose pattern matches, or as many as there are where none does
 */
guint
metrics_rules_find (const MetricsRules *self, const char *key, gsize len)
{
  guint i = 0;

  while (i < self->rules->len && !metrics_pattern_matches (get_rule (self, i)->pattern, key, len))
    i++;
  return i;
}

/**
 * metrics_rules_get_cost:
 * @self: rules
 * @len: the length of a key in bytes
 *
 * Returns: how many steps metrics_rules_find() can take at most for such a key
 */
gsize
metrics_rules_get_cost (const MetricsRules *self, gsize len)
{
  gsize cost = 0;

  for (guint i = 0; i < self->rules->len; i++)
    cost += metrics_pattern_get_cost (get_rule (self, i)->pattern, len);
  return cost;
}

/**
 * metrics_rules_parse_duration:
 * @text: (array length=len): a number without a sign, and one of the letters `s`, `m`, `h`, `d`, `w`, `y`
 * @len: its length in bytes
 * @seconds: (out): how many seconds that is, at least 1; a year has 365 days
 *
 * Reads how long something is kept: `90s`, `7d`, `10y`.
 *
 * Returns: %FALSE where the text is not that, or is 0, or more than 64 bits hold
 */
gboolean
metrics_rules_parse_duration (const char *text, gsize len, gint64 *seconds)
{
  const gint64 year = 365;
  gboolean in_years = len > 0 && len <= 20 && text[len - 1] == 'y';
  char days[20];

  if (in_years)
    {
      memcpy (days, text, len);
      days[len - 1] = 'd';
      text = days;
    }
  if (!metrics_time_parse_span (text, len, seconds) || *seconds == 0)
    return FALSE;
  if (!in_years)
    return TRUE;
  if (*seconds > G_MAXINT64 / year)
    return FALSE;
  *seconds *= year;
  return TRUE;
}

/**
 * metrics_rules_refuse:
 * @self: rules
 * @rule: one of them, from 0
 * @reason: why its value is not one
 * @error: return location for a #GError
 *
 * Says what is wrong with a rule, as metrics_rules_new() does.
 */
void
metrics_rules_refuse (const MetricsRules *self, guint rule, const char *reason, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (reason, -1);

  refuse (self->group, get_rule (self, rule)->text, valid, error);
}
