/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-arguments.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "dbus/metrics-bus-error.h"

#include <math.h>
#include <string.h>

/* What callers say is looked at here before anything is done. The types are right already: GDBus refuses a
 * message with others. */

static gboolean
refuse_option (const char *name, GError **error)
{
  g_set_error (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT, "unknown option '%s'", name);
  return FALSE;
}

/**
 * metrics_bus_arguments_check_options:
 * @options: the options of a method that has none yet
 * @error: return location for a #GError
 *
 * Who gives an option expects that it does something.
 *
 * Returns: whether there are none
 */
gboolean
metrics_bus_arguments_check_options (GVariant *options, GError **error)
{
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, options);
  return !g_variant_iter_next (&iter, "{&sv}", &name, NULL) || refuse_option (name, error);
}

/**
 * metrics_bus_arguments_take_now:
 * @options: the options of a method that puts
 * @now: (out): whether the time is the server's
 * @error: return location for a #GError
 *
 * Returns: %FALSE where an option is unknown or has a wrong type
 */
gboolean
metrics_bus_arguments_take_now (GVariant *options, gboolean *now, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  *now = FALSE;
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      g_autoptr (GVariant) owned = value;

      if (strcmp (name, "now") != 0)
        return refuse_option (name, error);
      if (!g_variant_is_of_type (owned, G_VARIANT_TYPE_BOOLEAN))
        {
          g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT,
                               "option 'now' is not a boolean");
          return FALSE;
        }
      *now = g_variant_get_boolean (owned);
    }
  return TRUE;
}

/**
 * metrics_bus_arguments_check_key:
 * @key: a string
 * @error: return location for a #GError
 *
 * Returns: whether it is a key
 */
gboolean
metrics_bus_arguments_check_key (const char *key, GError **error)
{
  if (metrics_key_is_valid (key, strlen (key)))
    return TRUE;
  g_set_error (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_KEY,
               "not a key: 1 to %d bytes without white space or control characters, and not '*'",
               METRICS_KEY_MAX);
  return FALSE;
}

/**
 * metrics_bus_arguments_check_pattern:
 * @pattern: a string
 * @error: return location for a #GError
 *
 * Returns: whether it is a pattern
 */
gboolean
metrics_bus_arguments_check_pattern (const char *pattern, GError **error)
{
  if (metrics_pattern_is_valid (pattern, strlen (pattern)))
    return TRUE;
  g_set_error (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_PATTERN,
               "not a pattern: 1 to %d bytes that do not end in a single backslash", METRICS_KEY_MAX);
  return FALSE;
}

/**
 * metrics_bus_arguments_check_point:
 * @key: a string
 * @value: a number
 * @error: return location for a #GError
 *
 * Returns: whether they can be put
 */
gboolean
metrics_bus_arguments_check_point (const char *key, double value, GError **error)
{
  if (!metrics_bus_arguments_check_key (key, error))
    return FALSE;
  if (isfinite (value))
    return TRUE;
  g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_VALUE, "the value is not finite");
  return FALSE;
}

/**
 * metrics_bus_arguments_take_buckets:
 * @step: seconds a bucket, or 0
 * @function: the name of a function, or nothing
 * @spec: (inout): gets what to do
 * @error: return location for a #GError
 *
 * Returns: %FALSE where they are wrong, or one of them is there without the other
 */
gboolean
metrics_bus_arguments_take_buckets (gint64 step, const char *function, MetricsQuerySpec *spec, GError **error)
{
  spec->kind = step > 0 ? METRICS_QUERY_BUCKETS : METRICS_QUERY_POINTS;
  spec->step = step;
  spec->aggregation = metrics_aggregation_from_name (function, strlen (function));
  if (step < 0)
    g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT,
                         "the step is less than 0");
  else if (step > 0 && spec->aggregation == METRICS_AGGREGATION_NONE)
    g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT,
                         "the function is none of avg, min, max, sum, count, first, last, median, p95, p99 "
                         "and rate");
  else if (step == 0 && function[0] != '\0')
    g_set_error_literal (error, METRICS_BUS_ERROR, METRICS_BUS_ERROR_INVALID_ARGUMENT,
                         "a function needs a step of at least 1");
  else
    return TRUE;
  return FALSE;
}
