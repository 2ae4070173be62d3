/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-exposition.h"

#include <string.h>

/* Figures and points as a Prometheus reads them. */

static char *
append_all (MetricsHttpExposition format)
{
  GString *out = g_string_new (NULL);

  metrics_http_exposition_append_build (format, out, "1.2");
  metrics_http_exposition_append_figure (format, out, "commit_time", 1500000);
  metrics_http_exposition_append_figure (format, out, "points", G_MAXINT64);
  metrics_http_exposition_append_figure (format, out, "memory", 5);
  metrics_http_exposition_append_figure (format, out, "new", 7);
  metrics_http_exposition_append_family (format, out, METRICS_HTTP_FAMILY_VALUE);
  metrics_http_exposition_append_point (out, METRICS_HTTP_FAMILY_VALUE, "a\"b\\n{ü}rest", 9,
                                        (MetricsPoint){ .time = -7, .value = 1e-300 });
  metrics_http_exposition_append_family (format, out, METRICS_HTTP_FAMILY_TIME);
  metrics_http_exposition_append_point (out, METRICS_HTTP_FAMILY_TIME, "k", 1,
                                        (MetricsPoint){ .time = G_MININT64, .value = 1 });
  metrics_http_exposition_append_end (format, out);
  return g_string_free (out, FALSE);
}

static void
test_text (void)
{
  g_autofree char *text = append_all (METRICS_HTTP_EXPOSITION_TEXT);

  g_assert_cmpstr (text, ==,
                   "# HELP metricsd_build_info The version of the server.\n"
                   "# TYPE metricsd_build_info gauge\n"
                   "metricsd_build_info{version=\"1.2\"} 1\n"
                   "# HELP metricsd_commit_seconds_total Time that it took to bring changes to disk.\n"
                   "# TYPE metricsd_commit_seconds_total counter\n"
                   "metricsd_commit_seconds_total 1.5\n"
                   "# HELP metricsd_points Points that are stored.\n"
                   "# TYPE metricsd_points gauge\n"
                   "metricsd_points 9223372036854775807\n"
                   "# HELP metricsd_memory_bytes Memory that counts for the memory limit.\n"
                   "# TYPE metricsd_memory_bytes gauge\n"
                   "metricsd_memory_bytes 5\n"
                   "# HELP metricsd_new A figure of the server.\n"
                   "# TYPE metricsd_new gauge\n"
                   "metricsd_new 7\n"
                   "# HELP metricsd_last_value The newest value of a key.\n"
                   "# TYPE metricsd_last_value gauge\n"
                   "metricsd_last_value{key=\"a\\\"b\\\\n{ü}\"} 1e-300\n"
                   "# HELP metricsd_last_timestamp_seconds The timestamp of the newest value of a key: "
                   "seconds "
                   "since 1970 by convention.\n"
                   "# TYPE metricsd_last_timestamp_seconds gauge\n"
                   "metricsd_last_timestamp_seconds{key=\"k\"} -9223372036854775808\n");
}

static void
test_openmetrics (void)
{
  g_autofree char *text = append_all (METRICS_HTTP_EXPOSITION_OPENMETRICS);

  g_assert_nonnull (strstr (text,
                            "# HELP metricsd_commit_seconds Time that it took to bring changes to disk.\n"
                            "# TYPE metricsd_commit_seconds counter\n"
                            "# UNIT metricsd_commit_seconds seconds\n"
                            "metricsd_commit_seconds_total 1.5\n"));
  g_assert_nonnull (strstr (text, "# TYPE metricsd_memory_bytes gauge\n"
                                  "# UNIT metricsd_memory_bytes bytes\n"
                                  "metricsd_memory_bytes 5\n"));
  g_assert_true (g_str_has_suffix (text, "\n# EOF\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/http-exposition/text", test_text);
  g_test_add_func ("/http-exposition/openmetrics", test_openmetrics);

  return g_test_run ();
}
