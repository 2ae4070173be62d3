/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Words of the command line that several commands take. Where one is wrong, what would be right is said with
 * it. */

/* About so many bytes of a word that is wrong are shown. */
#define SHOWN 60

/**
 * metrics_ctl_check_pattern:
 * @ctl: the command line's state
 * @pattern: a word of the command line
 * @status: (inout): the exit status, where this is no pattern
 *
 * Returns: whether the server can be asked for it
 */
gboolean
metrics_ctl_check_pattern (MetricsCtl *ctl, const char *pattern, int *status)
{
  gsize len = strlen (pattern);
  g_autofree char *shown = metrics_ctl_escape (pattern, len, SHOWN);

  if (metrics_pattern_is_word (pattern, len))
    return TRUE;
  if (len > METRICS_KEY_MAX)
    *status = metrics_ctl_usage_error (ctl, _ ("a pattern has up to %d bytes, not %zu: '%s'"),
                                       METRICS_KEY_MAX, len, shown);
  else
    *status = metrics_ctl_usage_error (ctl, _ ("not a pattern: '%s'"), shown);
  return FALSE;
}

/**
 * metrics_ctl_check_key:
 * @ctl: the command line's state
 * @key: a word of the command line
 * @status: (inout): the exit status, where this is no key
 *
 * Returns: whether it is a key
 */
gboolean
metrics_ctl_check_key (MetricsCtl *ctl, const char *key, int *status)
{
  gsize len = strlen (key);
  g_autofree char *shown = metrics_ctl_escape (key, len, SHOWN);

  if (metrics_key_is_valid (key, len))
    return TRUE;
  if (len > METRICS_KEY_MAX)
    *status = metrics_ctl_usage_error (ctl, _ ("a key has up to %d bytes, not %zu: '%s'"), METRICS_KEY_MAX,
                                       len, shown);
  else
    *status = metrics_ctl_usage_error (ctl, _ ("not a key: '%s'"), shown);
  return FALSE;
}

/**
 * metrics_ctl_check_function:
 * @ctl: the command line's state
 * @name: (nullable): a word of the command line; the mean where it is missing
 * @function: (out): the function
 * @status: (inout): the exit status, where there is no such function
 *
 * Returns: whether there is one
 */
gboolean
metrics_ctl_check_function (MetricsCtl *ctl, const char *name, MetricsFunction *function, int *status)
{
  g_autoptr (GEnumClass) functions = g_type_class_ref (METRICS_TYPE_FUNCTION);
  const GEnumValue *value = g_enum_get_value_by_nick (functions, name != NULL ? name : "avg");
  g_autoptr (GString) names = g_string_new (NULL);

  if (value != NULL)
    {
      *function = (MetricsFunction) value->value;
      return TRUE;
    }
  for (guint i = 0; i < functions->n_values; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", functions->values[i].value_nick);
  *status = metrics_ctl_usage_error (ctl, _ ("no such function: '%s'; there are %s"), name, names->str);
  return FALSE;
}

/**
 * metrics_ctl_check_step:
 * @ctl: the command line's state
 * @text: (nullable): a word of the command line
 * @seconds: (inout): the step; kept where there is no text
 * @status: (inout): the exit status, where this is no step
 *
 * Returns: whether it is one
 */
gboolean
metrics_ctl_check_step (MetricsCtl *ctl, const char *text, gint64 *seconds, int *status)
{
  if (text == NULL || metrics_ctl_parse_step (text, seconds))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl,
                                     _ ("not a step: '%s'; it is a number of seconds, or for example 30s, "
                                        "5m, 1h, 1d, 1w"),
                                     text);
  return FALSE;
}

/**
 * metrics_ctl_check_length:
 * @ctl: the command line's state
 * @text: (nullable): a word of the command line
 * @seconds: (inout): how long a span is; kept where there is no text
 * @status: (inout): the exit status, where this is none
 *
 * Returns: whether it is one
 */
gboolean
metrics_ctl_check_length (MetricsCtl *ctl, const char *text, gint64 *seconds, int *status)
{
  if (text == NULL || metrics_ctl_parse_step (text, seconds))
    return TRUE;
  *status
      = metrics_ctl_usage_error (ctl, _ ("not a span of time: '%s'; it is for example 90s, 5m, 2h, 1d, 1w"),
                                 text);
  return FALSE;
}

/**
 * metrics_ctl_check_time:
 * @ctl: the command line's state
 * @text: (nullable): a word of the command line
 * @time: (inout): what `-` stands for, and then the time; kept where there is no text
 * @status: (inout): the exit status, where this is no time
 *
 * Returns: whether it is one
 */
gboolean
metrics_ctl_check_time (MetricsCtl *ctl, const char *text, gint64 *time, int *status)
{
  if (text == NULL || metrics_ctl_parse_time (text, *time, time))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl,
                                     _ ("not a time: '%s'; it is for example now-5m, '2026-11-20 14:03' or "
                                        "1700000000"),
                                     text);
  return FALSE;
}

/**
 * metrics_ctl_check_span:
 * @ctl: the command line's state
 * @from_text: (nullable): a word of the command line; open where it is missing
 * @to_text: (nullable): another
 * @from: (out): the earliest time
 * @to: (out): the latest time
 * @status: (inout): the exit status, where these are no times
 *
 * Returns: whether these are times
 */
gboolean
metrics_ctl_check_span (MetricsCtl *ctl,
                        const char *from_text,
                        const char *to_text,
                        gint64 *from,
                        gint64 *to,
                        int *status)
{
  *from = METRICS_TIME_MIN;
  *to = METRICS_TIME_MAX;
  return metrics_ctl_check_time (ctl, from_text, from, status)
         && metrics_ctl_check_time (ctl, to_text, to, status);
}

/**
 * metrics_ctl_check_colors:
 * @ctl: the command line's state
 * @when: (nullable): a word of the command line
 * @colors: (out): which colours standard output gets
 * @status: (inout): the exit status, where the word is wrong
 *
 * Returns: whether it is right
 */
gboolean
metrics_ctl_check_colors (MetricsCtl *ctl, const char *when, MetricsCtlColors *colors, int *status)
{
  gboolean people = metrics_ctl_get_form (ctl) == METRICS_CTL_FORM_HUMAN;

  if (metrics_ctl_colors_choose (when, people && isatty (STDOUT_FILENO), colors))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("--color is auto, always or never, not '%s'"), when);
  return FALSE;
}
