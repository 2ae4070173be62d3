/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-show-retention.h"

#include "storage/metrics-forecast.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>

/* Points that only the log has take no bytes that could be told: a dash, for 0 would say that they cost none.
 */
/* To the right; words of all languages take the same place. */
static void
print_title (int width, const char *title)
{
  for (const char *c = title; *c != '\0'; c = g_utf8_next_char (c))
    width -= g_unichar_iszerowidth (g_utf8_get_char (c)) ? 0 : g_unichar_iswide (g_utf8_get_char (c)) ? 2 : 1;
  printf ("%*s%s  ", MAX (width, 0), "", title);
}

static void
print_row (const char *title, const MetricsForecast *forecast)
{
  g_autofree char *bytes = forecast->n_points > 0 && forecast->n_bytes == 0
                               ? g_strdup ("-")
                               : g_strdup_printf ("%" PRIu64, forecast->n_bytes);

  printf ("%10" PRIu64 "  %10" PRIu64 "  %14" PRIu64 "  %14s  %s\n", forecast->n_series,
          forecast->n_shortened, forecast->n_points, bytes, title);
}

/**
 * metrics_show_retention:
 * @folder: (type filename): where a server keeps its points
 * @retention: rules
 * @error: return location for a #GError
 *
 * Prints what the rules would delete now, a line each, and changes nothing.
 *
 * Returns: %FALSE where the folder cannot be read
 */
gboolean
metrics_show_retention (const char *folder, const MetricsRetention *retention, GError **error)
{
  const MetricsRules *rules = metrics_retention_get_rules (retention);
  guint n_rules = metrics_rules_get_n_rules (rules);
  g_autoptr (GArray) forecasts
      = metrics_forecast_read (folder, retention, g_get_real_time () / G_USEC_PER_SEC, error);
  MetricsForecast all = { 0 };

  if (forecasts == NULL)
    return FALSE;
  /* Translators: heads of columns: how many series the rule is for, and how many have points that are too
   * old; at most 10 characters each */
  print_title (10, _ ("SERIES"));
  print_title (10, _ ("SHORTENED"));
  /* Translators: heads of columns: how many points are too old, and what they take of the file; at most 14
   * characters each */
  print_title (14, _ ("POINTS"));
  print_title (14, _ ("BYTES"));
  /* It is of any width, and stands last. */
  printf ("%s\n", _ ("RULE"));
  for (guint i = 0; i <= n_rules; i++)
    {
      const MetricsForecast *forecast = &g_array_index (forecasts, MetricsForecast, i);
      g_autofree char *title = i < n_rules ? g_strdup_printf ("%s=%s", metrics_rules_get_pattern (rules, i),
                                                              metrics_rules_get_value (rules, i))
                                           : g_strdup (_ ("(no rule)"));

      print_row (title, forecast);
      all.n_series += forecast->n_series;
      all.n_shortened += forecast->n_shortened;
      all.n_points += forecast->n_points;
      all.n_bytes += forecast->n_bytes;
    }
  print_row (_ ("(all)"), &all);
  return TRUE;
}
