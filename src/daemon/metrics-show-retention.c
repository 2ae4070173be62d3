/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-show-retention.h"

#include "storage/metrics-forecast.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>

/* Points that only the log has take no bytes that could be told: a dash, for 0 would say that they cost none.
 */
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
  /* What follows is of any width: it stands last. Points are too old, bytes are of the file. */
  printf ("%10s  %10s  %14s  %14s  %s\n", _ ("SERIES"), _ ("SHORTENED"), _ ("POINTS"), _ ("BYTES"),
          _ ("RULE"));
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
