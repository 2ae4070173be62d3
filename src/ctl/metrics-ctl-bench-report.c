/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-report.h"

#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>

static double
divide (guint64 n, double seconds)
{
  return seconds > 0 ? (double) n / seconds : 0;
}

/* With as many digits as mean something, and in a unit that fits. */
static void
append_latency (GString *text, const char *name, guint64 nanoseconds)
{
  double microseconds = (double) nanoseconds / 1000;

  /* Translators: p50, p99 or 'max', and how long that was in micro-, milli- or whole seconds. All that the
   * report of a bench says stands in lines of less than 80 columns. */
  if (microseconds < 1000)
    g_string_append_printf (text, _ ("  %s %.1f us"), name, microseconds);
  else if (microseconds < 1000000)
    g_string_append_printf (text, _ ("  %s %.1f ms"), name, microseconds / 1000);
  else
    g_string_append_printf (text, _ ("  %s %.1f s"), name, microseconds / 1000000);
}

/* Words of all languages take the same place. */
static void
append_title (GString *text, const char *title)
{
  gsize width = metrics_ctl_text_width (title);

  g_string_append_printf (text, "\n  %s%*s", title, width < 9 ? (int) (9 - width) : 0, "");
}

static void
append_latencies (GString *text, const MetricsBenchHistogram *latencies)
{
  if (metrics_bench_histogram_get_count (latencies) == 0)
    return;
  /* Translators: what begins a line about how long answers took; at most 9 characters, if that can be */
  append_title (text, _ ("answered"));
  append_latency (text, "p50", metrics_bench_histogram_get_quantile (latencies, 0.5));
  append_latency (text, "p90", metrics_bench_histogram_get_quantile (latencies, 0.9));
  append_latency (text, "p99", metrics_bench_histogram_get_quantile (latencies, 0.99));
  append_latency (text, "p99.9", metrics_bench_histogram_get_quantile (latencies, 0.999));
  /* Translators: the longest time, short */
  append_latency (text, _ ("max"), metrics_bench_histogram_get_max (latencies));
}

static void
append_server (GString *text, const MetricsBenchServer *server, gboolean is_read, guint64 n_points)
{
  if (n_points == 0 || (server->cpu < 0 && (is_read || server->memory < 0)))
    return;
  /* Translators: what begins a line about what the server needed; at most 9 characters, if that can be */
  append_title (text, _ ("server"));
  if (server->cpu >= 0)
    g_string_append_printf (text, _ ("  %.3f s of processor time, %.0f ns a point"),
                            (double) server->cpu / 1e6, (double) server->cpu * 1000 / (double) n_points);
  if (!is_read && server->memory >= 0)
    g_string_append_printf (text, _ ("  %.1f bytes of memory a point"),
                            (double) server->memory / (double) n_points);
  /* Memory that the process had before grows it by nothing, which says nothing of a point. */
  if (!is_read && server->memory >= 0 && (double) server->resident / (double) n_points >= 0.05)
    g_string_append_printf (text, _ (" (%.1f of its process)"),
                            (double) server->resident / (double) n_points);
}

static void
append_rates (GString *text, const MetricsBenchResult *result, gboolean is_read, guint64 n_points)
{
  const MetricsBenchTally *tally = &result->tally;
  double seconds = result->seconds;

  if (is_read)
    g_string_append_printf (text, _ ("  %'.1f reads/s, %'.0f points/s, %'.1f MB/s in %.3f s"),
                            divide (tally->n_answered, seconds), divide (n_points, seconds),
                            divide (tally->bytes_received, seconds) / 1e6, seconds);
  else
    g_string_append_printf (text, _ ("  %'.0f puts/s, %'.1f MB/s in %.3f s"), divide (n_points, seconds),
                            divide (tally->bytes_sent, seconds) / 1e6, seconds);
}

/**
 * metrics_bench_report:
 * @result: what was measured
 * @server: what it cost the server
 *
 * Returns: (transfer full): the same for people, in a few lines, without the last line feed
 */
char *
metrics_bench_report (const MetricsBenchResult *result, const MetricsBenchServer *server)
{
  const MetricsBenchTally *tally = &result->tally;
  gboolean is_read = metrics_bench_workload_is_read (result->workload);
  guint64 n_points = metrics_bench_result_count_points (result);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%-11s", metrics_bench_workload_get_name (result->workload));
  append_rates (text, result, is_read, n_points);
  append_latencies (text, tally->latencies);
  append_server (text, server, is_read, n_points);
  if (tally->n_refused > 0)
    {
      /* Translators: what begins a line about what the server refused; at most 9 characters, if that can be
       */
      append_title (text, _ ("refused"));
      g_string_append_printf (text,
                              /* Translators: how many were refused, and the server's reason, in English */
                              ngettext ("  %'llu request, the first: %s", "  %'llu requests, the first: %s",
                                        tally->n_refused),
                              (unsigned long long) tally->n_refused, tally->refusal);
    }
  if (metrics_bench_result_is_broken_off (result))
    {
      g_string_append (text, "\n  ");
      g_string_append_printf (text,
                              ngettext ("broken off: %'llu of %'llu request was answered",
                                        "broken off: %'llu of %'llu requests were answered",
                                        result->n_requests),
                              (unsigned long long) tally->n_answered,
                              (unsigned long long) result->n_requests);
    }
  return g_string_free (text, FALSE);
}
